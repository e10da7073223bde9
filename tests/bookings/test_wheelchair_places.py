"""Wheelchair places: a part of the house that is counted and refused by the database on its own."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from azionelab.bookings import performance_changes, rules
from azionelab.bookings.box_office import changes, groups
from azionelab.bookings.box_office.book_for import Guest, book_for
from azionelab.bookings.box_office.endings import cancel_party, reinstate_party
from azionelab.bookings.box_office.moves import move_party
from azionelab.bookings.erasure import erase_on_request, erase_personal_data
from azionelab.bookings.errors import (
    NotFewerSeats,
    PartyInside,
    ReservationChanged,
    SoldOut,
    WheelchairPlacesBelowHeld,
    WheelchairPlacesTaken,
)
from azionelab.bookings.models import Reservation
from azionelab.bookings.seats.holds import expire_lapsed_holds
from azionelab.bookings.seats.no_show_seats import release_no_shows, restore_no_shows
from azionelab.bookings.visitor_changes.evenings import swap_evening
from azionelab.bookings.visitor_changes.seats import add_seats, give_back_wheelchair_places
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.house.guests import guests
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now, transaction
from azionelab.shows.models import Performance
from azionelab.shows.runs.copies import copy_run
from azionelab.shows.runs.planning import NewShow
from azionelab.waitlist import rules as waitlist
from tests.bookings.test_pages import fields, filled
from tests.factories import (
    DOOR_A,
    a_performance,
    a_visitor,
    a_waiting_party,
    fresh,
    let_lapse,
    mails,
    seats_held,
    visitor_token,
    wheelchair_places_held,
)
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.usefixtures("in_app")


def book(performance: Performance, seats: int, wheelchair: int = 0, **visitor: Any) -> Reservation:
    made = rules.reserve(
        performance.id, a_visitor(**visitor), seats, uuid4(), wheelchair_places=wheelchair
    )
    return rules.confirm(made.id)


def held(performance: Performance) -> tuple[int, int]:
    """All seats and the wheelchair places that are held, which must be the sums of the reservations."""
    db.session.rollback()
    counted = db.session.execute(
        text("SELECT seats_held, wheelchair_held FROM performance WHERE id = :id"),
        {"id": performance.id},
    ).one()
    summed = seats_held(performance.id)[1], wheelchair_places_held(performance.id)
    assert tuple(counted) == summed
    return counted[0], counted[1]


def test_each_kind_of_place_is_sold_out_by_itself() -> None:
    performance = a_performance(capacity=4, wheelchair_places=1)
    book(performance, 2, 1)  # with a companion
    with pytest.raises(WheelchairPlacesTaken) as taken:
        book(performance, 1, 1)
    assert (taken.value.wheelchair_left, taken.value.seats_left) == (0, 2)
    book(performance, 2)
    with pytest.raises(SoldOut):
        book(performance, 1)
    assert held(performance) == (4, 1)


def test_a_free_wheelchair_place_is_no_ordinary_seat() -> None:
    performance = a_performance(capacity=2, wheelchair_places=1)
    book(performance, 1)
    with pytest.raises(SoldOut) as refusal:
        book(performance, 1)
    assert refusal.value.seats_left == 0
    book(performance, 1, 1)
    assert held(performance) == (2, 1)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE reservation SET wheelchair_places = 2", "ck_performance_wheelchair_held"),
        ("UPDATE reservation SET wheelchair_places = 0", "ck_performance_capacity_held"),
        ("UPDATE reservation SET wheelchair_places = 3", "ck_reservation_wheelchair_range"),
        ("UPDATE performance SET wheelchair_places = 0", "ck_performance_wheelchair_held"),
        ("UPDATE performance SET wheelchair_places = 2", "ck_performance_capacity_held"),
    ],
)
def test_the_database_refuses_whoever_writes(statement: str, constraint: str) -> None:
    performance = a_performance(capacity=2, wheelchair_places=1)
    book(performance, 2, 1)
    with pytest.raises(IntegrityError, match=constraint), transaction() as session:
        session.execute(text(statement))
    assert held(performance) == (2, 1)


def race_for_the_last_place(app: Flask, performance_id: int) -> list[str]:
    def attempt(_number: int) -> str:
        with app.app_context():
            try:
                made = rules.reserve(performance_id, a_visitor(), 1, uuid4(), wheelchair_places=1)
            except WheelchairPlacesTaken as refusal:
                return f"taken, {refusal.wheelchair_left} left"
            return made.state

    with ThreadPoolExecutor(4) as crowd:
        return sorted(crowd.map(attempt, range(4)))


@pytest.fixture
def told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody is told that there is a place before anybody takes it."""
    everybody = threading.Barrier(4, timeout=PATIENCE)
    check = rules.check_bookable

    def check_and_wait(*facts: Any) -> None:
        check(*facts)
        everybody.wait()

    monkeypatch.setattr(rules, "check_bookable", check_and_wait)


@pytest.mark.usefixtures("told_together")
def test_who_read_a_free_place_that_another_took_is_told_so(app: Flask) -> None:
    performance = a_performance(capacity=9, wheelchair_places=1)
    answers = race_for_the_last_place(app, performance.id)
    assert answers == ["pending"] + ["taken, 0 left"] * 3
    assert held(performance) == (1, 1)


@pytest.mark.usefixtures("told_together", "without_the_database_guard")
def test_negative_control_without_the_constraint_too_many_get_the_place(app: Flask) -> None:
    performance = a_performance(capacity=9, wheelchair_places=1)
    assert race_for_the_last_place(app, performance.id) == ["pending"] * 4
    assert held(performance) == (4, 4)


def test_places_come_free_wherever_seats_do() -> None:
    performance = a_performance(capacity=6, wheelchair_places=2)
    party = book(performance, 4, 2)
    rules.reduce_seats(
        party.id, 1
    )  # the ordinary seats are given up first, and whoever stays keeps the place
    assert held(performance) == (1, 1)
    add_seats(party.id, 3, fresh(party.id).changed_in)
    assert held(performance) == (3, 1)
    rules.cancel(party.id)
    assert held(performance) == (0, 0)
    reinstate_party(party.id, fresh(party.id).changed_in)
    assert held(performance) == (3, 1)
    lapsing = rules.reserve(performance.id, a_visitor(), 1, uuid4(), wheelchair_places=1)
    assert held(performance) == (4, 2)
    let_lapse(lapsing)
    expire_lapsed_holds()
    assert held(performance) == (3, 1)


def give_back(party: Reservation, kept: int = 0) -> None:
    give_back_wheelchair_places(party.id, kept, fresh(party.id).changed_in)


def test_a_wheelchair_place_is_given_back_alone() -> None:
    performance = a_performance(capacity=5, wheelchair_places=2)
    party = book(performance, 4, 2)
    seen = fresh(party.id).changed_in
    for _again in range(2):  # pressed twice, for want of an answer
        give_back_wheelchair_places(party.id, 1, seen)
        assert held(performance) == (3, 1)
    assert (fresh(party.id).reduced_from, mails(party)) == (4, ["confirm", "ticket", "changed"])
    with pytest.raises(ReservationChanged):
        give_back_wheelchair_places(party.id, 0, seen)
    for kept in (-1, 2):
        with pytest.raises(NotFewerSeats):
            give_back(party, kept)
    admit(performance.id, party.reference, uuid4(), DOOR_A)
    with pytest.raises(PartyInside):
        give_back(party)
    alone = book(performance, 1, 1)
    with pytest.raises(NotFewerSeats):
        give_back(alone)
    assert held(performance) == (4, 2)


def test_the_place_that_was_given_back_goes_to_who_needs_one() -> None:
    performance = a_performance(capacity=3, wheelchair_places=1)
    unconfirmed = rules.reserve(performance.id, a_visitor(), 3, uuid4(), wheelchair_places=1)
    others = a_waiting_party(performance.id)
    waiting = a_waiting_party(performance.id, wheelchair_places=1)
    give_back(unconfirmed)
    assert (fresh(others.id).state, fresh(waiting.id).state) == ("waiting", "pending")
    assert held(performance) == (3, 1)


def test_the_own_page_offers_to_give_the_place_back(client: FlaskClient) -> None:
    performance = a_performance(capacity=6, wheelchair_places=2)
    token = visitor_token(book(performance, 3, 1))
    page = client.get(f"/en/bookings/{token}").text
    assert "Give back 1 wheelchair place" in page
    address, form = f"/en/bookings/{token}/wheelchair", fields(page)
    for kept in ("", "x", "-1", "9" * 30):
        assert client.post(address, data=form | {"kept": kept}).status_code == 422
    assert client.post(address, data=form | {"kept": "2"}).status_code == 409
    answer = client.post(address, data=form | {"kept": "0"})
    page = client.get(answer.location).text
    assert "Done: your booking is now for 2 seats." in page
    assert "Give back" not in page
    assert held(performance) == (2, 0)
    # Where everybody needs such a place, fewer seats are fewer places.
    assert (
        "Give back" not in client.get(f"/en/bookings/{visitor_token(book(performance, 2, 2))}").text
    )


def test_a_party_may_choose_an_evening_with_wheelchair_places_alone(client: FlaskClient) -> None:
    performance = a_performance(capacity=2, wheelchair_places=1)
    party = book(performance, 1, 1)
    there = a_performance(capacity=2, wheelchair_places=1, show=performance.show)
    book(there, 1)
    page = client.get(f"/en/bookings/{visitor_token(party)}").text
    assert f'value="{there.id}"' in page
    assert "1 wheelchair place</option>" in page
    swap_evening(party.id, there.id, fresh(party.id).changed_in)
    assert (held(performance), held(there)) == ((0, 0), (2, 1))


def test_staff_change_split_merge_and_move_them() -> None:
    performance = a_performance(capacity=6, wheelchair_places=2)
    elsewhere = a_performance(capacity=6, wheelchair_places=1)
    party = book(performance, 3, 1)
    seen = fresh(party.id)
    wanted = changes.PartyEntries(seen.name, seen.email, seen.locale, 3, "", 2)
    changes.change_party(party.id, wanted, seen.changed_in)
    assert held(performance) == (3, 2)
    split = groups.split_party(party.id, 2, fresh(party.id).changed_in, name="Bruno", email="")
    assert split.other_id is not None
    assert (fresh(party.id).wheelchair_places, fresh(split.other_id).wheelchair_places) == (1, 1)
    with pytest.raises(WheelchairPlacesTaken):
        book(performance, 1, 1)
    move_party(split.other_id, elsewhere.id, fresh(split.other_id).changed_in)
    assert (held(performance), held(elsewhere)) == ((1, 1), (2, 1))
    with pytest.raises(WheelchairPlacesTaken):
        move_party(party.id, elsewhere.id, fresh(party.id).changed_in)
    other = book(performance, 2, 1)
    groups.merge_parties(party.id, other.id, fresh(party.id).changed_in)
    assert fresh(party.id).wheelchair_places == 2
    cancel_party(party.id, fresh(party.id).changed_in)
    assert held(performance) == (0, 0)


def test_the_box_office_books_them_and_house_seats_are_none() -> None:
    performance = a_performance(capacity=3, wheelchair_places=1)
    book_for(performance.id, Guest("Ada", "", "it"), 2, wheelchair_places=1)
    with pytest.raises(WheelchairPlacesTaken):
        book_for(performance.id, Guest("Bea", "", "it"), 1, wheelchair_places=1)
    assert held(performance) == (2, 1)


def test_released_seats_come_back_with_the_wheelchair_place_first() -> None:
    performance = a_performance(capacity=3, wheelchair_places=1)
    book(performance, 2, 1)
    with transaction() as session:
        session.execute(text("UPDATE performance SET starts_at = now() + interval '5 minutes'"))
    release_no_shows(performance.id)
    assert held(performance) == (0, 0)
    book_for(performance.id, Guest("Ada", "", "it"), 2)  # all ordinary seats
    assert restore_no_shows(performance.id).places == 1
    assert held(performance) == (3, 1)


def test_staff_cannot_take_away_what_is_held() -> None:
    performance = a_performance(capacity=4, wheelchair_places=2)
    book(performance, 1, 1)

    def none(changed: Performance) -> None:
        changed.wheelchair_places = 0

    with pytest.raises(WheelchairPlacesBelowHeld) as refusal:
        performance_changes.change_performance(performance.id, none)
    assert refusal.value.held == 1


def test_a_place_that_comes_free_is_offered_to_the_first_who_needs_it() -> None:
    performance = a_performance(capacity=3, wheelchair_places=1)
    first, second = book(performance, 2), book(performance, 1, 1)

    def waits(wheelchair: int) -> Reservation:
        who = a_visitor()
        waitlist.join(performance.id, who, 1, wheelchair_places=wheelchair)
        entry = db.session.query(Reservation).filter_by(email=who.email).one()
        return waitlist.take_place(entry.id)

    ordinary, wheelchair = waits(0), waits(1)
    rules.cancel(second.id)
    assert (fresh(ordinary.id).state, fresh(wheelchair.id).state) == ("waiting", "pending")
    rules.cancel(first.id)
    assert fresh(ordinary.id).state == "pending"


def test_erasure_keeps_a_figure_and_no_person() -> None:
    performance = a_performance(capacity=3, wheelchair_places=1)
    party = book(performance, 3, 1)
    with transaction() as session:
        session.execute(
            text(
                "UPDATE performance SET starts_at = :past, booking_opens_at = :past - interval '9 days',"
                " booking_closes_at = :past"
            ),
            {"past": now().replace(year=2020, month=2, day=2)},
        )
    assert erase_personal_data() == 1
    erased = fresh(party.id)
    assert (erased.name, erased.wheelchair_places) == ("", 0)
    kept = db.session.get_one(Performance, performance.id)
    assert (kept.seats_held, kept.wheelchair_held) == (3, 1)
    assert erase_personal_data() == 0


def test_whoever_is_erased_before_the_evening_keeps_the_place_until_then() -> None:
    performance = a_performance(capacity=2, wheelchair_places=1)
    party = book(performance, 2, 1)
    erase_on_request(party.id)
    with transaction() as session:
        session.execute(
            text("UPDATE reservation SET erasure_requested_at = now() - interval '9 days'")
        )
    erase_personal_data()
    assert fresh(party.id).wheelchair_places == 1
    assert held(performance) == (2, 1)
    with transaction() as session:
        session.execute(
            text(
                "UPDATE performance SET starts_at = :past, booking_opens_at = :past - interval '9 days',"
                " booking_closes_at = :past"
            ),
            {"past": now().replace(year=2020, month=2, day=2)},
        )
    erase_personal_data()
    assert fresh(party.id).wheelchair_places == 0


def form_of(client: FlaskClient, performance: Performance) -> str:
    return client.get(f"/en/performances/{performance.id}/book").text


def test_the_form_asks_only_where_there_are_such_places(client: FlaskClient) -> None:
    without = a_performance()
    assert 'name="wheelchair_places"' not in form_of(client, without)
    performance = a_performance(capacity=5, wheelchair_places=2)
    page = form_of(client, performance)
    assert 'name="wheelchair_places"' in page
    assert "2 wheelchair places left" in page


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "All wheelchair places of this performance are taken."),
        ("it", "I posti per sedia a rotelle di questa replica sono tutti occupati."),
    ],
)
def test_the_form_says_when_only_these_places_are_taken(
    client: FlaskClient, language: str, told: str
) -> None:
    performance = a_performance(capacity=5, wheelchair_places=1)
    address = f"/{language}/performances/{performance.id}/book"

    def press(email: str) -> TestResponse:
        entries = filled(client.get(address).text, email=email, wheelchair_places="1")
        return client.post(address, data=entries)

    answer = press("a@example.org")
    assert answer.status_code == 303
    asked = {"en": "2 seats, 1 of them a wheelchair place", "it": "di cui 1 per sedia a rotelle"}
    assert asked[language] in client.get(answer.location).text
    answer = press("b@example.org")
    assert answer.status_code == 409
    assert told in answer.text
    assert held(performance) == (2, 1)


def test_a_house_that_is_full_but_for_these_places_can_be_booked_by_who_needs_one(
    client: FlaskClient,
) -> None:
    performance = a_performance(capacity=2, wheelchair_places=1)
    book(performance, 1)
    assert "Sold out but for wheelchair places" in form_of(client, performance)
    address = f"/en/performances/{performance.id}/book"
    told = []
    for places in ("0", "2", "1"):
        page = form_of(client, performance)
        entries = filled(page, seats="1", wheelchair_places=places)
        told.append(client.post(address, data=entries).status_code)
    assert told == [409, 422, 303]


def test_lists_say_when_only_these_places_are_left(client: FlaskClient) -> None:
    performance = a_performance(capacity=3, wheelchair_places=1)
    book(performance, 2)
    told = "Sold out but for wheelchair places"
    show = client.get(f"/en/shows/{performance.show.slug}").text
    assert '"availability": "https://schema.org/LimitedAvailability"' in show
    for page in (client.get("/en/").text, show, client.get("/en/embed").text):
        assert told in page
        assert f"/en/performances/{performance.id}/book" in page
        assert f"/en/performances/{performance.id}/waitlist" in page
    month = client.get("/en/?view=calendar").text
    assert told in month
    assert f"/en/performances/{performance.id}/book" in month
    # The notice says what the card beside the form says.
    form = form_of(client, performance)
    address = f"/en/performances/{performance.id}/book"
    for seats, places in ((1, 0), (2, 1)):
        refused = client.post(
            address, data=filled(form, seats=str(seats), wheelchair_places=places)
        )
        assert refused.status_code in (409, 422)
        assert "This performance is sold out." not in refused.text
    book(performance, 1, 1)
    show = client.get(f"/en/shows/{performance.show.slug}").text
    assert told not in show
    assert "https://schema.org/SoldOut" in show
    assert "This performance is sold out." in form_of(client, performance)


def test_programs_book_them_and_learn_what_is_left(client: FlaskClient) -> None:
    performance = a_performance(capacity=5, wheelchair_places=1)
    address = f"/api/v1/performances/{performance.id}/reservations"

    def ask(seats: int, places: int) -> tuple[int, str]:
        entries = {"name": "Ada", "email": a_visitor().email, "seats": seats, "consent": True}
        answer = client.post(address, json=entries | {"wheelchair_places": places})
        return answer.status_code, answer.json.get("type", "").rpartition("/")[2]

    assert ask(1, 2) == (422, "invalid-fields")
    assert ask(2, 1)[0] == 202
    assert ask(1, 1) == (409, "wheelchair-places-taken")
    shown = client.get(f"/api/v1/performances/{performance.id}").json
    assert (shown["seats_left"], shown["wheelchair_left"]) == (3, 0)


def test_the_door_is_told_of_them() -> None:
    performance = a_performance(capacity=5, wheelchair_places=1)
    party = book(performance, 2, 1)
    (guest,) = guests(performance.id)
    assert guest.wheelchair_places == 1
    counts = house_counts([performance.id])[performance.id]
    assert (counts.free, counts.wheelchair_free) == (3, 0)
    verdict = admit(performance.id, party.reference, uuid4(), DOOR_A)
    assert verdict.party is not None
    assert (verdict.people, verdict.party.wheelchair_places) == (2, 1)


def test_a_copied_run_keeps_the_number() -> None:
    performance = a_performance(capacity=5, wheelchair_places=2)
    show = db.session.get_one(Performance, performance.id).show
    (copied,) = copy_run(show, NewShow("Copy", "copy"), now().date())
    assert (copied.capacity, copied.wheelchair_places) == (5, 2)


def test_the_form_offers_what_is_left_and_the_waitlist_where_it_helps(client: FlaskClient) -> None:
    performance = a_performance(capacity=40, wheelchair_places=2)
    address = f"/en/performances/{performance.id}/book"
    join = f"/en/performances/{performance.id}/waitlist"

    def offered(page: str) -> list[str]:
        field = page.partition('name="wheelchair_places"')[2].partition("</select>")[0]
        return re.findall('value="(.)"', field)

    page = client.get(address).text
    assert offered(page) == ["0", "1", "2"]
    assert join not in page
    book(performance, 1, 1)
    refused = client.post(address, data=filled(page, wheelchair_places="2"))
    assert (refused.status_code, offered(refused.text)) == (409, ["0", "1"])
    assert "more wheelchair places than are left?" in client.get(address).text
    book(performance, 1, 1)
    page = client.get(address).text
    assert offered(page) == []
    assert "Do you need a wheelchair place?" in page
    assert join in page
    assert "More of you than" not in page
