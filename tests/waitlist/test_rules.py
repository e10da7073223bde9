"""Who waits is offered seats that come free, in order, and nobody jumps the line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import text

from azionelab.bookings import erasure, rules
from azionelab.bookings.box_office.book_for import Guest, Terms, book_for
from azionelab.bookings.box_office.house_seats import keep_back, release_house_seats
from azionelab.bookings.errors import BookingClosed, HoldExpired, NotOffered, SoldOut
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.seats import holds
from azionelab.bookings.seats.no_show_seats import release_no_shows
from azionelab.database import db, now, transaction
from azionelab.shows.models import Performance
from azionelab.waitlist import line, offers
from azionelab.waitlist import rules as waitlist
from tests.factories import (
    a_party,
    a_performance,
    a_visitor,
    a_waiting_party,
    an_entry,
    change_capacity,
    fresh,
    let_lapse,
    mails,
    move,
    seats_held,
)

pytestmark = pytest.mark.usefixtures("by_day")


@pytest.fixture
def by_day(make_app: Callable[..., Flask]) -> Iterator[None]:
    """An application without a night, so that tests do not depend on the time of day."""
    with make_app(NIGHT_BEGINS="0", NIGHT_ENDS="0").app_context():
        yield


def a_full_house(*seats: int) -> tuple[Performance, list[UUID]]:
    """A performance whose seats are all taken, by confirmed parties of these sizes."""
    performance = a_performance(sum(seats))
    return performance, [a_party(performance, each).id for each in seats]


def states(*parties: object) -> list[str]:
    return [fresh(party.id).state for party in parties]  # type: ignore[attr-defined]


def test_a_freed_seat_goes_to_the_first_it_fits_and_on_when_it_is_not_taken() -> None:
    performance, (pair, single) = a_full_house(2, 1)
    three = a_waiting_party(performance.id, 3)
    first = a_waiting_party(performance.id, 2)
    one = a_waiting_party(performance.id, 1)
    last = a_waiting_party(performance.id, 2)
    assert [line.position(fresh(each.id)) for each in (three, first, one, last)] == [1, 2, 3, 4]

    rules.cancel(
        pair
    )  # too few for three people: the first pair gets them, in the same transaction
    assert states(three, first, one, last) == ["waiting", "pending", "waiting", "waiting"]
    assert seats_held(performance.id) == (3, 3)
    assert mails(first) == ["waitlist", "offer"]
    assert now() < fresh(first.id).hold_expires_at <= performance.booking_closes_at
    with pytest.raises(SoldOut):
        rules.reserve(performance.id, a_visitor(), 1)

    waitlist.leave(
        first.id
    )  # refused: the single person is the next whom they fit, then one seat is left
    assert states(three, first, one, last) == ["waiting", "cancelled", "pending", "waiting"]
    let_lapse(fresh(one.id))
    holds.expire_lapsed_holds()  # lapsed: the last pair
    assert states(three, first, one, last) == ["waiting", "cancelled", "waiting", "pending"]
    with pytest.raises(HoldExpired):
        rules.confirm(one.id)

    rules.confirm(last.id)
    assert rules.confirm(last.id).is_unchanged
    assert mails(last) == ["waitlist", "offer", "ticket"]
    rules.cancel(single)  # nobody of one waits any more: the form may have it
    assert [line.position(fresh(each.id)) for each in (three, first, one, last)] == [
        1,
        None,
        None,
        None,
    ]
    rules.reserve(performance.id, a_visitor(), 1)
    # Who let the time pass may wait anew, at the end of the line; a place of three is still the first.
    again = a_waiting_party(performance.id, 1, email=one.email)
    assert states(one, again) == ["cancelled", "waiting"]
    assert line.position(again) == 2


def test_whoever_gave_seats_back_or_has_booked_is_not_in_line_any_more() -> None:
    performance, (pair, other) = a_full_house(2, 2)
    taker = a_waiting_party(performance.id, 2)
    booker = a_waiting_party(performance.id, 2)
    rules.cancel(pair)
    rules.confirm(taker.id)
    rules.cancel(taker.id)  # so the second is offered them...
    assert states(taker, booker) == ["cancelled", "pending"]
    waitlist.leave(booker.id)

    # ...and one who books a single seat elsewhere is passed over, also once it is given back.
    change_capacity(performance.id, 2)
    elsewhere = a_waiting_party(performance.id, 2)
    next_one = a_waiting_party(performance.id, 2)
    change_capacity(performance.id, 3)
    booked = rules.reserve(performance.id, a_visitor(elsewhere.email), 1)
    rules.confirm(booked.id)
    assert line.position(fresh(elsewhere.id)) is None
    assert line.position(fresh(next_one.id)) == 1
    rules.cancel(booked.id)
    rules.cancel(other)
    assert states(elsewhere, next_one) == ["waiting", "pending"]
    # Who waits again is at the end of the line.
    again = a_waiting_party(performance.id, 2, email=elsewhere.email)
    assert again.id != elsewhere.id
    assert states(elsewhere, again) == ["cancelled", "waiting"]


def test_only_a_mailbox_that_was_confirmed_is_in_line() -> None:
    performance, (pair, other) = a_full_house(2, 2)
    entry = an_entry(performance.id, 1)
    assert mails(entry) == ["waitlist"]
    waitlist.join(
        performance.id, a_visitor(entry.email), 2
    )  # at once again: another number, no other mail
    assert (fresh(entry.id).seats, mails(entry)) == (2, ["waitlist"])
    rules.cancel(pair)
    assert states(entry) == ["waiting"]
    with pytest.raises(NotOffered):
        rules.confirm(entry.id)
    with pytest.raises(waitlist.SeatsAreFree):
        waitlist.join(performance.id, a_visitor(), 2)
    waitlist.take_place(entry.id)  # the seats are free meanwhile: offered at once
    assert states(entry) == ["pending"]
    assert waitlist.take_place(entry.id).is_unchanged

    late = an_entry(performance.id)
    let_lapse(late)
    offers.settle()
    assert states(late) == ["expired"]
    with pytest.raises(HoldExpired):
        waitlist.take_place(late.id)
    gone = a_waiting_party(performance.id)
    waitlist.leave(gone.id)
    assert waitlist.leave(gone.id).is_unchanged
    rules.cancel(other)
    assert states(late, gone) == ["expired", "cancelled"]


def test_an_address_learns_nothing_of_another_ones_booking() -> None:
    performance, (pair,) = a_full_house(2)
    party = fresh(pair)
    waitlist.join(performance.id, a_visitor(party.email), 1)
    assert mails(party) == ["confirm", "ticket", "existing"]
    assert line.parties_in_line(performance.id) == []


def test_seats_that_come_free_in_other_ways_are_offered() -> None:
    performance = a_performance(1)
    house = keep_back(performance.id, "Press", 1)
    waiting = [a_waiting_party(performance.id) for _ in range(4)]
    release_house_seats(house.id, 1, 1)
    assert states(*waiting) == ["pending", "waiting", "waiting", "waiting"]
    change_capacity(performance.id, 2)
    assert states(*waiting) == ["pending", "pending", "waiting", "waiting"]
    with transaction() as session:  # by psql, or the release before
        session.execute(text("UPDATE performance SET capacity = 3"))
    offers.settle()
    assert states(*waiting) == ["pending", "pending", "pending", "waiting"]
    # A lapsed hold is no way around the line, for the form neither for the box office.
    let_lapse(fresh(waiting[0].id))
    with pytest.raises(SoldOut):
        book_for(performance.id, Guest("Press", "", "en"), 1)
    assert states(*waiting) == ["waiting", "pending", "pending", "pending"]
    # Nor for whoever joins: the seat that lapsed goes to the one before.
    behind = a_waiting_party(performance.id)
    let_lapse(fresh(waiting[1].id))
    last = an_entry(performance.id)
    assert states(behind, last) == ["pending", "waiting"]
    # What came free while nobody waited is offered to whoever takes a place.
    let_lapse(fresh(waiting[2].id))
    holds.expire_lapsed_holds()
    waitlist.take_place(last.id)
    assert states(last) == ["pending"]


def test_house_seats_that_are_given_to_somebody_are_not_offered() -> None:
    performance = a_performance(2)
    house = keep_back(performance.id, "Press", 2)
    waiting = a_waiting_party(performance.id)
    book_for(performance.id, Guest("Press", "", "en"), 1, Terms(from_house=house.id))
    assert states(waiting) == ["waiting"]
    assert seats_held(performance.id) == (2, 2)


def test_nothing_is_offered_of_what_cannot_be_booked() -> None:
    closed, (first,) = a_full_house(1)
    waiting = a_waiting_party(closed.id)
    with transaction() as session:
        session.get_one(Performance, closed.id).booking_closes_at = now() - timedelta(minutes=1)
    rules.cancel(first)
    assert states(waiting) == ["waiting"]
    with pytest.raises(BookingClosed):
        waitlist.join(closed.id, a_visitor(), 1)

    hidden, (first,) = a_full_house(1)
    waiting = a_waiting_party(hidden.id)
    with transaction() as session:
        session.get_one(Performance, hidden.id).show.published = False
    rules.cancel(first)
    assert states(waiting) == ["waiting"]

    curtain = now() + timedelta(minutes=20)
    tonight = a_performance(1, starts_at=curtain, booking_closes_at=curtain)
    a_party(tonight, 1)
    waiting = a_waiting_party(tonight.id)
    release_no_shows(tonight.id)  # closes booking: the seats are for those who are there
    offers.settle()
    assert states(waiting) == ["waiting"]


def test_a_cancelled_performance_tells_those_in_line_once_and_a_moved_one_keeps_them() -> None:
    performance, (first,) = a_full_house(2)
    waiting = a_waiting_party(performance.id)
    unproven = an_entry(performance.id)
    assert move(performance.id, performance.starts_at + timedelta(hours=1)) == 2
    assert mails(waiting) == ["waitlist", "moved"]
    rules.reduce_seats(first, 1)
    offered, second = waiting, a_waiting_party(performance.id)
    assert states(offered) == ["pending"]
    # An offer ends before booking does.
    curtain = now() + timedelta(minutes=90)
    move(performance.id, curtain)
    assert (
        fresh(offered.id).hold_expires_at
        <= db.session.get_one(Performance, performance.id).booking_closes_at
    )
    assert cancel_performance(performance.id) == 3
    assert cancel_performance(performance.id) is None
    assert states(offered, second, unproven) == ["cancelled"] * 3
    assert mails(second)[-1] == "performance_cancelled"
    assert mails(unproven) == ["waitlist"]
    assert seats_held(performance.id) == (0, 0)


def test_whoever_waits_is_erased_as_every_visitor() -> None:
    performance, (first,) = a_full_house(1)
    waiting, left = a_waiting_party(performance.id), a_waiting_party(performance.id)
    waitlist.leave(left.id)
    erasure.erase_on_request(waiting.id)
    assert line.position(fresh(waiting.id)) is None
    rules.cancel(first)
    assert states(waiting) == ["waiting"], "nobody can be told"
    with transaction() as session:
        session.execute(
            text(
                "UPDATE reservation SET ended_at = now() - interval '1 year' WHERE ended_at IS NOT NULL"
            )
        )
    erasure.erase_personal_data()
    assert (fresh(left.id).name, fresh(left.id).email) == ("", "")


@contextmanager
def the_clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> Iterator[None]:
    with monkeypatch.context() as patch:
        for module in (offers, waitlist, holds, rules):
            patch.setattr(module, "now", lambda: at)
        yield


def test_an_offer_in_the_night_holds_at_once_and_is_told_in_the_morning(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    rome = ZoneInfo("Europe/Rome")
    with make_app(NIGHT_BEGINS="22", NIGHT_ENDS="8", TIME_ZONE="Europe/Rome").app_context():
        tomorrow = now().astimezone(rome) + timedelta(days=1)
        night = tomorrow.replace(hour=23, minute=0)
        morning = (tomorrow + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
        performance = a_performance(1, starts_at=night + timedelta(days=9))
        first = a_party(performance, 1)
        waiting, second = (a_waiting_party(performance.id) for _ in range(2))
        with the_clock(monkeypatch, night):
            rules.cancel(first.id)
            with pytest.raises(SoldOut):
                rules.reserve(performance.id, a_visitor(), 1)
            offers.settle()
        assert states(waiting) == ["pending"]
        assert mails(waiting) == ["waitlist"]
        assert fresh(waiting.id).offered_at == morning
        with the_clock(monkeypatch, morning + timedelta(minutes=1)):
            offers.settle()
            offers.settle()
        assert mails(waiting) == ["waitlist", "offer"]
        # Given back at night, it goes on, and in the morning only the second is told.
        with the_clock(monkeypatch, morning + timedelta(hours=15)):
            waitlist.leave(waiting.id)
            offers.settle()
            assert states(second) == ["pending"]
            assert mails(second) == ["waitlist"]
