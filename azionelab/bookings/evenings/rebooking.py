"""Moves the parties of a cancelled performance to another one, as many as there is room for, exactly as previewed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from azionelab.bookings.box_office.moves import ended_with_performance, move_locked
from azionelab.bookings.box_office.outcomes import MailPreview, free_seats, office_transaction
from azionelab.bookings.errors import BookingError, NotMovable, ReservationChanged
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_performances, lock_reservations
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.database import db
from azionelab.shows.models import Performance


@dataclass(frozen=True)
class LeftBehind:
    """A party that is not moved, and why."""

    reservation_id: UUID
    name: str
    reference: str
    seats: int
    refusal: BookingError


@dataclass(frozen=True)
class Rebooking:
    """What moving parties does, or did. `moved` are in the order of their booking, `free` seats are left.

    `already` of them were there before.
    """

    moved: tuple[UUID, ...]
    seats: int
    left_behind: tuple[LeftBehind, ...]
    free: int
    mails: tuple[MailPreview, ...]
    already: int = 0


class RebookingChanged(BookingError):
    """Not the parties that the preview named would be moved; nothing was changed."""

    def __init__(self, rebooking: Rebooking) -> None:
        super().__init__("other parties")
        self.rebooking = rebooking


def parties_to_rebook(performance_id: int) -> Sequence[Reservation]:
    """The parties that ended with a cancelled performance and have a name, in the order of their booking."""
    return db.session.scalars(
        select(Reservation)
        .where(
            Reservation.performance_id == performance_id,
            Reservation.state == State.CANCELLED,
            Reservation.ended_by == By.PERFORMANCE,
            Reservation.kind != Kind.HOUSE,
            # Not those that only waited.
            or_(Reservation.waiting_since.is_(None), Reservation.holds_seats),
            Reservation.walk_in.is_(False),
            Reservation.erased_at.is_(None),
        )
        .order_by(Reservation.created_at, Reservation.id)
    ).all()


def rebook_parties(
    performance_id: int,
    target_id: int,
    chosen: Mapping[UUID, int],
    *,
    notify: bool = True,
    expected: frozenset[UUID] | None = None,
) -> Rebooking:
    """Move the `chosen` parties of a cancelled performance to one to come: first come, first served.

    `chosen` has each party's `changed_in` as the page showed it. Without `expected` it is rehearsed: nothing is
    changed. With it the parties that are moved have to be these: all of them, or RebookingChanged. Those who are
    there already count as moved. Raises PerformanceUnknown, ReservationUnknown, and NotMovable when the
    performance is not cancelled or the other one is not to come.
    """
    with office_transaction(rehearse=expected is None) as session:
        performances = lock_performances(session, performance_id, target_id)
        if performances[performance_id].cancelled_at is None:
            raise NotMovable
        rebooking = _rebook(session, performances[target_id], performance_id, chosen, notify)
        if expected is not None and frozenset(rebooking.moved) != expected:
            raise RebookingChanged(rebooking)
        return rebooking


def _rebook(
    session: Session,
    target: Performance,
    performance_id: int,
    chosen: Mapping[UUID, int],
    notify: bool,
) -> Rebooking:
    locked = lock_reservations(session, *chosen)
    moved: list[UUID] = []
    left: list[LeftBehind] = []
    mails: tuple[MailPreview, ...] = ()
    seats = already = 0
    for party in sorted(locked.values(), key=lambda one: (one.created_at, one.id)):
        if party.performance_id == target.id and party.is_live:
            moved.append(party.id)
            seats += party.seats
            already += 1
            continue
        named = (party.id, party.name, party.reference, party.seats)
        try:
            here = party.performance_id == performance_id and ended_with_performance(party)
            if not here or party.changed_in != chosen[party.id]:
                raise ReservationChanged
            mails += move_locked(session, party, target, notify=notify)
            session.refresh(target, ["seats_held", "wheelchair_held"])  # for the next one
        except NotMovable:
            raise
        except BookingError as refusal:
            left.append(LeftBehind(*named, refusal))
        else:
            moved.append(party.id)
            seats += party.seats
    free = free_seats(session, target)
    return Rebooking(tuple(moved), seats, tuple(left), free, mails, already)
