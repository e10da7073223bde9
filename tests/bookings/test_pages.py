"""The visitor's pages, as a browser meets them."""

import html
import io
import re
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import flask_migrate
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text
from werkzeug.test import TestResponse

from azionelab.bookings import performance_changes, rules
from azionelab.bookings.hand_over.mail import make_friend_token
from azionelab.bookings.mails.my_bookings import MY_BOOKINGS
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.people.own_data import MY_DATA
from azionelab.bookings.reminders.unsubscribing import make_unsubscribe_token
from azionelab.bookings.seats.no_show_seats import release_no_shows
from azionelab.bookings.tickets.signing import write_ticket
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now
from azionelab.mail.models import Mail, MailKind
from azionelab.queue.lines import find_line, open_line
from azionelab.queue.places import join, place_token
from azionelab.web.dates import format_time
from bare_machine import embedded_postgres
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    an_entry,
    an_offer,
    fresh,
    let_lapse,
    mails,
    seats_held,
    ticket_token,
    visitor_token,
)

pytestmark = pytest.mark.usefixtures("in_app")
ENGLISH = {"Accept-Language": "en"}
# Zero-width, directions, soft hyphen, no-break and wide spaces, variation selector, Hangul filler, Braille.
UNSEEN = [
    "\u200b",
    "\u200d\u2060",
    "\u202e \u202c",
    "\xad",
    "\xa0\u3000",
    "\ufe0f",
    "\u3164",
    "\u2800",
]


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and value:
            found[name[1]] = html.unescape(value[1])
    return found


def filled(page: str, **typed: Any) -> dict[str, Any]:
    """A booking form as a visitor sends it."""
    visitor = {"name": "Ada Rossi", "email": "ada@example.org", "seats": "2", "consent": "y"}
    return fields(page) | visitor | typed


def offered(page: str) -> list[str]:
    """The numbers of seats that a page's form offers."""
    return re.findall(r'<option[^>]*value="(\d+)"', page)


def open_form(client: FlaskClient, performance_id: int) -> str:
    answer = client.get(f"/performances/{performance_id}/book", headers=ENGLISH)
    assert answer.status_code == 200
    return answer.text


def bookings() -> list[Reservation]:
    db.session.rollback()
    return list(db.session.scalars(select(Reservation)))


def test_a_visitor_books_and_is_sent_to_the_inbox(client: FlaskClient) -> None:
    performance = a_performance()
    page = open_form(client, performance.id)
    answer = client.post(f"/performances/{performance.id}/book", data=filled(page))
    assert answer.status_code == 303
    assert client.get(answer.location).status_code == 200
    (reservation,) = bookings()
    assert (reservation.name, reservation.seats, reservation.state) == ("Ada Rossi", 2, "pending")


def test_a_form_sent_twice_makes_one_booking_and_one_mail(client: FlaskClient) -> None:
    performance = a_performance()
    form = filled(open_form(client, performance.id))
    for _ in range(3):
        answer = client.post(f"/performances/{performance.id}/book", data=form)
        assert answer.status_code == 303
    assert len(bookings()) == 1
    assert db.session.scalars(select(Mail.kind)).all() == [MailKind.CONFIRM]


def test_a_stranger_cannot_tell_that_an_address_has_booked(client: FlaskClient) -> None:
    performance = a_performance()
    a_party(performance, email="ada@example.org")

    def answer_to(address: str) -> tuple[int, str, str]:
        page = open_form(client, performance.id)
        answer = client.post(
            f"/performances/{performance.id}/book", data=filled(page, email=address)
        )
        shown = client.get(answer.location).text
        assert address in shown
        # A form's token tells the second in which it was shown.
        told = shown.replace(fields(shown)["csrf_token"], "TOKEN").replace(address, "ADDRESS")
        return answer.status_code, answer.location, told

    assert answer_to("ada@example.org") == answer_to("never.seen@example.org")


def test_the_inbox_page_shows_what_was_asked_for_to_who_asked_it(
    app: Flask, client: FlaskClient
) -> None:
    performance, other = a_performance(), a_performance()
    form = filled(open_form(client, performance.id), email="o'neil+x@example.org", seats="3")
    answer = client.post(f"/performances/{performance.id}/book", data=form, headers=ENGLISH)
    assert answer.location == f"/en/performances/{performance.id}/received"
    shown = client.get(answer.location, headers=ENGLISH).text
    assert "<bdi>o&#39;neil+x@example.org</bdi>" in shown
    assert "3 seats" in shown
    assert "within 30 minutes. We hold the seats until then" in shown
    elsewhere = client.get(f"/performances/{other.id}/received", headers=ENGLISH)
    stranger = app.test_client().get(answer.location, headers=ENGLISH)
    for page in (elsewhere, stranger):
        assert page.status_code == 200
        assert "example.org" not in page.text
        assert "3 seats" not in page.text
        assert "within 30 minutes. We hold the seats until then" in page.text


def test_the_browser_forgets_the_address_when_the_booking_is_confirmed(client: FlaskClient) -> None:
    performance = a_performance()
    form = filled(open_form(client, performance.id))
    inbox = client.post(f"/performances/{performance.id}/book", data=form).location
    (reservation,) = bookings()
    confirming = f"/bookings/confirm/{visitor_token(reservation)}"
    page = client.get(confirming).text
    assert "ada@example.org" in client.get(inbox).text
    client.post(confirming, data=fields(page) | {"coming": "y"})
    assert "ada@example.org" not in client.get(inbox).text


def test_the_browser_forgets_the_address_when_the_hold_is_over(client: FlaskClient) -> None:
    performance = a_performance()
    form = filled(open_form(client, performance.id))
    inbox = client.post(f"/performances/{performance.id}/book", data=form, headers=ENGLISH).location
    assert "ada@example.org" in client.get(inbox).text
    with client.session_transaction() as session:
        assert 0 < session["asked_for"]["until"] - now().timestamp() <= 30 * 60
        session["asked_for"] = session["asked_for"] | {"until": now().timestamp()}
    page = client.get(inbox)
    assert page.status_code == 200
    assert "ada@example.org" not in page.text
    for what in ("address", "resend"):
        answer = client.post(f"{inbox}/{what}", data={"email": "b@example.org"}, headers=ENGLISH)
        assert answer.status_code == 409
        assert "too late to change this request" in answer.text


def test_public_pages_know_nothing_of_what_was_asked_for(client: FlaskClient) -> None:
    performance = a_performance()
    form = filled(open_form(client, performance.id))
    client.post(f"/performances/{performance.id}/book", data=form)
    for address in ("/", f"/shows/{performance.show.slug}"):
        page = client.get(address)
        assert "ada@example.org" not in page.text
        assert "Set-Cookie" not in page.headers
        assert "Cookie" not in page.headers.get("Vary", "")


def test_a_booking_says_for_how_many(client: FlaskClient) -> None:
    performance = a_performance()
    form = filled(open_form(client, performance.id))
    del form["seats"]
    answer = client.post(f"/performances/{performance.id}/book", data=form, headers=ENGLISH)
    assert answer.status_code == 422
    assert bookings() == []


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        *(({"name": unseen}, "name") for unseen in UNSEEN),
        ({"name": "Ada\0Rossi"}, "name"),
        ({"name": "Ada\r\nBcc: x@example.org"}, "name"),
        ({"email": ""}, "email"),
        ({"email": "ada"}, "email"),
        ({"email": "ada@example.org\0"}, "email"),
        ({"email": "a" * 250 + "@example.org"}, "email"),
        ({"seats": "0"}, "seats"),
        ({"seats": "-1"}, "seats"),
        ({"seats": "1e9"}, "seats"),
        ({"seats": "1000000000"}, "seats"),
        ({"seats": "two"}, "seats"),
        ({"seats": ""}, "seats"),
        ({"consent": ""}, "consent"),
    ],
)
def test_bad_input_is_named_and_nothing_typed_is_lost(
    client: FlaskClient, typed: dict[str, str], field: str
) -> None:
    performance = a_performance()
    page = open_form(client, performance.id)
    if typed == {"consent": ""}:
        form = {k: v for k, v in filled(page).items() if k != "consent"}
    else:
        form = filled(page, **typed)
    answer = client.post(f"/performances/{performance.id}/book", data=form, headers=ENGLISH)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    kept = {"name": "Ada Rossi", "email": "ada@example.org"}
    for name, value in kept.items():
        if name != field:
            assert f'value="{value}"' in answer.text
    assert bookings() == []


@pytest.mark.parametrize(
    "name", ["محمد علي", "李小龍", "Zoë 🎭 O'Brien", "<b>Ada</b>", "x" * 120, "नी\u200dना"]
)
def test_any_script_is_a_name(client: FlaskClient, name: str) -> None:
    performance = a_performance()
    page = open_form(client, performance.id)
    answer = client.post(f"/performances/{performance.id}/book", data=filled(page, name=name))
    assert answer.status_code == 303
    (reservation,) = bookings()
    assert reservation.name == name
    shown = client.get(f"/bookings/{visitor_token(reservation)}").text
    assert html.escape(name, quote=False).replace("'", "&#39;") in shown


def test_who_consents_is_told_how_long_and_by_whom(make_app: Callable[..., Flask]) -> None:
    performance = a_performance()
    told = make_app(
        RETENTION_DAYS="12",
        PRIVACY_URL="https://www.theatre.example/privacy?lang=it&v=2",
        CONTACT_EMAIL="box@theatre.example",
    )
    page = open_form(told.test_client(), performance.id)
    consent, footer = page.split("</form>")[0], page.split("<footer")[1]
    assert "We delete both 12 days after the performance" in consent
    for part in (consent, footer, told.test_client().get("/").text):
        assert 'href="https://www.theatre.example/privacy?lang=it&amp;v=2"' in part
        assert 'href="mailto:box@theatre.example"' in part
    silent = open_form(make_app().test_client(), performance.id)
    assert "mailto:" not in silent
    assert re.search(r'href="[^"]*/en/privacy">Privacy</a>', silent)


def test_a_theatre_without_a_notice_of_its_own_has_one_from_its_settings(
    make_app: Callable[..., Flask],
) -> None:
    told = make_app(
        DATA_CONTROLLER="Associazione Teatro <Comunale>, Via Mazzini 5",
        CONTACT_EMAIL="box@theatre.example",
        RETENTION_DAYS="12",
        UNCONFIRMED_RETENTION_DAYS="1",
    ).test_client()
    english, italian = (told.get(f"/{language}/privacy").text for language in ("en", "it"))
    for page in (english, italian):
        assert "Associazione Teatro &lt;Comunale&gt;, Via Mazzini 5" in page
        assert "mailto:box@theatre.example" in page
    assert "until 12 days after the performance" in english
    assert "until 1 day after it expired" in english
    assert "fino a 12 giorni dopo lo spettacolo" in italian
    assert "there is no banner" in english
    assert told.get("/en/privacy").headers.getlist("Set-Cookie") == []


def test_forms_name_how_long_names_are_kept(make_app: Callable[..., Flask]) -> None:
    told = make_app(RETENTION_DAYS="12", UNCONFIRMED_RETENTION_DAYS="1").test_client()
    performance = a_performance().id
    booking, waiting = (
        told.get(f"/en/performances/{performance}/{form}").text for form in ("book", "waitlist")
    )
    assert (
        "12 days after the performance or, if the booking is cancelled, 12 days after that."
        in booking
    )
    assert "If you do not confirm the booking, we delete them 1 day after it expires." in booking
    assert "12 days after the performance." in waiting
    assert "do not confirm from our e-mail, we delete them 1 day after that." in waiting


def test_a_form_left_open_keeps_what_was_typed_and_needs_one_more_press(
    app: Flask, client: FlaskClient
) -> None:
    performance = a_performance()
    stale = filled(open_form(client, performance.id), csrf_token="0.stale.token")
    answer = client.post(f"/performances/{performance.id}/book", data=stale, headers=ENGLISH)
    assert answer.status_code == 422
    assert "submit them again" in answer.text
    assert 'value="Ada Rossi"' in answer.text
    assert bookings() == []
    assert fields(answer.text)["request_key"] == stale["request_key"]
    again = client.post(f"/performances/{performance.id}/book", data=filled(answer.text))
    assert again.status_code == 303
    assert len(bookings()) == 1


def test_a_browser_that_lost_its_session_needs_one_more_press(
    app: Flask, client: FlaskClient
) -> None:
    performance = a_performance()
    form = filled(open_form(client, performance.id))
    newcomer = app.test_client()
    answer = newcomer.post(f"/performances/{performance.id}/book", data=form, headers=ENGLISH)
    assert "submit them again" in answer.text
    again = newcomer.post(f"/performances/{performance.id}/book", data=filled(answer.text))
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"starts_at": timedelta(hours=-1)}, "has begun"),
        ({"booking_closes_at": timedelta(seconds=-1)}, "closed"),
        ({"booking_opens_at": timedelta(hours=2)}, "Booking opens on"),
        ({"cancelled_at": timedelta(0)}, "cancelled"),
        ({"capacity": 0}, "sold out"),
    ],
)
def test_what_cannot_be_booked_says_why_and_offers_another(
    client: FlaskClient, facts: dict[str, Any], words: str
) -> None:
    moments = {k: now() + v if isinstance(v, timedelta) else v for k, v in facts.items()}
    closed = a_performance(**moments)
    other = a_performance()
    page = client.get(f"/performances/{closed.id}/book", headers=ENGLISH)
    assert page.status_code == 200
    assert words in page.text
    assert "<form" not in page.text.split("<main")[1]
    assert f"/performances/{other.id}/book" in page.text
    form = filled(open_form(client, other.id))
    answer = client.post(f"/performances/{closed.id}/book", data=form, headers=ENGLISH)
    assert answer.status_code == 409
    assert words in answer.text
    assert bookings() == []


def test_asking_for_more_than_is_left_keeps_the_form_and_says_how_many(client: FlaskClient) -> None:
    performance = a_performance(capacity=3)
    a_party(performance, 2)
    page = open_form(client, performance.id)
    answer = client.post(
        f"/performances/{performance.id}/book", data=filled(page, seats="2"), headers=ENGLISH
    )
    assert answer.status_code == 409
    assert "Only 1 seat is left" in answer.text
    assert 'value="Ada Rossi"' in answer.text
    assert offered(answer.text) == ["1"]


def test_no_more_seats_are_offered_than_are_left(client: FlaskClient) -> None:
    performance = a_performance(capacity=5, party_limit=4)
    assert offered(open_form(client, performance.id)) == ["1", "2", "3", "4"]
    a_party(performance, 3)
    page = open_form(client, performance.id)
    assert offered(page) == ["1", "2"]
    # Seats may come back while the form is open: what is refused is what cannot be had.
    a_party(performance, 1)
    answer = client.post(
        f"/performances/{performance.id}/book",
        data=filled(page, seats="4", consent=""),
        headers=ENGLISH,
    )
    assert answer.status_code == 422
    assert offered(answer.text) == ["1"]


@pytest.mark.parametrize("number", ["0", "999999", "99999999999999999999", "-1", "x"])
def test_an_unknown_performance_is_not_found(client: FlaskClient, number: str) -> None:
    assert client.get(f"/performances/{number}/book").status_code == 404


def test_an_unpublished_performance_is_not_found(client: FlaskClient) -> None:
    assert client.get(f"/performances/{a_performance(published=False).id}/book").status_code == 404


def test_a_huge_body_and_a_wrong_content_type_are_refused_in_words(client: FlaskClient) -> None:
    performance = a_performance()
    address = f"/performances/{performance.id}/book"
    huge = client.post(address, data={"name": "x" * 1_000_000}, headers=ENGLISH)
    assert huge.status_code == 413
    assert "too large" in huge.text
    wrong = client.post(address, json={"name": "Ada"}, headers=ENGLISH)
    assert wrong.status_code == 415
    assert "The request failed" in wrong.text
    assert bookings() == []


@pytest.mark.parametrize("field", ["name", "email", "seats", "consent", "request_key"])
def test_a_file_is_no_text(client: FlaskClient, field: str) -> None:
    performance = a_performance()
    form = filled(open_form(client, performance.id))
    form[field] = (io.BytesIO(b"y"), "a.txt")
    address = f"/performances/{performance.id}/book"
    answer = client.post(address, data=form, headers=ENGLISH, content_type="multipart/form-data")
    assert answer.status_code == 400
    assert "The request failed" in answer.text
    assert bookings() == []


@pytest.mark.parametrize(
    ("seats", "words"), [("7", "from 1 to 6"), ("0", "from 1 to 6"), ("two", "from 1 to 6")]
)
def test_a_number_of_seats_that_cannot_be_is_told_in_the_visitors_words(
    client: FlaskClient, seats: str, words: str
) -> None:
    performance = a_performance(party_limit=6)
    form = filled(open_form(client, performance.id), seats=seats)
    answer = client.post(f"/performances/{performance.id}/book", data=form, headers=ENGLISH)
    assert words in answer.text
    for library in ("choice", "coerce"):
        assert library not in answer.text.casefold()


def test_a_box_that_says_no_is_no_yes(client: FlaskClient) -> None:
    performance = a_performance()
    form = filled(open_form(client, performance.id), consent="false")
    address = f"/performances/{performance.id}/book"
    assert client.post(address, data=form, headers=ENGLISH).status_code == 422
    assert bookings() == []
    held, sure = a_party(performance, confirmed=False), a_party(performance)
    for path, box, party in (
        (f"/bookings/confirm/{visitor_token(held)}", "coming", held),
        (f"/bookings/{visitor_token(sure)}/cancel", "sure", sure),
    ):
        sent = fields(client.get(path).text) | {box: "false"}
        answer = client.post(path, data=sent, headers=ENGLISH)
        assert answer.status_code == 422
        assert "tick the box" in answer.text
        assert fresh(party.id).state == party.state


def test_the_mails_link_shows_and_the_button_confirms(client: FlaskClient) -> None:
    reservation = a_party(a_performance(), confirmed=False)
    address = f"/bookings/confirm/{visitor_token(reservation)}"
    page = client.get(address, headers=ENGLISH)
    assert page.status_code == 200
    assert f'href="/en/bookings/{visitor_token(reservation)}"' in page.text
    assert fresh(reservation.id).state == State.PENDING
    answer = client.post(address, data=fields(page.text) | {"coming": "y"})
    assert answer.status_code == 303
    assert fresh(reservation.id).state == State.CONFIRMED


def test_a_scanner_that_submits_the_form_as_it_finds_it_confirms_nothing(
    client: FlaskClient,
) -> None:
    reservation = a_party(a_performance(), confirmed=False)
    address = f"/bookings/confirm/{visitor_token(reservation)}"
    answer = client.post(address, data=fields(client.get(address).text), headers=ENGLISH)
    assert answer.status_code == 422
    assert "tick the box" in answer.text
    assert fresh(reservation.id).state == State.PENDING


def test_a_used_link_leads_to_the_booking(client: FlaskClient) -> None:
    reservation = a_party(a_performance())
    token = visitor_token(reservation)
    page = client.get(f"/bookings/confirm/{token}")
    assert page.status_code == 200
    assert f"/bookings/{token}" in page.text


def test_a_late_press_is_told_kindly(client: FlaskClient) -> None:
    reservation = a_party(a_performance(), confirmed=False)
    address = f"/bookings/confirm/{visitor_token(reservation)}"
    form = fields(client.get(address).text) | {"coming": "y"}
    let_lapse(reservation)
    answer = client.post(address, data=form, headers=ENGLISH)
    assert answer.status_code == 409
    assert "time to confirm has passed" in answer.text
    assert client.get(address).status_code == 200


def test_cancelling_takes_a_second_deliberate_step(client: FlaskClient) -> None:
    performance = a_performance()
    reservation = a_party(performance, 3)
    address = f"/bookings/{visitor_token(reservation)}/cancel"
    page = client.get(address, headers=ENGLISH)
    assert client.post(address, data=fields(page.text)).status_code == 422
    assert fresh(reservation.id).state == State.CONFIRMED
    answer = client.post(address, data=fields(page.text) | {"sure": "y"})
    assert answer.status_code == 303
    assert fresh(reservation.id).state == State.CANCELLED
    assert seats_held(performance.id) == (0, 0)
    assert client.get(answer.location).status_code == 200


def test_a_hold_whose_time_is_over_is_changed_no_more(client: FlaskClient) -> None:
    reservation = a_party(a_performance(), 3, confirmed=False)
    token = visitor_token(reservation)
    form = fields(client.get(f"/bookings/{token}", headers=ENGLISH).text)
    let_lapse(reservation)  # and no worker has marked it yet
    page = client.get(f"/bookings/{token}/cancel", headers=ENGLISH)
    assert "There is nothing to cancel" in page.text
    client.post(f"/bookings/{token}/cancel", data=form | {"sure": "y"})
    answer = client.post(f"/bookings/{token}/seats", data=form | {"seats": "1"}, headers=ENGLISH)
    assert answer.status_code == 409
    assert "The time to confirm has passed" in answer.text
    left = fresh(reservation.id)
    assert (left.state, left.seats) == (State.PENDING, 3)
    assert [mail.kind for mail in db.session.scalars(select(Mail))] == [MailKind.CONFIRM]


def test_fewer_and_more_seats(client: FlaskClient) -> None:
    performance = a_performance(capacity=9, party_limit=6)
    reservation = a_party(performance, 4)
    token = visitor_token(reservation)
    address = f"/bookings/{token}/seats"
    page = client.get(f"/bookings/{token}", headers=ENGLISH).text
    assert offered(page) == ["1", "2", "3", "5", "6"]
    assert re.findall(r'<option selected value="(\d*)"', page) == [""]
    assert "we cannot promise that you will get them back" in page
    assert "More: 5 seats are left." in page
    form = fields(page)
    for seats in ("0", "-1", "two", "", "1000", "9" * 30):
        answer = client.post(address, data=form | {"seats": seats}, headers=ENGLISH)
        assert answer.status_code == 422
        assert "choose another number" in answer.text
    answer = client.post(address, data=form | {"seats": "7"}, headers=ENGLISH)
    assert answer.status_code == 409
    assert "at most 6 seats" in answer.text
    for wanted in (2, 5):
        form = fields(client.get(f"/bookings/{token}", headers=ENGLISH).text)
        for _again in range(2):  # pressed twice, for want of an answer
            answer = client.post(address, data=form | {"seats": str(wanted)}, headers=ENGLISH)
            assert answer.status_code == 303
            assert fresh(reservation.id).seats == wanted
        done = f"Done: your booking is now for {wanted} seats."
        assert done in client.get(answer.location, headers=ENGLISH).text
        assert done not in client.get(answer.location, headers=ENGLISH).text
    assert mails(reservation) == ["confirm", "ticket", "changed", "changed"]
    a_party(performance, 4)
    page = client.get(f"/bookings/{token}", headers=ENGLISH).text
    assert "More: no seats are left at the moment." in page
    assert offered(page) == ["1", "2", "3", "4"]
    answer = client.post(address, data=fields(page) | {"seats": "6"}, headers=ENGLISH)
    assert (answer.status_code, fresh(reservation.id).seats) == (409, 5)
    assert "This performance is sold out." in answer.text


def test_who_has_not_confirmed_may_only_have_fewer_seats(client: FlaskClient) -> None:
    reservation = a_party(a_performance(), 3, confirmed=False)
    token = visitor_token(reservation)
    page = client.get(f"/bookings/{token}", headers=ENGLISH).text
    assert offered(page) == ["1", "2"]
    assert "confirm your booking first" in page
    more = fields(page) | {"seats": "4"}
    answer = client.post(f"/bookings/{token}/seats", data=more, headers=ENGLISH)
    assert (answer.status_code, fresh(reservation.id).seats) == (409, 3)
    assert "Please confirm the booking first." in answer.text


def test_the_seats_in_two_tabs(client: FlaskClient) -> None:
    reservation = a_party(a_performance(), 6)
    token = visitor_token(reservation)
    address = f"/bookings/{token}/seats"
    old = fields(client.get(f"/bookings/{token}", headers=ENGLISH).text)
    client.post(address, data=old | {"seats": "4"})
    refused = client.post(address, data=old | {"seats": "2"}, headers=ENGLISH)
    assert refused.status_code == 409
    assert "it is now for 4 seats" in refused.text
    more = client.post(address, data=old | {"seats": "5"}, headers=ENGLISH)
    assert more.status_code == 409
    assert "This booking was changed in the meantime" in more.text
    assert fresh(reservation.id).seats == 4
    refused = client.post(address, data=old | {"seats": "2"}, headers=ENGLISH)
    assert '<option selected value="2">' in refused.text
    without = {name: value for name, value in old.items() if name not in ("shown", "version")}
    for seats in ("2", "5"):
        assert client.post(address, data=without | {"seats": seats}).status_code == 409
    client.post(address, data=fields(refused.text) | {"seats": "2"})
    assert fresh(reservation.id).seats == 2


def test_another_evening_of_the_same_show(client: FlaskClient) -> None:
    performance = a_performance()
    show = performance.show
    curtain = now() + timedelta(days=2)
    there = a_performance(show=show, starts_at=curtain)
    full = a_performance(1, show=show, starts_at=curtain + timedelta(days=1))
    small = a_performance(show=show, starts_at=curtain + timedelta(days=2), party_limit=1)
    closed = a_performance(
        show=show, starts_at=curtain + timedelta(days=3), booking_closes_at=now()
    )
    off = a_performance(show=show, starts_at=curtain + timedelta(days=4), cancelled_at=now())
    other_show = a_performance()
    party = a_party(performance, 2)
    token = visitor_token(party)
    address = f"/bookings/{token}/evening"

    def choices(page: str) -> list[str]:
        return offered(page[: page.index('id="seats-heading"')])

    page = client.get(f"/bookings/{token}", headers=ENGLISH).text
    assert choices(page) == [str(there.id)]
    assert "your ticket stays the same, and we write to you" in page
    form = fields(page)
    for evening, status, words in (
        ("", 422, "Please choose another evening."),
        ("x", 422, "Please choose another evening."),
        ("9" * 30, 422, "Please choose another evening."),
        (full.id, 409, "Only 1 seat is left"),
        (small.id, 409, "at most 1 seat"),
        (closed.id, 409, "closed"),
        (off.id, 409, "This performance is cancelled."),
        (other_show.id, 409, "can no longer be chosen"),
        (999_999, 409, "can no longer be chosen"),
    ):
        answer = client.post(address, data=form | {"performance": evening}, headers=ENGLISH)
        assert answer.status_code == status
        assert words in answer.text
    assert fresh(party.id).performance_id == performance.id
    before = fresh(party.id).reference
    for _again in range(2):
        answer = client.post(address, data=form | {"performance": there.id}, headers=ENGLISH)
        assert answer.status_code == 303
    moved = fresh(party.id)
    assert (moved.performance_id, moved.reference, moved.state) == (there.id, before, "confirmed")
    assert seats_held(performance.id) == (0, 0)
    assert seats_held(there.id) == (2, 2)
    assert mails(party) == ["confirm", "ticket", "changed"]
    page = client.get(answer.location, headers=ENGLISH).text
    assert "Done: your booking is now for" in page
    assert choices(page) == [str(performance.id)]
    # The page that was open before does not know of it, and back is one more press.
    back = {"performance": performance.id}
    stale = client.post(address, data=form | back, headers=ENGLISH)
    assert "This booking was changed in the meantime" in stale.text
    assert client.post(address, data=fields(stale.text) | back).status_code == 303
    assert fresh(party.id).performance_id == performance.id


def test_who_may_choose_another_evening(client: FlaskClient) -> None:
    performance = a_performance(100)
    there = a_performance(100, show=performance.show, starts_at=now() + timedelta(days=2))

    def page_and_answer(party: Reservation) -> tuple[str, TestResponse]:
        token = visitor_token(party)
        page = client.get(f"/bookings/{token}", headers=ENGLISH).text
        form = token_and_version(page, party) | {"performance": there.id}
        return page, client.post(f"/bookings/{token}/evening", data=form, headers=ENGLISH)

    def token_and_version(page: str, party: Reservation) -> dict[str, Any]:
        token = fields(page).get("csrf_token") or fields(open_form(client, there.id))["csrf_token"]
        return {"csrf_token": token, "version": fresh(party.id).changed_in}

    waiting = a_party(performance, confirmed=False)
    cancelled, inside = a_party(performance), a_party(performance)
    rules.cancel(cancelled.id)
    admit(performance.id, inside.reference, uuid4(), DOOR_A, people=1)
    twice = a_party(performance, email="twice@example.org")
    a_party(there, email="twice@example.org")
    for party, words, is_offered in (
        (waiting, "Please confirm the booking first.", False),
        (cancelled, "This booking is no longer active.", False),
        (inside, "already been admitted", False),
        (twice, "You already have a booking for that evening.", True),
    ):
        page, answer = page_and_answer(party)
        assert ("Another evening?" in page) == is_offered, words
        assert answer.status_code == 409
        assert words in answer.text
        assert fresh(party.id).performance_id == performance.id
    # Whoever was written that their evening is cancelled finds the others on the page.
    gone = a_party(performance, 3)
    performance_changes.cancel_performance(performance.id)
    page, answer = page_and_answer(gone)
    assert "Choose another evening of this show." in page
    assert answer.status_code == 303
    assert (fresh(gone.id).state, fresh(gone.id).performance_id) == ("confirmed", there.id)
    _page, answer = page_and_answer(cancelled)
    assert answer.status_code == 409, "the visitor had cancelled it before"


def test_a_visitor_tells_that_they_come_late(client: FlaskClient) -> None:
    curtain = now() + timedelta(hours=1)
    party = a_party(a_performance(starts_at=curtain, booking_closes_at=curtain))
    token = visitor_token(party)
    page = client.get(f"/bookings/{token}", headers=ENGLISH).text
    form = fields(page)
    # Nothing is chosen for who sends the form as it is, as mail scanners do.
    for minutes, status in (("", 422), ("0", 422), ("7", 422), ("20", 303)):
        told = form | {"minutes": minutes}
        answer = client.post(f"/bookings/{token}/late", data=told, headers=ENGLISH)
        assert answer.status_code == status
    assert fresh(party.id).late_at == curtain + timedelta(minutes=20)
    page = client.get(answer.location, headers=ENGLISH).text
    assert "the door staff know that you will be late" in page
    assert "You told us that you will arrive late" in page
    until = format_time(curtain + timedelta(minutes=20))
    assert f"Your seats are held until {until}." in page, "by the time that they said: it is later"
    client.post(f"/bookings/{token}/late", data=form | {"minutes": "0"}, headers=ENGLISH)
    assert fresh(party.id).late_at is None
    assert "will be on time" in client.get(answer.location, headers=ENGLISH).text


def test_lateness_is_told_on_the_day(client: FlaskClient) -> None:
    party = a_party(a_performance())
    token = visitor_token(party)
    page = client.get(f"/bookings/{token}", headers=ENGLISH).text
    assert "On your way, but late?" not in page
    told = fields(page) | {"minutes": "20"}
    answer = client.post(f"/bookings/{token}/late", data=told, headers=ENGLISH)
    assert answer.status_code == 409
    assert "You can tell us this on the day" in answer.text
    assert fresh(party.id).late_at is None


@pytest.mark.parametrize("damage", ["cut", "forged", "foreign", "wild", "empty"])
def test_a_bad_token_opens_nothing(client: FlaskClient, damage: str) -> None:
    reservation = a_party(a_performance())
    good = visitor_token(reservation)
    token = {
        "cut": good[:-3],
        "forged": ("A" if good[-5] != "A" else "B").join([good[:-5], good[-4:]]),
        "foreign": ticket_token(reservation),
        "wild": "%00%ff..",
        "empty": "-",
    }[damage]
    for address in ("/it/bookings/{}", "/it/bookings/confirm/{}", "/it/bookings/{}/cancel"):
        assert client.get(address.format(token)).status_code == 404
        assert client.post(address.format(token)).status_code in (404, 405)
    for file in ("qr.png", "ticket.pdf", "event.ics"):
        assert (
            client.get(f"/{'' if file == 'qr.png' else 'it/'}bookings/{token}/{file}").status_code
            == 404
        )


def test_the_ticket_comes_in_three_forms_and_only_for_confirmed_parties(
    client: FlaskClient,
) -> None:
    performance = a_performance()
    token = visitor_token(a_party(performance))
    waiting = visitor_token(a_party(performance, confirmed=False))
    for file, kind in (
        ("qr.png", "image/png"),
        ("ticket.pdf", "application/pdf"),
        ("ticket-phone.pdf", "application/pdf"),
        ("event.ics", "text/calendar"),
    ):
        answer = client.get(f"/bookings/{token}/{file}")
        assert (answer.status_code, answer.mimetype) == (200, kind)
        assert client.get(f"/bookings/{waiting}/{file}").status_code == 404


def test_a_ticket_that_is_good_no_more_is_told_so_on_every_page(client: FlaskClient) -> None:
    performance = a_performance()
    inside, outside = a_party(performance, 3), a_party(performance)
    given_back = a_party(a_performance())
    admit(performance.id, inside.reference, uuid4(), DOOR_A, people=1)
    performance_changes.cancel_performance(performance.id)
    rules.cancel(given_back.id)
    for reservation in (inside, outside, given_back):
        called_off = reservation is not given_back
        token = visitor_token(reservation)
        page = client.get(f"/bookings/{token}", headers=ENGLISH)
        assert ("The performance has been cancelled" in page.text) == called_off
        assert ("this performance will not take place" in page.text) == called_off
        assert "qr.png" not in page.text
        assert "Confirmed" not in page.text
        # It was the visitor's to cancel, or to choose another evening of the show: there is none.
        assert "<form" not in page.text.split("<main")[1]
        confirming = client.get(f"/bookings/confirm/{token}", headers=ENGLISH)
        assert ("The performance has been cancelled" in confirming.text) == called_off
        cancelling = client.get(f"/bookings/{token}/cancel", headers=ENGLISH)
        assert "There is nothing to cancel" in cancelling.text
        assert client.get(f"/bookings/{token}/qr.png").status_code == 404
        assert client.get(f"/bookings/{token}/ticket.pdf").status_code == 200
        assert f"/bookings/{token}/event.ics" in page.text
        assert client.get(f"/bookings/{token}/event.ics").status_code == 200


def snapshot() -> list[Any]:
    """Every row of every table."""
    db.session.rollback()
    tables = db.session.scalars(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    ).all()
    return [
        (table, sorted(str(row) for row in db.session.execute(text(f'SELECT * FROM "{table}"'))))
        for table in tables
    ]


def test_who_is_late_is_told_that_places_were_released_and_to_come_all_the_same(
    client: FlaskClient, database: psycopg.Connection[Any]
) -> None:
    curtain = now() + timedelta(minutes=10)
    performance = a_performance(starts_at=curtain, booking_closes_at=curtain)
    late, early = a_party(performance, 3), a_party(performance, 2)
    admit(performance.id, early.reference, uuid4(), DOOR_A)
    admit(performance.id, late.reference, uuid4(), DOOR_A, people=1)
    release_no_shows(performance.id)

    def page(party: Reservation) -> str:
        return client.get(f"/bookings/{visitor_token(party)}", headers=ENGLISH).text

    assert "2 of your seats were released" in page(late)
    assert "You can still come" in page(late)
    assert "released" not in page(early)
    database.execute("UPDATE performance SET starts_at = now() - interval '3 hours'")
    assert "released" not in page(late)


def test_a_get_of_every_visitors_address_changes_no_row(app: Flask, client: FlaskClient) -> None:
    performance = a_performance()
    states = [a_party(performance), a_party(performance, confirmed=False)]
    lapsed = a_party(performance, confirmed=False)
    let_lapse(lapsed)
    cancelled = a_party(performance)
    rules.cancel(cancelled.id)
    full = a_performance(2)
    a_party(full)
    states += [lapsed, cancelled, an_entry(full.id)]
    offered = an_offer(states[0]).id
    # Once it is open, whoever asks lets the next in (docs/queue.md).
    line = find_line(open_line(None, now() + timedelta(minutes=10)))
    assert line is not None
    in_line = place_token(join(line, "ada@example.org"))
    before = snapshot()
    answered: dict[str, set[int]] = {}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/admin", "/staff")):
            continue
        for reservation in states:
            head, tail = write_ticket(reservation).split("/")
            values = {
                "language": "it",
                "head": head,
                "tail": tail,
                "token": visitor_token(reservation),
                "performance_id": performance.id,
                "reservation_id": reservation.id,
                "show_id": performance.show_id,
                "slug": performance.show.slug,
                "line_id": line.id,
            }
            address = rule.rule
            if rule.endpoint == "bookings.my_bookings_list":
                values["token"] = MY_BOOKINGS.make_token(reservation)
            elif rule.endpoint == "bookings.take_over":
                values["token"] = make_friend_token(offered)
            elif rule.endpoint.startswith(("bookings.my_data", "bookings.erase_my_data")):
                values["token"] = MY_DATA.make_token(reservation)
            elif rule.endpoint == "bookings.unsubscribe":
                values["token"] = make_unsubscribe_token(reservation)
            elif rule.endpoint == "queue.place":
                values["token"] = in_line
            for name, value in values.items():
                address = re.sub(rf"<([a-z]+:)?{name}>", str(value), address)
            address = re.sub(r"<any\(([a-z]+),[^>]*>", r"\1", address)
            for visit in (
                client.get(address),
                client.head(address),
                client.get(address.replace(visitor_token(reservation), ticket_token(reservation))),
            ):
                answered.setdefault(rule.endpoint, set()).add(visit.status_code)
    assert snapshot() == before
    opened = {endpoint for endpoint, statuses in answered.items() if 200 in statuses}
    shut = {
        **dict.fromkeys(("checkin.evenings", "checkin.door", "checkin.no_shows"), 302),
        "door_api.house": 401,
        "shows.opening_ics": 410,  # booking is open
        **dict.fromkeys(("bookings.apple_pass", "bookings.google_pass"), 404),  # there are no keys
        **{endpoint: 401 for endpoint in answered if endpoint.startswith("staff_api.")},
    }
    assert {endpoint: answered.pop(endpoint) for endpoint in shut} == {
        endpoint: {status} for endpoint, status in shut.items()
    }
    # Files of the front end, pictures and the theatre's own style have names of their own.
    unopened = {"static", "media.file", "shows.show_image", "theme.logo", "theme.style"}
    assert answered.keys() - opened == unopened


def test_no_page_of_a_visitor_is_cached_or_tells_where_they_were(client: FlaskClient) -> None:
    performance = a_performance()
    token = visitor_token(a_party(performance))
    for address in (
        f"/bookings/{token}",
        f"/bookings/confirm/{token}",
        f"/bookings/{token}/qr.png",
    ):
        headers = client.get(address).headers
        assert "no-store" in headers["Cache-Control"]
        assert headers["Referrer-Policy"] == "same-origin"
        assert "script-src 'self'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("lapsed_holds", "transactions"), [(0, 1), (4, 2)], ids=["free seats", "lapsed holds"]
)
def test_a_booking_costs_at_most_nine_statements(
    app: Flask, client: FlaskClient, lapsed_holds: int, transactions: int
) -> None:
    """In one transaction; lapsed holds are expired in another, all of them at once."""
    performance = a_performance(capacity=8)
    for lapsed in [a_party(performance, confirmed=False) for _ in range(lapsed_holds)]:
        let_lapse(lapsed)
    form = filled(open_form(client, performance.id))
    statements: list[str] = []
    commits: list[object] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    def note_commit(connection: object) -> None:
        commits.append(connection)

    event.listen(db.engine, "before_cursor_execute", note)
    event.listen(db.engine, "commit", note_commit)
    try:
        answer = client.post(f"/performances/{performance.id}/book", data=form)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
        event.remove(db.engine, "commit", note_commit)
    assert answer.status_code == 303
    assert 0 < len(statements) <= 9, statements
    assert len(commits) == transactions
    assert seats_held(performance.id) == (2, 2)


def assert_nothing_is_lost(answer: TestResponse, form: dict[str, Any]) -> None:
    """The form is shown again as it was sent, its key included, and asks for one more press."""
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "submit again" in answer.text
    assert f'value="{form["name"]}"' in answer.text
    assert f'value="{form["email"]}"' in answer.text
    assert f'<option selected value="{form["seats"]}"' in answer.text
    assert re.search(r'<input [^>]*checked[^>]* name="consent"', answer.text)
    assert fields(answer.text)["request_key"] == form["request_key"]


@pytest.mark.parametrize(
    "lock",
    ["SELECT FROM performance FOR UPDATE", "LOCK TABLE performance IN ACCESS EXCLUSIVE MODE"],
    ids=["the evening is locked", "nothing can be read"],
)
def test_a_busy_database_loses_nothing_that_was_typed(
    app: Flask, client: FlaskClient, lock: str, caplog: pytest.LogCaptureFixture
) -> None:
    performance = a_performance(party_limit=9)
    address = f"/performances/{performance.id}/book"
    form = filled(open_form(client, performance.id), seats="8")
    with db.engine.connect() as other:
        other.execute(text(lock))
        # The server's lock_timeout, five seconds, ends the wait.
        answer = client.post(address, data=form, headers=ENGLISH)
        other.rollback()
    assert_nothing_is_lost(answer, form)
    assert "booking: the database failed: LockNotAvailable 55P03" in caplog.text
    assert bookings() == []
    again = filled(answer.text, seats="8")
    assert client.post(address, data=again).status_code == 303
    assert client.post(address, data=form).status_code == 303
    (reservation,) = bookings()
    assert reservation.seats == 8


def test_a_full_disk_loses_nothing_that_was_typed_and_is_named_in_the_log(
    client: FlaskClient, database: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    performance = a_performance()
    form = filled(open_form(client, performance.id))
    address = f"/bookings/{visitor_token(a_party(performance))}/cancel"
    sure = {**fields(client.get(address).text), "sure": "y"}
    database.execute(
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END$$;"
        "CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON reservation EXECUTE FUNCTION no_room()"
    )
    try:
        answer = client.post(f"/performances/{performance.id}/book", data=form, headers=ENGLISH)
        assert client.post(address, data=sure).status_code == 503
    finally:
        database.execute("DROP FUNCTION no_room CASCADE")
    assert_nothing_is_lost(answer, form)
    # The driver may add a word of its own.
    told = [r.getMessage() for r in caplog.records if r.name.startswith("azionelab")]
    assert told == [
        "booking: the database failed: DiskFull 53100",
        "the database failed: DiskFull 53100",
    ]


def test_a_database_that_is_stopped_loses_nothing_that_was_typed(
    make_app: Callable[..., Flask],
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="azionelab-tests-"))
    server = embedded_postgres.start(folder, durable=False)
    app = make_app(DATABASE_URL=server.url)
    with app.app_context():
        flask_migrate.upgrade()
        performance_id = a_performance().id
    client = app.test_client()
    address = f"/performances/{performance_id}/book"
    form = filled(open_form(client, performance_id))
    server.stop()
    answer = client.post(address, data=form, headers=ENGLISH)
    server = embedded_postgres.start(folder, durable=False)
    try:
        assert_nothing_is_lost(answer, form)
        assert client.post(address, data=filled(answer.text)).status_code == 303
        with app.app_context():
            assert [made.name for made in bookings()] == ["Ada Rossi"]
    finally:
        server.stop()
        shutil.rmtree(folder)


def test_too_many_bookings_lose_nothing_that_was_typed_and_mistakes_do_not_count(
    make_app: Callable[..., Flask],
) -> None:
    performance = a_performance()
    client = make_app(BOOKING_RATE_LIMIT="2 per hour").test_client()
    address = f"/performances/{performance.id}/book"

    def press(**typed: Any) -> TestResponse:
        return client.post(address, data=filled(page, **typed), headers=ENGLISH)

    page = open_form(client, performance.id)
    assert [press(email="ada").status_code for _ in range(3)] == [422] * 3
    assert [press(email=f"{n}@example.org").status_code for n in range(2)] == [303] * 2
    answer = press(seats="5")
    assert answer.status_code == 429
    seconds = int(answer.headers["Retry-After"])
    assert 0 < seconds <= 3600
    assert f"submit again in {-(-seconds // 60)} minute" in answer.text
    assert 'value="Ada Rossi"' in answer.text
    assert 'value="ada@example.org"' in answer.text
    assert '<option selected value="5"' in answer.text
    assert fields(answer.text)["request_key"] == fields(page)["request_key"]
    assert len(bookings()) == 2


def test_a_key_that_is_none_is_still_a_booking(client: FlaskClient) -> None:
    performance = a_performance()
    page = open_form(client, performance.id)
    form = filled(page, request_key="not-a-key")
    assert client.post(f"/performances/{performance.id}/book", data=form).status_code == 303
    assert len(bookings()) == 1


def test_the_language_follows_the_visitor(client: FlaskClient) -> None:
    performance = a_performance()
    address = f"/performances/{performance.id}/book"
    assert '<html lang="it"' in client.get(address).text
    assert '<html lang="en"' in client.get(address, headers=ENGLISH).text
    assert '<html lang="it"' in client.get(address + "?lang=it", headers=ENGLISH).text
    page = client.get(address, headers=ENGLISH).text
    client.post(address, data=filled(page, request_key=str(uuid4())), headers=ENGLISH)
    (reservation,) = bookings()
    assert reservation.locale == "en"
