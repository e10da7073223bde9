"""Delivering a mail and keeping what became of it: the only place that writes its state.

(`outbox.resend` puts one back into the queue.) No database connection is held while the mail server
is talked to, however long it takes.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import select, text, update
from sqlalchemy.orm import joinedload

from azionelab.bookings.models import Reservation
from azionelab.database import db, now, transaction
from azionelab.mail.messages import Message, message_id, render
from azionelab.mail.models import Delivery, Mail
from azionelab.mail.outbox import SEND_JOB, defer_sending
from azionelab.mail.refusals import put_back, read_refusals
from azionelab.mail.replies import Fault
from azionelab.mail.smtp import ProviderRefused, Refused, Unreachable, send
from azionelab.mail.superseded import SUPERSEDED, is_superseded
from azionelab.shows.models import Performance

logger = logging.getLogger(__name__)

# The only one of the reserved domains that the booking form takes.
NOBODYS_DOMAIN = ".example"

# What was given up before we knew that everybody is refused waits for so long, and then as any mail does.
_PROVIDERS_PAUSE = timedelta(minutes=2)


class NotYetDelivered(Exception):
    """The mail is still queued and wants another try."""


def deliver(mail_id: UUID, *, sending: str, last_try: bool) -> None:
    """Send a mail unless it is sent or given up already, and note what became of it.

    `sending` names the job. A crash between the server's yes and the note sends the mail
    once more, under the same Message-ID, by which mailboxes know it for the same. The other order
    could lose it.

    Raises NotYetDelivered when it should be tried again, which is never after the last try.
    """
    mail = _begin(mail_id)
    if mail is None:
        return
    if is_superseded(mail):
        _note(mail, Delivery.NOT_SENT, SUPERSEDED)
        return
    try:
        delivery = _hand_over(mail, sending)
    except Refused as refusal:
        _give_up(mail, refusal, last_try=last_try)
    except ProviderRefused as refusal:
        _put_off(mail, str(refusal), last_try=last_try, refusal=Fault.PROVIDER)
    except Unreachable as problem:
        _put_off(mail, str(problem), last_try=last_try)
    except Exception as fault:
        # Not the server but we: kept with the mail for the staff, and loud in the log.
        logger.exception("mail %s (%s) could not be made", mail.id, mail.kind)
        _put_off(mail, type(fault).__name__, last_try=last_try)
    else:
        _note(mail, delivery, "", sent_at=now() if delivery == Delivery.SENT else None)


def find_orphans(age: timedelta) -> list[UUID]:
    """The mails that wait for longer than `age` with no job that would send them."""
    with transaction() as session:
        found = session.scalars(
            select(Mail.id).where(
                Mail.delivery == Delivery.QUEUED,
                Mail.created_at < now() - age,
                text(
                    "NOT EXISTS (SELECT FROM procrastinate_jobs AS job"
                    " WHERE job.task_name = :task AND job.status IN ('todo', 'doing')"
                    " AND job.args ->> 'mail_id' = mail.id::text)"
                ).bindparams(task=SEND_JOB),
            )
        )
        return list(found)


def _begin(mail_id: UUID) -> Mail | None:
    """Count the attempt; the mail with all that its text is made of, or None when it is done."""
    with transaction() as session:
        queued = session.scalar(
            update(Mail)
            .where(Mail.id == mail_id, Mail.delivery == Delivery.QUEUED)
            .values(attempts=Mail.attempts + 1)
            .returning(Mail.id)
            .execution_options(synchronize_session=False)
        )
        if queued is None:
            return None
        performance = joinedload(Mail.reservation).joinedload(Reservation.performance)
        mail = session.scalars(
            select(Mail)
            .where(Mail.id == mail_id)
            .options(
                performance.joinedload(Performance.show), performance.joinedload(Performance.venue)
            )
            .execution_options(populate_existing=True)
        ).one()
    # Off the session: making the text cannot fetch anything, so no connection comes back into use.
    db.session.expunge_all()
    return mail


def _hand_over(mail: Mail, sending: str) -> Delivery:
    """Send the mail, if there is somewhere to send it to, and say which.

    In development its link is logged where no server is set, or none takes the mail: a browser can go on.
    Addresses of `.example` reach nobody (RFC 2606): asking a mail server would only bring its complaint.
    """
    if mail.reservation.erasure_requested_at is not None:
        return Delivery.NOT_SENT
    if not mail.reservation.email:
        raise Refused("the address was erased before the mail could be sent")
    message = render(mail)
    config = current_app.config["AZIONELAB"]
    if config.debug and config.mail_server is None:
        _log_link(mail, message)
        return Delivery.NOT_SENT
    if mail.reservation.email.casefold().endswith(NOBODYS_DOMAIN):
        return Delivery.NOT_SENT
    try:
        send(message, message_id(f"{mail.id}.{sending}"))
    except (Refused, Unreachable):
        if config.debug:
            _log_link(mail, message)
        raise
    return Delivery.SENT


def _log_link(mail: Mail, message: Message) -> None:
    logger.info("mail %s (%s) leads to %s", mail.id, mail.kind, message.link)


def _give_up(mail: Mail, refused: Refused, *, last_try: bool) -> None:
    """Note a refusal for good, unless it is one of many: then the provider refuses us, and not them."""
    _note(mail, Delivery.FAILED, str(refused), refusal=refused.fault)
    if last_try:
        return
    if waiting := _put_back_refused():
        logger.error("the mail server refuses everybody: mails given up wait again: %s", waiting)


def _put_back_refused() -> int:
    """Once the provider refuses everybody, queue what it refused since it last took a mail; how many.

    Those have new jobs, with their own growing pauses.
    """
    with transaction() as session:
        mails = put_back(session, read_refusals(session))
        for mail_id in mails:
            defer_sending(session, mail_id, _PROVIDERS_PAUSE)
    return len(mails)


def _put_off(mail: Mail, reason: str, *, last_try: bool, refusal: Fault | None = None) -> None:
    if last_try:
        _note(mail, Delivery.FAILED, reason, refusal=refusal)
        return
    _note(mail, Delivery.QUEUED, reason, refusal=refusal)
    # Whatever led here stays out of the job's traceback.
    raise NotYetDelivered(reason) from None


def _note(
    mail: Mail,
    delivery: Delivery,
    remark: str,
    *,
    sent_at: datetime | None = None,
    refusal: Fault | None = None,
) -> None:
    with transaction() as session:
        session.execute(
            update(Mail)
            .where(Mail.id == mail.id)
            .values(
                delivery=delivery,
                last_error=remark,
                sent_at=sent_at,
                tried_at=now(),
                refusal=refusal or "",
            )
        )
    done = delivery in (Delivery.SENT, Delivery.NOT_SENT)
    level = logging.INFO if done else logging.WARNING
    why = f": {remark}" if remark else ""
    logger.log(level, "mail %s (%s) is %s%s", mail.id, mail.kind, delivery.value, why)
