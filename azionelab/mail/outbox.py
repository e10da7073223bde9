"""The outbox: writes a mail's row and its job in the caller's transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from procrastinate.jobs import JobDeferrer
from procrastinate.types import JSONDict
from sqlalchemy import bindparam, func, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from azionelab.database import insert_with_commit, now, transaction
from azionelab.extensions import job_within
from azionelab.mail.models import Delivery, Mail, MailKind

SEND_JOB = "mail.send"
QUEUE = "mail"
# The queue's priorities of what many get at once: a ticket must not wait for two thousand messages. Others have 0.
_PRIORITIES = {
    MailKind.QUESTION: -4,
    MailKind.NEAR: -4,
    MailKind.REMINDER: -5,
    MailKind.MESSAGE: -10,
}
_REPEAT_PAUSE = timedelta(minutes=5)
_NEW_MAIL = insert(Mail).inline()
# What Procrastinate's `defer` sends. That waits for the job's number, a round trip that nobody needs here.
_NEW_JOB = text("""
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(:queue, :task, :priority, NULL, NULL, :args, NULL)::procrastinate_job_to_defer_v1
    ])
""").bindparams(bindparam("args", type_=JSONB))


class MailUnknown(Exception):
    """No mail has this identity."""


def enqueue(
    session: Session,
    reservation_id: UUID,
    kind: MailKind,
    changed: dict[str, Any] | None = None,
    *,
    hand_over_id: UUID | None = None,
    at_commit: bool = False,
) -> None:
    """Write a mail about a booking and enqueue its sending, both to be committed with the booking.

    One commit writes all of it: there is no booking without its mail, and no mail about a booking that
    was rolled back. The worker talks to the mail server after the commit, however long that takes. `changed` is what
    the text has to say of a change by staff, `hand_over_id` names the offer that a friend is told of. `at_commit` sends
    the job with the commit too, for bookings, which are most of what is written.
    """
    mail: dict[str, Any] = {
        "id": uuid4(),
        "reservation_id": reservation_id,
        "kind": kind,
        "created_at": now(),
    }
    if changed:
        mail["changed"] = changed
    if hand_over_id:
        mail["hand_over_id"] = hand_over_id
    if at_commit:
        job = {"mail_id": str(mail["id"])}
        facts = {"queue": QUEUE, "task": SEND_JOB, "priority": _PRIORITIES.get(kind, 0)}
        insert_with_commit(session, _NEW_JOB, facts | {"args": job})
    else:
        defer_sending(session, mail["id"], kind)
    insert_with_commit(session, _NEW_MAIL, mail)


def enqueue_unless_recent(session: Session, reservation_id: UUID, kind: MailKind) -> None:
    """Like `enqueue`, but not within five minutes of another of its kind about the reservation.

    A person who books again and again with somebody else's address must not fill that mailbox.
    """
    newest = session.scalar(
        select(func.max(Mail.created_at)).where(
            Mail.reservation_id == reservation_id, Mail.kind == kind
        )
    )
    if newest is None or newest <= now() - _REPEAT_PAUSE:
        enqueue(session, reservation_id, kind)


def give_new_job(mail_id: UUID) -> Mail:
    """Queue a mail that lost its job; raises MailUnknown."""
    with transaction() as session:
        mail = lock_mail(session, mail_id)
        queue_again(session, mail)
        return mail


def lock_mail(session: Session, mail_id: UUID) -> Mail:
    """The mail as it is now, locked until the transaction ends; MailUnknown."""
    mail = session.get(Mail, mail_id, with_for_update=True, populate_existing=True)
    if mail is None:
        raise MailUnknown
    return mail


def queue_again(session: Session, mail: Mail) -> None:
    """Queue a locked mail once more, in the caller's transaction."""
    mail.delivery, mail.last_error, mail.sent_at = Delivery.QUEUED, "", None
    mail.resent_at = now()
    session.flush()
    defer_sending(session, mail.id, mail.kind)


def enqueue_message(session: Session, message_id: UUID, reservations: Sequence[UUID]) -> None:
    """Write the mails of a message to an audience and enqueue their sending, after all other mails."""
    facts = {"kind": MailKind.MESSAGE, "message_id": message_id, "created_at": now()}
    mails = [{"id": uuid4(), "reservation_id": one, **facts} for one in reservations]
    session.execute(_NEW_MAIL, mails)
    _defer_all(session, MailKind.MESSAGE, [mail["id"] for mail in mails])


def enqueue_reminders(
    session: Session,
    kind: MailKind,
    curtain: datetime,
    hours_before: int,
    reservations: Sequence[UUID],
    *,
    at: datetime,
) -> None:
    """Write the reminders of a curtain, or questions, and enqueue their sending; nobody gets one twice."""
    facts = {
        "kind": kind,
        "curtain": curtain,
        "hours_before": hours_before,
        "created_at": at,
    }
    written = session.scalars(
        upsert(Mail)
        .values([{"id": uuid4(), "reservation_id": one, **facts} for one in reservations])
        .on_conflict_do_nothing()
        .returning(Mail.id)
    ).all()
    _defer_all(session, kind, written)


def defer_sending(
    session: Session, mail_id: object, kind: str, pause: timedelta | None = None
) -> None:
    """Enqueue the job that sends a mail, after a pause, in the caller's transaction."""
    _send_job(session, kind, pause).defer(mail_id=str(mail_id))


def _defer_all(session: Session, kind: MailKind, mails: Iterable[object]) -> None:
    sendings: list[JSONDict] = [{"mail_id": str(mail_id)} for mail_id in mails]
    if sendings:
        _send_job(session, kind).batch_defer(*sendings)


def _send_job(session: Session, kind: str, pause: timedelta | None = None) -> JobDeferrer:
    return job_within(
        session,
        SEND_JOB,
        queue=QUEUE,
        priority=_PRIORITIES.get(MailKind(kind)),
        schedule_in={"seconds": int(pause.total_seconds())} if pause else None,
    )
