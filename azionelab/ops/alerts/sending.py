"""Sends the mails about alerts that wait; the webhooks' messages go with all others (integrations/webhooks)."""

import logging
from datetime import datetime, timedelta

from flask import current_app
from markupsafe import escape
from sqlalchemy import select, update

from azionelab.database import db, now, transaction
from azionelab.integrations.webhooks.delivery import deliver_due, webhooks_due
from azionelab.mail.message import Message, message_id
from azionelab.mail.smtp import Refused, Unreachable, send
from azionelab.ops.alerts.models import AlertMail
from azionelab.ops.monitoring.service_status import read_service_status
from azionelab.web.site_urls import site_url

logger = logging.getLogger(__name__)

_CLAIMED_FOR = timedelta(minutes=5)  # then another process tries
_GIVEN_UP_AFTER = timedelta(days=1)  # a reminder says the same by then


def send_waiting() -> bool:
    """Send what waits, each mail by one process at a time; False when the mail server did not take one.

    A crash after sending sends once more under the same Message-ID, never not at all.
    """
    while mail := _claim(now()):
        if not send_alert(mail.subject, mail.body, f"alert.{mail.id}"):
            return False  # nor would it take the next one
        _note_sent(mail.id)
    return True


def deliver() -> bool:
    """Send what waits, and webhooks' messages while no worker does; False when the mail server did not take a mail."""
    with db.engine.connect() as connection:
        is_silent = read_service_status(connection).worker_is_silent
    # A worker that lives sends them under its own lock: each would be sent twice.
    for webhook_id in webhooks_due() if is_silent else ():
        deliver_due(webhook_id)
    return send_waiting()


def send_alert(subject: str, body: str, sending: str) -> bool:
    """Hand a mail to the mail server, without the database; whether it took it."""
    config = current_app.config["AZIONELAB"]
    if config.alert_email is None or config.mail_server is None:
        logger.warning("alert, not mailed: %s", subject)
        return True
    message = Message(
        recipient=config.alert_email,
        subject=subject,
        text=body,
        html="".join(f"<p>{escape(part)}</p>" for part in body.split("\n\n")),
        link=site_url("admin_status.index"),
    )
    try:
        send(message, message_id(sending))
    except (Refused, Unreachable) as problem:
        logger.warning("alert: the mail server did not take it (%s)", problem)
        return False
    return True


def _claim(at: datetime) -> AlertMail | None:
    """The oldest mail that is due, for this process alone until _CLAIMED_FOR has passed."""
    with transaction() as session:
        session.execute(
            update(AlertMail)
            .where(AlertMail.next_try_at.is_not(None), AlertMail.created_at < at - _GIVEN_UP_AFTER)
            .values(next_try_at=None)
        )
        due = (
            select(AlertMail.id)
            .where(AlertMail.next_try_at <= at)
            .order_by(AlertMail.id)
            .limit(1)
            .with_for_update(skip_locked=True, key_share=True)
            .scalar_subquery()
        )
        return session.scalar(
            update(AlertMail)
            .where(AlertMail.id == due)
            .values(next_try_at=at + _CLAIMED_FOR)
            .returning(AlertMail)
            .execution_options(synchronize_session=False, populate_existing=True)
        )


def _note_sent(mail_id: int) -> None:
    with transaction() as session:
        session.execute(update(AlertMail).where(AlertMail.id == mail_id).values(next_try_at=None))
