"""Sends mails again: one of them, or all that failed since a moment, in batches and with their progress."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select, true

from azionelab.bookings.errors import ReservationEnded
from azionelab.bookings.models import Reservation, State
from azionelab.database import db, transaction
from azionelab.extensions import job_within
from azionelab.mail.models import Delivery, Mail, MailKind
from azionelab.mail.outbox import QUEUE, defer_sending, lock_mail, queue_again
from azionelab.mail.replies import Fault

RESEND_JOB = "mail.resend_failed"
_BATCH = 100  # mails in one transaction
_BAD_ADDRESS = Mail.refusal.in_((Fault.RECIPIENT, Fault.DOMAIN))
# A mail whose address is erased cannot be sent.
_FAILED = (Mail.delivery == Delivery.FAILED, Reservation.email != "")


class AddressErased(Exception):
    """The visitor's address is erased: there is nobody to write to."""


@dataclass(frozen=True)
class Failed:
    """Mails that failed since a moment. `ended` of the `mails` are about bookings that have ended.

    `bad_addresses` are not among the `mails`: the server or the DNS says that there is no such mailbox.
    """

    mails: int
    ended: int
    bad_addresses: int


@dataclass(frozen=True)
class Progress:
    """The state of the mails that were queued again at one press; `done` ones were not sent: not needed any more."""

    waiting: int
    sent: int
    failed: int
    done: int

    @property
    def mails(self) -> int:
        """The number of all of them."""
        return self.waiting + self.sent + self.failed + self.done


def resend(mail_id: UUID) -> Mail:
    """Send a mail once more, whatever became of it.

    Raises MailUnknown, and AddressErased: a mail that was sent then stays sent.
    """
    with transaction() as session:
        mail = lock_mail(session, mail_id)
        if mail.reservation.erased_at is not None:
            raise AddressErased
        queue_again(session, mail)
        return mail


def resend_newest(reservation_id: UUID) -> Mail:
    """Send a party's newest mail once more: the ticket, or the request to confirm.

    Raises ReservationEnded when it never got one, and AddressErased.
    """
    newest = db.session.scalar(
        select(Mail.id)
        .where(
            Mail.reservation_id == reservation_id,
            Mail.kind.not_in((MailKind.MY_BOOKINGS, MailKind.HAND_OVER)),
        )
        .order_by(Mail.created_at.desc())
        .limit(1)
    )
    if newest is None:
        raise ReservationEnded
    return resend(newest)


def count_failed(since: datetime) -> Failed:
    """Count the mails that failed since then and can be sent again."""
    good = ~_BAD_ADDRESS
    ended = Reservation.state.in_((State.CANCELLED, State.EXPIRED))
    row = db.session.execute(
        select(
            func.count().filter(good),
            func.count().filter(good, ended),
            func.count().filter(~good),
        )
        .select_from(Mail)
        .join(Mail.reservation)
        .where(*_failed_since(since))
    ).one()
    return Failed(*row)


def mails_in_trouble(late_since: datetime) -> tuple[int, datetime | None, int]:
    """How many mails failed that can be sent again, bad addresses too, since when, and how many wait for longer."""
    late = select(func.count(Mail.id)).where(
        Mail.delivery == Delivery.QUEUED, Mail.created_at < late_since
    )
    failed, first, waiting = db.session.execute(
        select(func.count(), func.min(_failed_at()), late.scalar_subquery())
        .select_from(Mail)
        .join(Mail.reservation)
        .where(*_FAILED)
    ).one()
    return failed, first, waiting


def resend_failed(since: datetime, asked_at: datetime, *, bad_addresses: bool = False) -> int:
    """Queue the mails that failed between `since` and `asked_at`; how many. Run again, it continues.

    Mails to `bad_addresses` are left out unless they are asked for.
    """
    total = 0
    while batch := _resend_some(since, asked_at, bad_addresses=bad_addresses):
        total += batch
    return total


def enqueue_resending(since: datetime, asked_at: datetime, *, bad_addresses: bool) -> None:
    """Enqueue the job that does it; `asked_at` names the press."""
    with transaction() as session:
        job_within(session, RESEND_JOB, queue=QUEUE).defer(
            since=since.isoformat(), asked_at=asked_at.isoformat(), bad_addresses=bad_addresses
        )


def read_progress(asked_at: datetime) -> Progress:
    """The state of the mails that were queued again by the press at that moment."""
    rows = db.session.execute(
        select(Mail.delivery, func.count())
        .where(Mail.resent_at == asked_at)
        .group_by(Mail.delivery)
    )
    found = {row[0]: row[1] for row in rows}
    states = (Delivery.QUEUED, Delivery.SENT, Delivery.FAILED, Delivery.NOT_SENT)
    return Progress(*(found.get(state, 0) for state in states))


def _resend_some(since: datetime, asked_at: datetime, *, bad_addresses: bool) -> int:
    with transaction() as session:
        mails = session.scalars(
            select(Mail)
            .join(Mail.reservation)
            .where(
                *_failed_since(since),
                _failed_at() <= asked_at,
                or_(Mail.resent_at.is_(None), Mail.resent_at < asked_at),
                or_(true() if bad_addresses else false(), ~_BAD_ADDRESS),
            )
            .order_by(Mail.created_at, Mail.id)
            .limit(_BATCH)
            # Two jobs for the same press, or somebody who sends one of them by hand.
            .with_for_update(of=Mail, skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        for mail in mails:
            mail.delivery, mail.last_error, mail.resent_at = Delivery.QUEUED, "", asked_at
            defer_sending(session, mail.id, mail.kind)
        return len(mails)


def _failed_at() -> ColumnElement[datetime]:
    return func.coalesce(Mail.tried_at, Mail.created_at)  # release 0.3 noted no time


def _failed_since(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return *_FAILED, _failed_at() >= since
