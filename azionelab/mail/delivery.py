"""Delivers a mail and records the result. `outbox.queue_again` puts one back into the queue.

No database connection is held while the mail server is talked to, however long that takes. The caller of
`deliver` gives the function that reads what is to be sent: this part knows nothing of bookings.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from azionelab.database import now, transaction
from azionelab.mail.message import Draft, KeptText, Message, message_id
from azionelab.mail.models import Delivery, Mail, SentText
from azionelab.mail.outbox import SEND_JOB, defer_sending
from azionelab.mail.refusals import put_back, read_refusals
from azionelab.mail.replies import Fault
from azionelab.mail.smtp import ProviderRefused, Refused, Unreachable, send
from azionelab.settings.config import NO_DOMAIN_CHECK, Config
from azionelab.validation.email_addresses import ascii_domain_of, parse_sender_address

logger = logging.getLogger(__name__)

# The only one of the reserved domains that the booking form takes.
NOBODYS_DOMAIN = ".example"
TAKES_NO_MAIL = (
    "the domain takes no mail"  # the remark of a mail that was not handed to the mail server
)

# A mail that was given up before the provider was found to refuse everybody waits so long, then as any mail.
_PROVIDERS_PAUSE = timedelta(minutes=2)


class NotYetDelivered(Exception):
    """The mail is still queued and wants another try."""


def deliver(
    mail_id: UUID, read_draft: Callable[[UUID], Draft | None], *, sending: str, last_try: bool
) -> Fault | None:
    """Send a mail unless it is sent or given up already, and record the result.

    Returns whose fault it is when the mail is refused for good.

    `sending` names the job. A crash between the server's answer and the record sends the mail once more,
    under the same Message-ID, by which mailboxes recognize it. The other order could lose it.

    Raises NotYetDelivered when it should be tried again, which is never after the last try.
    """
    mail = _begin(mail_id)
    draft = read_draft(mail_id) if mail else None
    if mail is None or draft is None:
        return None
    if draft.needless is not None:
        _record(mail, Delivery.NOT_SENT, draft.needless)
        return None
    try:
        delivery, kept = _send(mail, draft, sending)
    except Refused as refusal:
        _give_up(mail, refusal, last_try=last_try)
        return refusal.fault
    except ProviderRefused as refusal:
        _put_off(mail, str(refusal), last_try=last_try, refusal=Fault.PROVIDER)
    except Unreachable as problem:
        _put_off(mail, str(problem), last_try=last_try)
    except Exception as fault:
        # Our own fault, not the server's: staff see it with the mail, and it is logged as an error.
        logger.exception("mail %s (%s) could not be made", mail.id, mail.kind)
        _put_off(mail, type(fault).__name__, last_try=last_try)
    else:
        _record(mail, delivery, "", sent_at=now() if delivery == Delivery.SENT else None, kept=kept)
    return None


def find_orphans(age: timedelta) -> list[UUID]:
    """The mails that have waited for longer than `age` without a job that would send them."""
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
    """Count the attempt; the mail, or None when it is done."""
    with transaction() as session:
        return session.scalar(
            update(Mail)
            .where(Mail.id == mail_id, Mail.delivery == Delivery.QUEUED)
            .values(attempts=Mail.attempts + 1)
            .returning(Mail)
            .execution_options(synchronize_session=False, populate_existing=True)
        )


def _send(mail: Mail, draft: Draft, sending: str) -> tuple[Delivery, KeptText | None]:
    """Send the mail if there is somewhere to send it to; whether it was sent, and what to keep of it.

    In development its link is logged where no server is set or the server does not take the mail, so that
    a browser can go on. Addresses of `.example` reach nobody (RFC 2606): a mail server would only complain.
    """
    if not draft.recipient:
        raise Refused("the address was erased before the mail could be sent")
    message = draft.build()
    config = current_app.config["AZIONELAB"]
    if config.debug and config.mail_server is None:
        _log_link(mail, message)
        return Delivery.NOT_SENT, None
    if draft.recipient.casefold().endswith(NOBODYS_DOMAIN):
        return Delivery.NOT_SENT, None
    try:
        _refuse_dead_domain(draft.recipient, config)
        send(message, message_id(f"{mail.id}.{sending}"))
    except (Refused, Unreachable):
        if config.debug:
            _log_link(mail, message)
        raise
    return Delivery.SENT, message.kept


def _refuse_dead_domain(recipient: str, config: Config) -> None:
    """Raise Refused when the DNS may be asked (MAIL_DOMAIN_CHECK) and says that the domain takes no mail."""
    if config.mail_domain_check == NO_DOMAIN_CHECK:
        return
    # Imported here: the web processes import this module too, and ask no name server.
    from azionelab.mail.domains import takes_no_mail  # noqa: PLC0415

    try:
        domain = ascii_domain_of(recipient)
    except ValueError:
        return  # encoding the message says so
    own = ascii_domain_of(parse_sender_address(config.mail_default_sender))
    if takes_no_mail(domain, config.mail_domain_check, own):
        raise Refused(TAKES_NO_MAIL, Fault.DOMAIN)


def _log_link(mail: Mail, message: Message) -> None:
    logger.info("mail %s (%s) leads to %s", mail.id, mail.kind, message.link)


def _give_up(mail: Mail, refused: Refused, *, last_try: bool) -> None:
    """Record a permanent refusal. When the provider refuses everybody, queue those mails again."""
    _record(mail, Delivery.FAILED, str(refused), refusal=refused.fault)
    if last_try:
        return
    if waiting := _put_back_refused():
        logger.error("the mail server refuses everybody: mails given up wait again: %s", waiting)


def _put_back_refused() -> int:
    """Once the provider refuses everybody, queue the mails it refused since it last took one; how many.

    They get new jobs, with their own growing pauses.
    """
    with transaction() as session:
        mails = put_back(session, read_refusals(session))
        for mail_id, kind in mails:
            defer_sending(session, mail_id, kind, _PROVIDERS_PAUSE)
    return len(mails)


def _put_off(mail: Mail, reason: str, *, last_try: bool, refusal: Fault | None = None) -> None:
    if last_try:
        _record(mail, Delivery.FAILED, reason, refusal=refusal)
        return
    _record(mail, Delivery.QUEUED, reason, refusal=refusal)
    # The job's traceback does not show the error behind it.
    raise NotYetDelivered(reason) from None


def _record(
    mail: Mail,
    delivery: Delivery,
    remark: str,
    *,
    sent_at: datetime | None = None,
    refusal: Fault | None = None,
    kept: KeptText | None = None,
) -> None:
    with transaction() as session:
        if kept is not None:
            _keep(session, mail.id, kept)
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


def _keep(session: Session, mail_id: UUID, kept: KeptText) -> None:
    """Keep what a mail says, in place of what it said when it was sent before."""
    text = {"subject": kept.subject, "text": kept.text}
    session.execute(
        insert(SentText)
        .values(mail_id=mail_id, **text)
        .on_conflict_do_update(index_elements=[SentText.mail_id], set_=text)
    )
