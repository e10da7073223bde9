"""Walk-ins who were counted wrong, or let in for the wrong performance."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from azionelab.bookings.errors import (
    NotFewerSeats,
    NotMovable,
    PartyTooLarge,
    ReservationChanged,
    ReservationEnded,
    SoldOut,
)
from azionelab.bookings.models import Reservation
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.checkin.models import Scan
from azionelab.checkin.scanning.undoing import undo
from azionelab.checkin.scanning.walk_in_corrections import correct_walk_ins, move_walk_ins
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.database import db, now
from azionelab.shows.models import Performance
from tests.factories import DOOR_A, DOOR_B, a_party, a_performance, fresh, seats_held

pytestmark = pytest.mark.usefixtures("in_app")


def walk_ins(evening: Performance, people: int) -> Reservation:
    verdict = let_in_walk_ins(evening.id, people, uuid4(), DOOR_A)
    assert verdict.party is not None
    assert verdict.party.id is not None
    return fresh(verdict.party.id)


def scan_of(reservation: Reservation) -> Scan:
    return db.session.scalars(select(Scan).where(Scan.reservation_id == reservation.id)).one()


@pytest.mark.parametrize("people", [2, 7])
def test_a_wrong_number_is_corrected(people: int) -> None:
    evening = a_performance(10)
    wrong = walk_ins(evening, 4)
    done = correct_walk_ins(wrong.id, people, wrong.changed_in, DOOR_B)
    right = fresh(wrong.id)
    assert (right.seats, right.admitted) == (people, people)
    assert (done.free, seats_held(evening.id)) == (10 - people, (people, people))
    assert scan_of(right).people == people
    assert correct_walk_ins(wrong.id, people, 0, DOOR_B).is_unchanged
    undo(evening.id, scan_of(right).id, DOOR_A)
    assert seats_held(evening.id) == (0, 0)


def test_numbers_that_cannot_be() -> None:
    evening = a_performance(10)
    a_party(evening, 4)
    wrong = walk_ins(evening, 4)
    seen = wrong.changed_in
    with pytest.raises(SoldOut) as refusal:
        correct_walk_ins(wrong.id, 7, seen, DOOR_B)
    assert refusal.value.seats_left == 2
    with pytest.raises(NotFewerSeats):
        correct_walk_ins(wrong.id, 0, seen, DOOR_B)
    with pytest.raises(PartyTooLarge):
        correct_walk_ins(wrong.id, 100_000, seen, DOOR_B)
    correct_walk_ins(wrong.id, 5, seen, DOOR_B)
    with pytest.raises(ReservationChanged):
        correct_walk_ins(wrong.id, 3, seen, DOOR_B)
    party = a_party(evening, 1)
    with pytest.raises(ReservationEnded):
        correct_walk_ins(party.id, 2, fresh(party.id).changed_in, DOOR_B)
    assert seats_held(evening.id) == (10, 10)


def test_a_rehearsal_corrects_nothing() -> None:
    evening, other = a_performance(10), a_performance(10)
    wrong = walk_ins(evening, 4)
    assert correct_walk_ins(wrong.id, 6, wrong.changed_in, DOOR_B, rehearse=True).free == 4
    assert move_walk_ins(wrong.id, other.id, wrong.changed_in, DOOR_B, rehearse=True).free == 6
    assert fresh(wrong.id).admitted == 4
    assert (seats_held(evening.id), seats_held(other.id)) == ((4, 4), (0, 0))


def test_walk_ins_for_the_wrong_evening_are_moved() -> None:
    matinee = a_performance(10, starts_at=now() - timedelta(hours=4))
    evening = a_performance(10)
    wrong = walk_ins(evening, 4)
    scanned_at = scan_of(wrong).scanned_at
    done = move_walk_ins(wrong.id, matinee.id, wrong.changed_in, DOOR_B)
    assert done.other_id is not None
    right = fresh(done.other_id)
    assert (right.performance_id, right.seats, right.admitted) == (matinee.id, 4, 4)
    assert scan_of(right).scanned_at == scanned_at
    assert (fresh(wrong.id).state, fresh(wrong.id).admitted) == ("cancelled", 0)
    assert (seats_held(evening.id), seats_held(matinee.id)) == ((0, 0), (4, 4))
    again = move_walk_ins(wrong.id, matinee.id, fresh(wrong.id).changed_in, DOOR_B)
    assert again.is_unchanged
    assert seats_held(matinee.id) == (4, 4)
    with pytest.raises(ReservationEnded):
        move_walk_ins(wrong.id, a_performance(10).id, fresh(wrong.id).changed_in, DOOR_B)


def test_where_walk_ins_cannot_be_moved() -> None:
    evening, full, off = a_performance(10), a_performance(5), a_performance(10)
    a_party(full, 2)
    wrong = walk_ins(evening, 4)
    with pytest.raises(SoldOut) as refusal:
        move_walk_ins(wrong.id, full.id, wrong.changed_in, DOOR_B)
    assert refusal.value.seats_left == 3
    cancel_performance(off.id)
    with pytest.raises(NotMovable):
        move_walk_ins(wrong.id, off.id, wrong.changed_in, DOOR_B)
    assert move_walk_ins(wrong.id, evening.id, 0, DOOR_B).is_unchanged
