"""Writes, starts, pauses and stops messages to audiences. The mails are written by a job (`writing.py`).

Each function can be called twice with the same effect as once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from azionelab.bookings.audience.models import AudienceMessage, MessageState
from azionelab.bookings.audience.selection import count_audience
from azionelab.bookings.audience.writing import STOPPED, defer_writing, lock_message
from azionelab.database import now, transaction
from azionelab.mail.models import Delivery, Mail

START_DELAY = timedelta(seconds=30)  # for second thoughts: until then all of it can be taken back


class MessageUnknown(Exception):
    """No message has this identity."""


class MessageRefused(Exception):
    """A message cannot be changed or sent in this way now."""


class NotADraft(MessageRefused):
    """The message is being sent already, or was stopped: its text does not change any more."""


class DraftChanged(MessageRefused):
    """Somebody else changed the draft after it was shown."""


class NobodyToWriteTo(MessageRefused):
    """No party of the audience has an address."""


class AlreadySent(MessageRefused):
    """Some mails have left: the message can be stopped, and not be taken back."""


@dataclass(frozen=True)
class Draft:
    """What staff write: the texts by language, and whom they are for."""

    texts: Mapping[str, Mapping[str, str]]
    whom: str
    performance_ids: Sequence[int]


def save_draft(
    message_id: UUID, draft: Draft, *, seen_version: int, by: int | None
) -> AudienceMessage:
    """Save a new draft, or change the one with that identity.

    Raises NotADraft, and DraftChanged when it is not what it was at `seen_version`.
    """
    wanted = {
        "texts": {language: dict(text) for language, text in draft.texts.items()},
        "whom": draft.whom,
        "performance_ids": sorted(set(draft.performance_ids)),
    }
    with transaction() as session:
        session.execute(
            insert(AudienceMessage)
            .values(
                id=message_id, created_at=now(), created_by=by, state=MessageState.DRAFT, **wanted
            )
            .on_conflict_do_nothing()
        )
        message = _lock(session, message_id)
        if all(getattr(message, name) == value for name, value in wanted.items()):
            return message
        if not message.is_draft:
            raise NotADraft
        if message.version != seen_version:
            raise DraftChanged
        for name, value in wanted.items():
            setattr(message, name, value)
        message.version += 1
        return message


def delete_draft(message_id: UUID) -> None:
    """Delete a draft; one that is gone already is no error. Raises NotADraft."""
    with transaction() as session:
        message = lock_message(session, message_id)
        if message is None:
            return
        if not message.is_draft:
            raise NotADraft
        session.delete(message)


def start(message_id: UUID, *, seen_version: int) -> AudienceMessage:
    """Send a draft to its audience, beginning after START_DELAY.

    Raises MessageUnknown, DraftChanged, NobodyToWriteTo.
    """
    with transaction() as session:
        message = _lock(session, message_id)
        if not message.is_draft:
            return message
        if message.version != seen_version:
            raise DraftChanged
        message.recipients = count_audience(message.whom, message.performance_ids).recipients
        if not message.recipients:
            raise NobodyToWriteTo
        message.state = MessageState.SENDING
        message.starts_at = now() + START_DELAY
        defer_writing(session, message.id, START_DELAY)
        return message


def take_back(message_id: UUID) -> AudienceMessage:
    """Make a message a draft again of which no mail has left. Raises MessageUnknown, AlreadySent."""
    with transaction() as session:
        message = _lock(session, message_id)
        if message.is_draft:
            return message
        _delete_untried(session, message)
        if session.scalar(select(func.count()).where(Mail.message_id == message.id)):
            raise AlreadySent
        message.state = MessageState.DRAFT
        message.recipients = message.starts_at = message.written_at = message.stopped_at = None
        return message


def pause(message_id: UUID) -> AudienceMessage:
    """Hold back what has not been tried yet. Mails that are on their way still go out."""
    return _change_sending(message_id, {MessageState.SENDING}, _pause)


def resume(message_id: UUID) -> AudienceMessage:
    """Go on with a paused message."""
    return _change_sending(message_id, {MessageState.PAUSED}, _resume)


def stop(message_id: UUID) -> AudienceMessage:
    """End the sending for good: what waits is not sent, not even what was tried and failed so far."""
    return _change_sending(message_id, {MessageState.SENDING, MessageState.PAUSED}, _stop)


def _change_sending(
    message_id: UUID,
    states: set[MessageState],
    change: Callable[[Session, AudienceMessage], None],
) -> AudienceMessage:
    """Change a message in one of `states`; in another one it is returned as it is. Raises MessageUnknown."""
    with transaction() as session:
        message = _lock(session, message_id)
        if message.state in states:
            change(session, message)
        return message


def _pause(session: Session, message: AudienceMessage) -> None:
    message.state = MessageState.PAUSED
    if _delete_untried(session, message):
        message.written_at = None


def _resume(session: Session, message: AudienceMessage) -> None:
    message.state = MessageState.SENDING
    message.starts_at = max(message.starts_at or now(), now())
    defer_writing(session, message.id, message.starts_at - now())


def _stop(session: Session, message: AudienceMessage) -> None:
    message.state, message.stopped_at = MessageState.STOPPED, now()
    _delete_untried(session, message)
    session.execute(
        update(Mail)
        .where(Mail.message_id == message.id, Mail.delivery == Delivery.QUEUED)
        .values(delivery=Delivery.NOT_SENT, last_error=STOPPED)
        .execution_options(synchronize_session=False)
    )


def _delete_untried(session: Session, message: AudienceMessage) -> int:
    """Delete the mails that no worker has begun; their jobs then find nothing to do. How many there were."""
    deleted = session.execute(
        delete(Mail)
        .where(Mail.message_id == message.id, Mail.delivery == Delivery.QUEUED, Mail.attempts == 0)
        .returning(Mail.id)
        .execution_options(synchronize_session=False)
    )
    return len(deleted.all())


def _lock(session: Session, message_id: UUID) -> AudienceMessage:
    message = lock_message(session, message_id)
    if message is None:
        raise MessageUnknown
    return message
