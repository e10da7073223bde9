"""How far the sending of a message is."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from azionelab.bookings.audience.models import AudienceMessage, MessageState
from azionelab.database import db
from azionelab.mail.models import Delivery, Mail


@dataclass(frozen=True)
class MessageProgress:
    """The mails of a message by delivery. `tried` ones among the `waiting` were not taken by the server yet."""

    sent: int = 0
    waiting: int = 0
    tried: int = 0
    failed: int = 0
    not_sent: int = 0

    @property
    def mails(self) -> int:
        """All that were written."""
        return self.sent + self.waiting + self.failed + self.not_sent

    @property
    def settled(self) -> int:
        """Those of which nothing more will come by itself."""
        return self.mails - self.waiting

    @property
    def is_untouched(self) -> bool:
        """Whether nothing has left the house yet."""
        return self.settled == 0 and self.tried == 0


def read_progress(message_ids: Collection[UUID]) -> dict[UUID, MessageProgress]:
    """The progress of each message."""
    in_state = {
        state: func.count().filter(Mail.delivery == state)
        for state in (Delivery.SENT, Delivery.QUEUED, Delivery.FAILED, Delivery.NOT_SENT)
    }
    rows = db.session.execute(
        select(
            Mail.message_id,
            in_state[Delivery.SENT],
            in_state[Delivery.QUEUED],
            func.count().filter(Mail.delivery == Delivery.QUEUED, Mail.attempts > 0),
            in_state[Delivery.FAILED],
            in_state[Delivery.NOT_SENT],
        )
        .where(Mail.message_id.in_(message_ids))
        .group_by(Mail.message_id)
    )
    found = {row[0]: MessageProgress(*row[1:]) for row in rows}
    return {each: found.get(each, MessageProgress()) for each in message_ids}


def is_done(message: AudienceMessage, progress: MessageProgress) -> bool:
    """Whether all mails of a message were written and none waits."""
    sending = message.state == MessageState.SENDING
    return sending and message.written_at is not None and progress.waiting == 0
