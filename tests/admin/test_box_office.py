"""Book for somebody and house seats in the back office, as staff see and press them."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from azionelab.bookings import erasure
from azionelab.bookings.box_office.book_for import Guest, book_for
from azionelab.bookings.box_office.house_seats import keep_back
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.database import db, now
from azionelab.shows.models import Performance
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance, fresh, mails, seats_held
from tests.support.people import logged_in, press

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def performance() -> Performance:
    """An evening with seats to spare."""
    return a_performance(capacity=40)


@pytest.fixture
def office(in_app: Flask) -> FlaskClient:
    """Somebody at the box office."""
    return logged_in(in_app, "box_office")


def address(performance: Performance) -> str:
    return f"/admin/evenings/{performance.id}/book"


def send(office: FlaskClient, performance: Performance, **typed: Any) -> TestResponse:
    """Open the form, fill it in and press the button."""
    shown = fields(office.get(address(performance)).text)
    sent = {name: shown[name] for name in ("csrf_token", "request_key")}
    entries = {"name": "Ada Rossi", "email": "", "seats": "2", "how": "at_once", "locale": "it"}
    return office.post(
        address(performance), data=sent | entries | {"with_mail": "y", "from_house": ""} | typed
    )


def booked() -> Reservation:
    """The booking that there is."""
    db.session.rollback()
    return db.session.scalars(select(Reservation).where(Reservation.kind != Kind.HOUSE)).one()


def test_a_caller_without_an_address_gets_a_ticket_on_screen_and_on_paper(
    office: FlaskClient, performance: Performance
) -> None:
    answer = send(office, performance)
    assert answer.status_code == 302
    party = booked()
    assert (party.state, party.email, party.locale) == (State.CONFIRMED, "", "it")
    page = office.get(answer.location).text
    assert party.reference in page
    assert "show or print the ticket" in page
    ticket = f"/admin/evenings/{performance.id}/tickets/{party.id}"
    assert party.reference in office.get(ticket).text
    assert office.get(f"{ticket}/qr.png").mimetype == "image/png"
    assert office.get(f"{ticket}/ticket.pdf").data.startswith(b"%PDF")
    for opened in (page, office.get(ticket).text):
        assert "/bookings/" not in opened, "no address with the visitor's token"


def test_who_has_an_address_is_written_to_unless_the_box_is_empty(
    office: FlaskClient, performance: Performance
) -> None:
    send(office, performance, email="ada@example.org")
    assert mails(booked()) == ["ticket"]
    db.session.rollback()
    other = a_performance()
    shown = fields(office.get(address(other)).text)
    entries = {"name": "Ada Rossi", "email": "ada@example.org", "seats": "2", "how": "at_once"}
    sent = {name: shown[name] for name in ("csrf_token", "request_key")} | {"locale": "it"}
    office.post(address(other), data=sent | entries | {"from_house": ""})
    quiet = db.session.scalars(
        select(Reservation).where(Reservation.performance_id == other.id)
    ).one()
    assert mails(quiet) == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"name": " "}, "Please enter a name."),
        ({"email": "ada@"}, "not a valid e-mail address"),
        ({"seats": "0"}, "a number from 1 to 100"),
        ({"seats": ""}, "how many seats"),
        ({"seats": "7"}, "A party has at most 6 seats here."),
        ({"seats": "41", "limit_reason": "School"}, "Only 40 seats are free."),
        ({"how": "held"}, "until when the seats are held"),
        ({"how": "held", "held_until": "2020-01-01T10:00"}, "at the latest the curtain"),
        ({"note": "x" * 201}, "longer than 200"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(
    office: FlaskClient, performance: Performance, typed: dict[str, str], told: str
) -> None:
    answer = send(office, performance, **({"contact": "Prof. Bianchi"} | typed))
    assert answer.status_code == 422
    assert told in answer.text
    assert 'value="Prof. Bianchi"' in answer.text
    assert db.session.scalar(select(Reservation.id)) is None


def test_a_school_class_is_one_reservation_with_a_reason_and_a_contact(
    office: FlaskClient, performance: Performance
) -> None:
    send(
        office,
        performance,
        name="Liceo Volta, 3B",
        seats="27",
        limit_reason="School class",
        contact="Prof. Bianchi, 333 1234567",
        note="two wheelchairs",
    )
    party = booked()
    assert (party.seats, party.limit_reason) == (27, "School class")
    assert (party.contact, party.note) == ("Prof. Bianchi, 333 1234567", "two wheelchairs")


def test_seats_are_held_until_a_moment(office: FlaskClient, performance: Performance) -> None:
    until = now().replace(microsecond=0, second=0) + timedelta(hours=3)
    answer = send(office, performance, how="held", held_until=to_local_text(until))
    party = booked()
    assert (party.state, party.hold_expires_at) == (State.PENDING, until)
    page = office.get(answer.location).text
    assert "Held until" in page
    assert "There is a ticket once they confirm." in page


def to_local_text(moment: Any) -> str:
    """As a browser sends a local time."""
    zone = current_app.config["AZIONELAB"].time_zone
    return str(moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M"))


def test_walk_ins_at_the_desk_need_no_name(office: FlaskClient, performance: Performance) -> None:
    answer = send(office, performance, how="desk", name="", seats="3")
    party = booked()
    assert (party.kind, party.name, party.seats) == (Kind.DESK, "Walk-ins", 3)
    assert "Walk-ins" in office.get(answer.location).text


def test_a_double_is_shown_with_its_booking_and_what_can_be_done(
    office: FlaskClient, performance: Performance
) -> None:
    first = a_party(performance, 2, name="Ada Neri", email="ada@example.org")
    answer = send(office, performance, email="ada@example.org", seats="3")
    assert answer.status_code == 422
    assert "This address has a booking for this evening." in answer.text
    assert f"/admin/reservations/details/?id={first.id}" in answer.text
    assert seats_held(performance.id) == (2, 2)

    more = {"add_to": str(first.id), "add_seen": "2", "seats": "3", "email": "ada@example.org"}
    added = send(office, performance, double="add", **more)
    assert "Seats added" in office.get(added.location).text
    assert fresh(first.id).seats == 5
    again = send(office, performance, double="add", **more)
    assert again.status_code == 302
    assert fresh(first.id).seats == 5
    other = send(office, performance, double="add", **(more | {"add_seen": "4"}))
    assert "Somebody else has changed that booking" in other.text

    alone = send(office, performance, email="ada@example.org", double="without_email")
    assert alone.status_code == 302
    assert seats_held(performance.id) == (7, 7)


def test_the_same_name_is_asked_about_once(office: FlaskClient, performance: Performance) -> None:
    send(office, performance)
    asked = send(office, performance)
    assert asked.status_code == 422
    assert "Somebody of this name has a booking" in asked.text
    assert send(office, performance, double="same_name").status_code == 302
    assert seats_held(performance.id) == (4, 4)


def test_the_last_booking_is_undone_for_some_minutes(
    office: FlaskClient, performance: Performance
) -> None:
    answer = send(office, performance)
    party = booked()
    assert "/undo-booking" in office.get(answer.location).text
    undo = f"/admin/evenings/{performance.id}/undo-booking"
    assert "the seats are free again" in press(office, undo, address(performance), id=party.id).text
    assert fresh(party.id).state == State.CANCELLED
    assert "/undo-booking" not in office.get(answer.location).text
    visitors = a_party(performance)
    assert (
        "can no longer be undone" in press(office, undo, address(performance), id=visitors.id).text
    )
    assert fresh(visitors.id).state == State.CONFIRMED


def suggested(office: FlaskClient, performance: Performance, typed: str) -> list[Any]:
    shown = fields(office.get(address(performance)).text)
    found = office.post(
        f"/admin/evenings/{performance.id}/customers",
        data={"csrf_token": shown["csrf_token"], "typed": typed},
    ).json
    assert isinstance(found, list)
    return found


def test_people_who_booked_before_are_offered_while_typing(
    office: FlaskClient, performance: Performance
) -> None:
    earlier = a_performance()
    a_party(earlier, name="Maria Rossi", email="maria@example.org", locale="it")
    a_party(performance, 3, name="Rossana Neri", email="rossana@example.org")
    book_for(earlier.id, Guest("Rosalba Verdi", "", "it"), 1)
    keep_back(performance.id, "Rossini's heirs", 2)
    erased = a_party(earlier, name="Rosso Erased", email="rosso@example.org")
    erasure.erase_on_request(erased.id)
    found = suggested(office, performance, "ros")
    assert [one["name"] for one in found] == ["Rosalba Verdi", "Rossana Neri", "Maria Rossi"]
    assert "has booked this evening: 3" in found[1]["about"]
    assert (found[2]["email"], found[2]["locale"]) == ("maria@example.org", "it")
    assert [one["name"] for one in suggested(office, performance, "maria@ex")] == ["Maria Rossi"]
    for nothing in ("r", "%", "ro_", "\0ros", ""):
        assert suggested(office, performance, nothing) == []


def test_one_person_is_offered_once(office: FlaskClient, performance: Performance) -> None:
    for _ in range(3):
        a_party(a_performance(), name="Ada Rossi", email="ada@example.org")
    assert len(suggested(office, performance, "ada")) == 1


def test_the_menu_leads_to_the_next_performance(office: FlaskClient) -> None:
    nothing = office.get("/admin/book/")
    assert "nothing to book" in nothing.text
    later = a_performance(starts_at=now() + timedelta(days=3))
    soon = a_performance(starts_at=now() + timedelta(days=2))
    a_performance(starts_at=now() - timedelta(days=2))
    assert office.get("/admin/book/").location.endswith(f"/admin/evenings/{soon.id}/book")
    chosen = office.get(f"/admin/book/?performance={later.id}")
    assert chosen.location.endswith(f"/admin/evenings/{later.id}/book")


def test_house_seats_are_kept_back_given_and_released(
    office: FlaskClient, performance: Performance
) -> None:
    house = f"/admin/evenings/{performance.id}/house-seats"
    shown = fields(office.get(house).text)
    entries = {name: shown[name] for name in ("csrf_token", "request_key")}
    wrong = office.post(house, data=entries | {"note": " ", "seats": "50"})
    assert wrong.status_code == 422
    assert "Please say for whom." in wrong.text
    many = office.post(house, data=entries | {"note": "Press", "seats": "50"})
    assert "Only 40 seats are free." in many.text
    for _ in range(2):
        office.post(house, data=entries | {"note": "Press", "seats": "5"})
    assert seats_held(performance.id) == (5, 5)
    kept = db.session.scalars(select(Reservation)).one()
    page = office.get(house).text
    assert "Press" in page
    assert "until the curtain" in page

    form = office.get(f"{address(performance)}?house={kept.id}").text
    assert f'selected value="{kept.id}"' in form
    send(office, performance, from_house=str(kept.id))
    assert seats_held(performance.id) == (5, 5)
    assert booked().taken_from == kept.id

    release = f"{house}/release"
    stale = press(office, release, house, id=kept.id, seen="5", seats="2")
    assert "Nothing was released: 3 seats are kept back here." in stale.text
    done = press(office, release, house, id=kept.id, seen="3", seats="1")
    assert "1 seat is on sale again." in done.text
    assert seats_held(performance.id) == (4, 4)


def test_tickets_of_others_are_not_shown(office: FlaskClient, performance: Performance) -> None:
    other, held = a_party(a_performance()), a_party(performance, confirmed=False)
    for party in (other, held):
        ticket = f"/admin/evenings/{performance.id}/tickets/{party.id}"
        for file in ("", "/qr.png", "/ticket.pdf"):
            assert office.get(ticket + file).status_code == 404


def test_only_who_may_book_sees_the_form(in_app: Flask, performance: Performance) -> None:
    reader = logged_in(in_app, "read_only")
    assert reader.get(address(performance)).status_code == 403
    page = reader.get(f"/admin/evenings/{performance.id}").text
    assert address(performance) not in page
