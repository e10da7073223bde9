"""House seats: kept back for the theatre, given to somebody, released by hand or at a set time.

They are a pending reservation of kind HOUSE, so they are counted, expired and refused as all holds are. When their
time comes they are free at once; the job that expires holds only records it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.bookings.box_office.book_for import check_hold, check_open
from azionelab.bookings.box_office.changes import check_live
from azionelab.bookings.box_office.errors import HouseSeatsGone
from azionelab.bookings.box_office.outcomes import (
    Outcome,
    free_seats,
    offer_undo,
    office_transaction,
    refuse_other_version,
)
from azionelab.bookings.errors import (
    PartyTooLarge,
    ReservationUnknown,
    VisitorErased,
    refuse_unless_free,
)
from azionelab.bookings.locks import lock_performance, lock_with_performance
from azionelab.bookings.models import Kind, Reservation, unconfirmed
from azionelab.bookings.seats.holds import count_free
from azionelab.bookings.tickets.references import new_reference
from azionelab.bookings.transitions import box_office
from azionelab.database import db, now, transaction
from azionelab.shows.facts.seating import Places
from azionelab.shows.limits import MAX_PARTY


def keep_back(
    performance_id: int,
    note: str,
    seats: int,
    until: datetime | None = None,
    press: UUID | None = None,
) -> Reservation:
    """Keep `seats` back for the house, with a note that says for whom, until a moment or the curtain.

    The same form sent again (`press`) returns what it kept. Raises PerformanceUnknown, BookingClosed for one that
    is cancelled, PerformanceOver, PartyTooLarge, HoldTooLong, SoldOut.
    """
    key = uuid5(press or uuid4(), f"{performance_id}/house/{seats}/{note}")
    with transaction() as session:
        performance = lock_performance(session, performance_id)
        at = now()
        before = session.scalar(
            select(Reservation).where(Reservation.is_live, Reservation.request_key == key)
        )
        if before is not None:
            before.is_unchanged = True
            return before
        check_open(performance, at)
        if not 1 <= seats <= MAX_PARTY:
            raise PartyTooLarge(MAX_PARTY)
        until = until or performance.starts_at
        check_hold(performance, until, at)
        refuse_unless_free(Places(seats), count_free(session, performance, at))
        return box_office.hold(
            session,
            {
                "id": uuid4(),
                "reference": new_reference(),
                "performance_id": performance_id,
                "name": note,
                "email": "",
                "locale": current_app.config["AZIONELAB"].default_locale,
                "seats": seats,
                "kind": Kind.HOUSE,
                "request_key": key,
                "created_at": at,
            },
            until,
            with_mail=False,
        )


@dataclass(frozen=True)
class HouseEntries:
    """What the form of house seats says: for whom, how many, and until when (aware; None is the curtain)."""

    note: str
    seats: int
    until: datetime | None


def change_house_seats(
    reservation_id: UUID, wanted: HouseEntries, seen: int, *, rehearse: bool = False
) -> Outcome:
    """Change note, number and release time of house seats. Nobody is written to.

    `seen` is their `changed_in` as the page showed it. Raises ReservationUnknown, ReservationChanged,
    ReservationEnded, HoldExpired when they are free again, VisitorErased, PartyTooLarge, SoldOut, HoldTooLong.
    """
    with office_transaction(rehearse=rehearse) as session:
        house = lock_with_performance(session, reservation_id)
        if house.kind != Kind.HOUSE:
            raise ReservationUnknown
        before = HouseEntries(house.name, house.seats, house.hold_expires_at)
        until = wanted.until or house.performance.starts_at
        if before == HouseEntries(wanted.note, wanted.seats, until):
            return Outcome(reservation_id, is_unchanged=True)
        refuse_other_version(house, seen)
        check_live(house)
        if until != before.until:
            check_hold(house.performance, until, now())
        set_house_entries(session, house, wanted)
        kept = asdict(before) | {"until": before.until and before.until.isoformat()}
        offer_undo(session, reservation_id, "house", kept, told=False)
        return Outcome(reservation_id, free=free_seats(session, house.performance))


def set_house_entries(session: Session, house: Reservation, wanted: HouseEntries) -> None:
    """Write the entries of locked house seats in the caller's transaction, which has checked `until`.

    Raises VisitorErased, PartyTooLarge, SoldOut.
    """
    if house.erased_at is not None and wanted.note != house.name:
        raise VisitorErased
    if not 1 <= wanted.seats <= MAX_PARTY:
        raise PartyTooLarge(MAX_PARTY)
    if wanted.seats > house.seats:
        more = Places(wanted.seats - house.seats)
        refuse_unless_free(more, count_free(session, house.performance, now()))
    until = wanted.until or house.performance.starts_at
    box_office.change_house(session, house, wanted.note, wanted.seats, until)


def release_house_seats(reservation_id: UUID, seats: int, seen: int) -> Reservation:
    """Release `seats` of the house seats that the page showed as `seen`, all or a part.

    Raises ReservationUnknown, and HouseSeatsGone when some of them were given or released meanwhile, also by the
    same press sent before.
    """
    with transaction() as session:
        house = lock_with_performance(session, reservation_id)
        if house.kind != Kind.HOUSE:
            raise ReservationUnknown
        left = house.seats if house.is_live and not house.is_lapsed(now()) else 0
        if left != seen or not 1 <= seats <= left:
            raise HouseSeatsGone(left)
        box_office.take_from_house(session, house, seats)
        return house


def house_seats(performance_id: int) -> Sequence[Reservation]:
    """The seats that are kept back at a performance, in the order in which they were."""
    return db.session.scalars(
        select(Reservation)
        .where(
            Reservation.performance_id == performance_id,
            Reservation.kind == Kind.HOUSE,
            unconfirmed(now()),
        )
        .order_by(Reservation.created_at, Reservation.id)
    ).all()
