"""Who gets a message: parties of performances by what became of them, one for each mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import joinedload

from azionelab.bookings.audience.models import AudienceMessage, Whom
from azionelab.bookings.models import Reservation, State, unconfirmed
from azionelab.bookings.reminders.unsubscribing import IS_UNSUBSCRIBED
from azionelab.database import db, now
from azionelab.mail.models import Mail
from azionelab.shows.models import Performance

# Parties of one mailbox get one mail. Whoever has an address has its key; a missing one stands alone.
_MAILBOX = func.coalesce(Reservation.email_key, cast(Reservation.id, String))


@dataclass(frozen=True)
class Audience:
    """How many a message is for. `recipients` are mailboxes; the parties `without_address` get nothing."""

    recipients: int = 0
    parties: int = 0
    seats: int = 0
    without_address: int = 0

    @property
    def sharing(self) -> int:
        """Parties whose mailbox gets the message for another party already."""
        return self.parties - self.without_address - self.recipients


def count_audience(whom: str, performance_ids: Sequence[int]) -> Audience:
    """Count the parties and mailboxes that a message would be for now."""
    reachable = Reservation.email != ""
    row = db.session.execute(
        select(
            func.count(_MAILBOX.distinct()).filter(reachable),
            func.count(),
            func.coalesce(func.sum(Reservation.seats), 0),
            func.count().filter(~reachable),
        )
        .select_from(Reservation)
        .join(Reservation.performance)
        .where(_belongs(whom, now()), Reservation.performance_id.in_(performance_ids))
    ).one()
    return Audience(*row)


def find_recipient(message: AudienceMessage, number: int) -> Reservation | None:
    """The recipient with that number, from 0, in the order of writing; with performance, show and venue."""
    recipients = select_recipients(message).subquery()
    performance = joinedload(Reservation.performance)
    return db.session.scalar(
        select(Reservation)
        .join(recipients, recipients.c.id == Reservation.id)
        .order_by(recipients.c.starts_at, Reservation.created_at, Reservation.id)
        .offset(number)
        .limit(1)
        .options(
            performance.joinedload(Performance.show), performance.joinedload(Performance.venue)
        )
    )


def select_recipients(message: AudienceMessage) -> Select[UUID, datetime]:
    """The reservations to write to: of each mailbox the one of the first performance."""
    return (
        select(Reservation.id, Performance.starts_at)
        .join(Reservation.performance)
        .where(
            _belongs(message.whom, now()),
            Reservation.performance_id.in_(message.performance_ids),
            Reservation.email != "",
            Reservation.erased_at.is_(None),
        )
        .ext(distinct_on(_MAILBOX))
        .order_by(_MAILBOX, Performance.starts_at, Reservation.created_at, Reservation.id)
    )


def select_unwritten(message: AudienceMessage, limit: int) -> Select[UUID]:
    """The next recipients whose mailbox has no mail of this message yet."""
    written = (
        select(_MAILBOX)
        .select_from(Mail)
        .join(Reservation, Reservation.id == Mail.reservation_id)
        .where(Mail.message_id == message.id)
    )
    found = select_recipients(message).where(_MAILBOX.not_in(written)).subquery()
    return select(found.c.id).order_by(found.c.starts_at, found.c.id).limit(limit)


def belongs(whom: str, reservation: Reservation, at: datetime) -> bool:
    """Whether a party belongs to the audience now; the condition `_belongs` says the same in SQL."""
    performance = reservation.performance
    confirmed = reservation.state == State.CONFIRMED and performance.cancelled_at is None
    waiting = (
        reservation.is_pending and not reservation.is_lapsed(at) and not performance.cancelled_at
    )
    match Whom(whom):
        case Whom.BOOKED:
            return confirmed or waiting
        case Whom.CONFIRMED:
            return confirmed
        case Whom.UNCONFIRMED:
            return waiting
        case Whom.CAME:
            return reservation.admitted > 0
        case Whom.ABSENT:
            return confirmed and reservation.admitted == 0 and performance.starts_at <= at


def _belongs(whom: str, at: datetime) -> ColumnElement[bool]:
    takes_place = Performance.cancelled_at.is_(None)
    confirmed = and_(Reservation.state == State.CONFIRMED, takes_place)
    waiting = and_(unconfirmed(at), takes_place)
    booked: dict[Whom, ColumnElement[bool]] = {
        Whom.BOOKED: or_(confirmed, waiting),
        Whom.CONFIRMED: confirmed,
        Whom.UNCONFIRMED: waiting,
        Whom.CAME: Reservation.admitted > 0,
        Whom.ABSENT: and_(confirmed, Reservation.admitted == 0, Performance.starts_at <= at),
    }
    # Of one that unsubscribed after its mail was written, it is not sent (mails/messages.py).
    return and_(booked[Whom(whom)], Reservation.walk_in.is_(False), ~IS_UNSUBSCRIBED)
