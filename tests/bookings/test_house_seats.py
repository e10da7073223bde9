"""House seats: kept back, given to somebody, released by hand or at a set time."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask

from azionelab.bookings import erasure, performance_changes, rules
from azionelab.bookings.box_office.book_for import Guest, Terms, book_for
from azionelab.bookings.box_office.errors import HoldTooLong, HouseSeatsGone
from azionelab.bookings.box_office.house_seats import (
    HouseEntries,
    change_house_seats,
    house_seats,
    keep_back,
    release_house_seats,
)
from azionelab.bookings.box_office.just_booked import undo_booking
from azionelab.bookings.box_office.undoing import find_undo, undo_change
from azionelab.bookings.errors import (
    BookingClosed,
    HoldExpired,
    PartyTooLarge,
    ReservationChanged,
    ReservationUnknown,
    SeatsOfHouse,
    SoldOut,
    UndoOver,
)
from azionelab.bookings.models import Kind, State
from azionelab.bookings.seats import holds, no_show_seats
from azionelab.checkin.devices.offline_list import changes_since
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.house.guests import guests
from azionelab.checkin.house.search import find_parties
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import now
from azionelab.shows.programme import find_listing
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    a_visitor,
    change_capacity,
    fresh,
    let_lapse,
    mails,
    move,
    seats_held,
)

pytestmark = pytest.mark.usefixtures("in_app")
CRITIC = Guest("Eva Critica", "", "en")


def test_kept_seats_are_nobody_elses() -> None:
    performance = a_performance(10)
    kept = keep_back(performance.id, "Press", 6)
    stored = fresh(kept.id)
    assert (stored.kind, stored.state, stored.name) == (Kind.HOUSE, State.PENDING, "Press")
    assert stored.hold_expires_at == performance.starts_at
    assert seats_held(performance.id) == (6, 6)
    with pytest.raises(SoldOut) as refused:
        rules.reserve(performance.id, a_visitor(), 5)
    assert refused.value.seats_left == 4
    with pytest.raises(SoldOut):
        keep_back(performance.id, "Director", 5)
    counts = house_counts([performance.id])[performance.id]
    assert (counts.house, counts.pending, counts.free) == (6, 0, 4)
    assert mails(kept) == []


def test_the_same_press_keeps_them_once() -> None:
    performance, press = a_performance(10), uuid4()
    first = keep_back(performance.id, "Press", 2, press=press)
    again = keep_back(performance.id, "Press", 2, press=press)
    assert (again.id, again.is_unchanged) == (first.id, True)
    assert keep_back(performance.id, "Press", 2).id != first.id


def test_what_cannot_be_kept_back() -> None:
    performance, gone = a_performance(200), a_performance(10)
    performance_changes.cancel_performance(gone.id)
    with pytest.raises(BookingClosed):
        keep_back(gone.id, "Press", 2)
    for seats in (0, 101):
        with pytest.raises(PartyTooLarge):
            keep_back(performance.id, "Press", seats)
    with pytest.raises(HoldTooLong):
        keep_back(performance.id, "Press", 2, performance.starts_at + timedelta(minutes=1))


def test_they_are_no_party_at_the_door_until_they_are_given() -> None:
    performance = a_performance(10)
    kept = keep_back(performance.id, "Press", 6)
    assert guests(performance.id) == []
    assert changes_since(performance.id, None).parties == []
    assert find_parties(performance.id, "Press").parties == []
    assert find_parties(performance.id, kept.reference).parties == []
    verdict = admit(performance.id, kept.reference, uuid4(), DOOR_A)
    assert verdict.kind is VerdictKind.NOT_CONFIRMED
    with pytest.raises(SeatsOfHouse):
        rules.confirm(kept.id)
    given = book_for(performance.id, CRITIC, 2, Terms(from_house=kept.id))
    assert [guest.name for guest in guests(performance.id)] == ["Eva Critica"]
    assert [party.reference for party in changes_since(performance.id, None).parties] == [
        given.reference
    ]


def test_they_are_given_to_somebody_in_a_full_house() -> None:
    performance = a_performance(6)
    kept = keep_back(performance.id, "Press", 4)
    a_party(performance, 2)
    given = book_for(performance.id, CRITIC, 3, Terms(from_house=kept.id))
    assert (fresh(kept.id).seats, fresh(given.id).seats) == (1, 3)
    assert fresh(given.id).taken_from == kept.id
    assert seats_held(performance.id) == (6, 6)
    with pytest.raises(HouseSeatsGone) as refused:
        book_for(performance.id, Guest("B", "", "en"), 2, Terms(from_house=kept.id))
    assert refused.value.left == 1
    book_for(performance.id, Guest("B", "", "en"), 1, Terms(from_house=kept.id))
    assert fresh(kept.id).state == State.CANCELLED
    with pytest.raises(HouseSeatsGone):
        book_for(performance.id, Guest("C", "", "en"), 1, Terms(from_house=kept.id))
    assert seats_held(performance.id) == (6, 6)


def test_they_are_held_for_somebody_too() -> None:
    performance = a_performance(6)
    kept = keep_back(performance.id, "Press", 6)
    until = now() + timedelta(hours=2)
    held = book_for(performance.id, CRITIC, 6, Terms(held_until=until, from_house=kept.id))
    assert (fresh(held.id).state, fresh(kept.id).state) == (State.PENDING, State.CANCELLED)
    assert seats_held(performance.id) == (6, 6)


def test_only_house_seats_of_the_same_performance_are_given() -> None:
    performance, other = a_performance(6), a_performance(6)
    elsewhere, party = keep_back(other.id, "Press", 2), a_party(performance, 2)
    for wrong in (elsewhere, party):
        with pytest.raises(HouseSeatsGone):
            book_for(performance.id, CRITIC, 1, Terms(from_house=wrong.id))
    assert seats_held(performance.id) == (2, 2)
    assert seats_held(other.id) == (2, 2)


@pytest.mark.parametrize("seats", [2, 4], ids=["a part", "all"])
def test_undoing_a_gift_keeps_the_seats_back_again(seats: int) -> None:
    performance = a_performance(4)
    kept = keep_back(performance.id, "Press", 4)
    given = book_for(performance.id, CRITIC, seats, Terms(from_house=kept.id))
    undo_booking(given.id)
    assert (fresh(kept.id).state, fresh(kept.id).seats) == (State.PENDING, 4)
    assert fresh(kept.id).ended_at is None
    assert seats_held(performance.id) == (4, 4)


def test_they_are_released_by_hand_in_part_and_then_all() -> None:
    performance = a_performance(6)
    kept = keep_back(performance.id, "Press", 5)
    release_house_seats(kept.id, 2, seen=5)
    assert seats_held(performance.id) == (3, 3)
    with pytest.raises(HouseSeatsGone) as refused:
        release_house_seats(kept.id, 2, seen=5)
    assert refused.value.left == 3
    for seats in (0, 4):
        with pytest.raises(HouseSeatsGone):
            release_house_seats(kept.id, seats, seen=3)
    release_house_seats(kept.id, 3, seen=3)
    assert seats_held(performance.id) == (0, 0)
    assert house_seats(performance.id) == []
    with pytest.raises(ReservationUnknown):
        release_house_seats(a_party(performance, 1).id, 1, seen=1)


def test_they_are_free_at_their_time_and_the_job_records_it() -> None:
    performance = a_performance(6)
    kept = keep_back(performance.id, "Press", 6, now() + timedelta(hours=1))
    assert [each.id for each in house_seats(performance.id)] == [kept.id]
    assert holds.expire_lapsed_holds() == 0
    let_lapse(kept)
    listing = find_listing(performance.id, now())
    assert listing is not None
    assert listing.seats_left == 6
    assert house_seats(performance.id) == []
    assert house_counts([performance.id])[performance.id].free == 6
    assert holds.expire_lapsed_holds() == 1
    assert fresh(kept.id).state == State.EXPIRED
    assert seats_held(performance.id) == (0, 0)


def test_they_leave_the_visitors_share_whole(make_app: Callable[..., Flask]) -> None:
    with make_app(UNCONFIRMED_PERCENT="50").app_context():
        performance = a_performance(20)
        keep_back(performance.id, "Press", 10)
        for number in (1, 2):
            visitor = rules.Visitor("V", f"v{number}@example.org", "en", f"192.0.2.{number}")
            assert rules.reserve(performance.id, visitor, 5).holds_seats


def test_they_follow_the_curtain_and_end_with_the_performance() -> None:
    performance = a_performance(6)
    kept = keep_back(performance.id, "Press", 4)
    moved = performance.starts_at + timedelta(days=1)
    assert move(performance.id, moved) == 0
    assert fresh(kept.id).hold_expires_at == moved
    with pytest.raises(performance_changes.CapacityBelowHeld):
        change_capacity(performance.id, 3)
    assert performance_changes.cancel_performance(performance.id) == 0
    assert fresh(kept.id).state == State.CANCELLED


def test_no_shows_are_none_of_theirs() -> None:
    performance = a_performance(6, starts_at=now() + timedelta(minutes=20))
    kept = keep_back(performance.id, "Press", 4)
    assert no_show_seats.release_no_shows(performance.id).places == 0
    assert fresh(kept.id).released == 0


def test_their_note_is_erased_like_a_name() -> None:
    kept = keep_back(a_performance(6).id, "For Ada Rossi of the Corriere", 1)
    erasure.erase_on_request(kept.id)
    assert fresh(kept.id).name == ""


def test_their_note_number_and_time_are_changed_and_set_back() -> None:
    performance = a_performance(6)
    kept = keep_back(performance.id, "Press", 4)
    until = now() + timedelta(hours=2)
    wanted, seen = HouseEntries("Press and radio", 6, until), fresh(kept.id).changed_in
    assert change_house_seats(kept.id, wanted, seen, rehearse=True).free == 0
    assert (fresh(kept.id).name, seats_held(performance.id)) == ("Press", (4, 4))
    change_house_seats(kept.id, wanted, seen)
    changed = fresh(kept.id)
    assert (changed.name, changed.hold_expires_at) == ("Press and radio", until)
    assert seats_held(performance.id) == (6, 6)
    assert change_house_seats(kept.id, wanted, seen).is_unchanged
    with pytest.raises(ReservationChanged):
        change_house_seats(kept.id, HouseEntries("Radio", 1, until), seen)
    offer = find_undo(fresh(kept.id))
    assert offer is not None
    undo_change(offer.id)
    back = fresh(kept.id)
    assert (back.name, back.hold_expires_at) == ("Press", performance.starts_at)
    assert seats_held(performance.id) == (4, 4)
    assert mails(kept) == []


def test_what_house_seats_cannot_be_changed_to() -> None:
    performance = a_performance(6)
    kept, party = keep_back(performance.id, "Press", 3), a_party(performance, 2)
    late = performance.starts_at + timedelta(minutes=1)
    for seats, until, refusal in (
        (5, None, SoldOut),
        (0, None, PartyTooLarge),
        (3, late, HoldTooLong),
        (3, now(), HoldTooLong),
    ):
        entries, seen = HouseEntries("Press", seats, until), fresh(kept.id).changed_in
        with pytest.raises(refusal):
            change_house_seats(kept.id, entries, seen)
    with pytest.raises(ReservationUnknown):
        change_house_seats(party.id, HouseEntries("Press", 1, None), fresh(party.id).changed_in)
    assert seats_held(performance.id) == (5, 5)
    soon = now() + timedelta(hours=1)
    change_house_seats(kept.id, HouseEntries("Press", 2, soon), fresh(kept.id).changed_in)
    let_lapse(kept)
    with pytest.raises(HoldExpired):
        change_house_seats(kept.id, HouseEntries("Press", 1, None), fresh(kept.id).changed_in)


def test_a_release_time_that_is_over_is_not_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    performance = a_performance(6)
    kept = keep_back(performance.id, "Press", 3, now() + timedelta(minutes=1))
    change_house_seats(kept.id, HouseEntries("Press", 3, None), fresh(kept.id).changed_in)
    offer = find_undo(fresh(kept.id))
    assert offer is not None
    later = now() + timedelta(minutes=2)
    monkeypatch.setattr("azionelab.bookings.box_office.undoing.now", lambda: later)
    with pytest.raises(UndoOver):
        undo_change(offer.id)
    assert fresh(kept.id).hold_expires_at == performance.starts_at
