"""What the pages of messages show, read from the database."""

from typing import Any
from uuid import UUID, uuid4

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.admin.messages.texts import AUDIENCES, describe_state
from azionelab.bookings.audience.models import AudienceMessage, MessageState
from azionelab.bookings.audience.progress import is_done, read_progress
from azionelab.bookings.audience.selection import count_audience, find_recipient
from azionelab.bookings.audience.texts import hidden_booking_page, text_for, write_message
from azionelab.database import db, now
from azionelab.mail.models import Delivery, Mail
from azionelab.shows.models import Performance
from azionelab.staff.models import User

_PER_PAGE = 50  # messages
_MAX_NUMBER = 100_000  # of a page
_FAILED_SHOWN = 50  # mails


def find_message(identity: str | None) -> AudienceMessage | None:
    """The message with that identity; None for an unknown or malformed one."""
    try:
        return db.session.get(AudienceMessage, UUID(identity or ""))
    except ValueError:
        return None


def read_number(name: str) -> int:
    """A number from 0 in the address; 0 when it is missing or malformed."""
    typed = request.args.get(name, "")
    return (
        min(int(typed), _MAX_NUMBER)
        if typed.isascii() and typed.isdigit() and len(typed) < 8
        else 0
    )


def list_page(page: int) -> dict[str, Any]:
    """The list's page: messages with their progress and authors."""
    messages = db.session.scalars(
        select(AudienceMessage)
        .order_by(AudienceMessage.created_at.desc(), AudienceMessage.id)
        .offset(page * _PER_PAGE)
        .limit(_PER_PAGE + 1)
    ).all()
    shown = messages[:_PER_PAGE]
    return {
        "messages": shown,
        "progress": read_progress([message.id for message in shown]),
        "authors": _find_authors(shown),
        "page": page,
        "has_more": len(messages) > _PER_PAGE,
        "audiences": AUDIENCES,
        "describe_state": describe_state,
        "subject_of": lambda message: text_for(message, "")[1]["subject"],
    }


def preview_page(message: AudienceMessage) -> dict[str, Any]:
    """A draft as one of its recipients would get it, and how many there are."""
    audience = count_audience(message.whom, message.performance_ids)
    number = min(read_number("to"), max(0, audience.recipients - 1))
    recipient = find_recipient(message, number)
    written = (
        write_message(message, recipient, link=hidden_booking_page(recipient))
        if recipient
        else None
    )
    return _facts(message) | {
        "audience": audience,
        "number": number,
        "recipient": recipient,
        "written": written,
    }


def progress_page(message: AudienceMessage) -> dict[str, Any]:
    """How far the sending is, and the mails that failed."""
    progress = read_progress([message.id])[message.id]
    failed = db.session.scalars(
        select(Mail)
        .where(Mail.message_id == message.id, Mail.delivery == Delivery.FAILED)
        .order_by(Mail.created_at, Mail.id)
        .limit(_FAILED_SHOWN)
        .options(joinedload(Mail.reservation))
    ).all()
    sending = message.state == MessageState.SENDING
    return _facts(message) | {
        "progress": progress,
        "state": describe_state(message, progress),
        "done": is_done(message, progress),
        "starts_later": sending and message.starts_at is not None and message.starts_at > now(),
        "failed": failed,
        "is_paused": message.state == MessageState.PAUSED,
        "is_sending": sending,
        "copy_id": uuid4(),
        "total": max(message.recipients or 0, progress.mails),
    }


def _facts(message: AudienceMessage) -> dict[str, Any]:
    performances = db.session.scalars(
        select(Performance)
        .where(Performance.id.in_(message.performance_ids))
        .options(joinedload(Performance.show), joinedload(Performance.venue))
        .order_by(Performance.starts_at, Performance.id)
    ).all()
    return {
        "message": message,
        "performances": performances,
        "audience_name": AUDIENCES[message.whom],
        "subject": text_for(message, "")[1]["subject"],
        "author": _find_authors([message]).get(message.created_by or 0),
    }


def _find_authors(messages: Any) -> dict[int, str]:
    wanted = {message.created_by for message in messages if message.created_by is not None}
    users = db.session.scalars(select(User).where(User.id.in_(wanted))) if wanted else ()
    return {user.id: str(user) for user in users}
