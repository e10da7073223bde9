"""Books for somebody: on the phone, or at the desk.

The rules differ from a visitor's: the booking window does not count until the performance is over, a party above the
limit needs a reason, an address is not needed, and nobody has to confirm. The capacity is the same for everybody.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from azionelab.bookings.box_office.errors import (
    AlreadyBooked,
    HoldTooLong,
    HouseSeatsGone,
    PerformanceOver,
    SameName,
)
from azionelab.bookings.errors import (
    BookingClosed,
    PartyOverLimit,
    PartyTooLarge,
    refuse_unless_free,
)
from azionelab.bookings.locks import lock_performance, lock_reservation
from azionelab.bookings.metrics import UNCHANGED, Action, counted
from azionelab.bookings.models import Kind, Reservation
from azionelab.bookings.seats.bookable import read_booking_facts
from azionelab.bookings.seats.holds import count_free, expire_holds_of
from azionelab.bookings.tickets.references import new_reference
from azionelab.bookings.transitions import box_office
from azionelab.database import db, now, transaction, violated_constraint
from azionelab.shows.facts.seating import Places
from azionelab.shows.limits import MAX_PARTY
from azionelab.shows.models import Performance
from azionelab.shows.window import Window
from azionelab.validation.email_addresses import mailbox_key


@dataclass(frozen=True)
class Guest:
    """Whom staff book for. `email` is a valid address, or empty; `locale` is the language of mails and ticket.

    `note` is for the door; `contact` is who speaks for a group. Walk-ins `at_desk` have a word in place of a name.
    """

    name: str
    email: str
    locale: str
    note: str = ""
    contact: str = ""
    at_desk: bool = False

    @property
    def email_key(self) -> str | None:
        """The key of the mailbox, None without one."""
        return mailbox_key(self.email) if self.email else None


@dataclass(frozen=True)
class Terms:
    """How staff book. Held until a moment (aware), or confirmed at once.

    `limit_reason` says why a party is larger than the performance's limit. `from_house` are the house seats to give.
    `same_name` books although somebody of this name without an address has booked already.
    """

    held_until: datetime | None = None
    limit_reason: str = ""
    from_house: UUID | None = None
    with_mail: bool = True
    same_name: bool = False


AT_ONCE = Terms()


def book_for(
    performance_id: int,
    guest: Guest,
    seats: int,
    terms: Terms = AT_ONCE,
    press: UUID | None = None,
    *,
    wheelchair_places: int = 0,
) -> Reservation:
    """Book `seats` for somebody; the ticket, or the request to confirm, is enqueued if they have an address.

    The same form sent again (`press`) returns the booking that it made, as long as that is live.

    `wheelchair_places` of the seats are such. Raises PerformanceUnknown, BookingClosed for one that is cancelled,
    PerformanceOver, PartyTooLarge above what any party may be, PartyOverLimit, SoldOut, WheelchairPlacesTaken, HoldTooLong, HouseSeatsGone, and AlreadyBooked or SameName.
    """
    wanted = Places.of_party(seats, wheelchair_places)
    key = _request_key(performance_id, guest, wanted, press or uuid4())
    with counted(Action.BOOK_FOR) as answer:
        while True:
            try:
                booked = _book_for(performance_id, guest, wanted, terms, key)
            except _LapsedHolds:
                expire_holds_of(performance_id)
            except IntegrityError as error:
                # Another connection was faster, with the same press or the same address.
                keys = ("uq_reservation_live_request", "uq_reservation_live_email")
                if violated_constraint(error) not in keys:
                    raise
            else:
                answer.outcome = UNCHANGED if booked.is_unchanged else answer.outcome
                return booked


def find_booked(
    performance_id: int, guest: Guest, seats: int, press: UUID, *, wheelchair_places: int = 0
) -> Reservation | None:
    """The reservation that `book_for` made of this form, also when it has ended by now."""
    wanted = Places.of_party(seats, wheelchair_places)
    return db.session.scalar(
        select(Reservation).where(
            Reservation.performance_id == performance_id,
            Reservation.request_key == _request_key(performance_id, guest, wanted, press),
        )
    )


def _request_key(performance_id: int, guest: Guest, wanted: Places, press: UUID) -> UUID:
    entries = f"{performance_id}/{guest.email_key}/{wanted}/{guest.name}/{guest.at_desk}"
    return uuid5(press, entries)


def _book_for(
    performance_id: int, guest: Guest, wanted: Places, terms: Terms, key: UUID
) -> Reservation:
    if not 1 <= wanted.total <= MAX_PARTY:
        raise PartyTooLarge(MAX_PARTY)
    at = now()
    rivals = read_booking_facts(performance_id, key, guest.email_key or "", at).rivals
    if any(rival.lapsed for rival in rivals):
        raise _LapsedHolds
    for same_press in (rival for rival in rivals if rival.request_key == key):
        booked = db.session.get_one(Reservation, same_press.reservation_id)
        booked.is_unchanged = True
        return booked
    for same_address in rivals:
        booked = db.session.get_one(Reservation, same_address.reservation_id)
        raise AlreadyBooked(booked.id, booked.reference, booked.name, booked.seats)
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        check_open(performance, at)
        limit_reason = ""
        if not guest.at_desk:
            limit_reason = check_size(performance, wanted.total, terms.limit_reason)
            if not guest.email and not terms.same_name:
                _check_name(session, performance_id, guest.name)
        free = count_free(session, performance, at)
        if terms.from_house is None:
            refuse_unless_free(wanted, free)
        else:
            # House seats are ordinary ones: a wheelchair place is taken beside them.
            refuse_unless_free(Places(0, wanted.wheelchair), free)
            _give_house_seats(session, performance, terms.from_house, wanted.seats)
        values = {
            "id": uuid4(),
            "reference": new_reference(),
            "performance_id": performance_id,
            "name": guest.name,
            "email": guest.email,
            "email_key": guest.email_key,
            "locale": guest.locale,
            "seats": wanted.total,
            "wheelchair_places": wanted.wheelchair,
            "kind": Kind.DESK if guest.at_desk else Kind.BOX_OFFICE,
            "note": guest.note,
            "contact": guest.contact,
            "limit_reason": limit_reason,
            "taken_from": terms.from_house,
            "request_key": key,
            "created_at": at,
        }
        if terms.held_until is None:
            return box_office.book(session, values, at, with_mail=terms.with_mail)
        check_hold(performance, terms.held_until, at)
        return box_office.hold(session, values, terms.held_until, with_mail=terms.with_mail)


def check_open(performance: Performance, at: datetime) -> None:
    """Whether staff can still book a locked performance: until it is over. BookingClosed, PerformanceOver."""
    if performance.cancelled_at is not None:
        raise BookingClosed(Window.CANCELLED, performance.booking_opens_at)
    if at >= performance.ends_at:
        raise PerformanceOver


def check_size(performance: Performance, seats: int, reason: str) -> str:
    """The reason to keep with a party of so many: empty within the limit. PartyTooLarge, PartyOverLimit."""
    if not 1 <= seats <= MAX_PARTY:
        raise PartyTooLarge(MAX_PARTY)
    if seats <= performance.party_limit:
        return ""
    if not reason:
        raise PartyOverLimit(performance.party_limit)
    return reason


def check_hold(performance: Performance, until: datetime, at: datetime) -> None:
    """Seats are held until a moment to come, at the latest the curtain; HoldTooLong."""
    if not at < until <= performance.starts_at:
        raise HoldTooLong(performance.starts_at)


def _check_name(session: Session, performance_id: int, name: str) -> None:
    """Without an address, a name is all that tells whether somebody has booked already."""
    same = session.scalars(
        select(Reservation)
        .where(
            Reservation.performance_id == performance_id,
            Reservation.is_live,
            Reservation.kind != Kind.HOUSE,
            func.lower(Reservation.name) == func.lower(name),
        )
        .order_by(Reservation.created_at)
    ).first()
    if same is not None:
        raise SameName(same.id, same.reference, same.name, same.seats)


def _give_house_seats(
    session: Session, performance: Performance, house_id: UUID, seats: int
) -> None:
    house = lock_reservation(session, house_id)
    if house.performance_id != performance.id or house.kind != Kind.HOUSE or not house.is_live:
        raise HouseSeatsGone(0)
    if seats > house.seats:
        raise HouseSeatsGone(house.seats)
    box_office.take_from_house(session, house, seats)


class _LapsedHolds(Exception):
    """Some holds have lapsed: they must be expired before an address or seats count as taken."""
