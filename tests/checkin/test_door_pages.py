"""The door's pages for staff."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from flask.testing import FlaskClient
from flask_babel import force_locale

from azionelab.bookings import rules
from azionelab.bookings.door_notes import set_lateness, write_note
from azionelab.bookings.history import By
from azionelab.bookings.models import Reservation
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.seats.no_show_seats import release_no_shows
from azionelab.bookings.tickets.files import ticket_url
from azionelab.checkin.house import search
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.pages import views
from azionelab.checkin.scanning.facts import ticket_identity
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.texts.notices import performance_warning
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.shows.programme import find_listing
from azionelab.web.rate_limits import RateLimit
from tests.bookings.test_pages import fields
from tests.factories import DOOR_A, a_party, a_performance, fresh, ticket_token

pytestmark = pytest.mark.usefixtures("in_app")
ROME = ZoneInfo("Europe/Rome")
ENGLISH = {"Accept-Language": "en"}


def open_door(door: FlaskClient, performance_id: int) -> dict[str, str]:
    page = door.get(f"/checkin/performances/{performance_id}", headers=ENGLISH)
    assert page.status_code == 200
    return fields(page.text)


def test_strangers_are_sent_to_the_login(client: FlaskClient) -> None:
    performance = a_performance()
    for address in ("/checkin/", f"/checkin/performances/{performance.id}"):
        assert "/staff/login" in client.get(address).location
    for action in ("scans", "undo", "parties"):
        answer = client.post(f"/checkin/performances/{performance.id}/{action}")
        assert (answer.status_code, answer.location) == (
            303,
            f"/checkin/performances/{performance.id}",
        )


def test_the_evenings_near_now_are_listed(door: FlaskClient) -> None:
    performance = a_performance()
    a_party(performance, 3)
    page = door.get("/checkin/", headers=ENGLISH).text
    assert f"/checkin/performances/{performance.id}" in page
    assert "0 of 3 expected are in" in page


def test_a_party_is_let_in_once_and_the_page_says_so(door: FlaskClient) -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    address = f"/checkin/performances/{performance.id}/scans"
    form = open_door(door, performance.id) | {"code": party.reference, "door": "Stalls"}
    for _ in range(2):  # a double tap
        answer = door.post(address, data=form, headers=ENGLISH)
        assert answer.status_code == 200
        assert "Let 3 in" in answer.text
    assert fresh(party.id).admitted == 3
    again = fields(answer.text) | {"code": party.reference}
    second = door.post(address, data=again, headers=ENGLISH).text
    assert "Already in" in second
    assert re.search(r"At \d\d:\d\d by Anna, Stalls", second)


def test_part_of_a_party_and_undo(door: FlaskClient) -> None:
    performance = a_performance()
    party = a_party(performance, 4)
    forms = [
        open_door(door, performance.id) | {"code": party.reference, "people": people}
        for people in "21"
    ]
    pages = [
        door.post(f"/checkin/performances/{performance.id}/scans", data=form, headers=ENGLISH).text
        for form in forms
    ]
    assert "Let 1 in" in pages[1]
    assert "1 of the party is still to come" in pages[1]
    for form, told in zip(
        forms,
        ["They count as outside again; 1 of the party is in.", "They count as outside again."],
        strict=True,
    ):
        undone = door.post(
            f"/checkin/performances/{performance.id}/undo",
            data={"csrf_token": form["csrf_token"], "scan_id": form["scan_id"]},
            headers=ENGLISH,
        )
        assert "Undone" in undone.text
        assert told in undone.text
    assert fresh(party.id).admitted == 0


def test_a_page_left_open_keeps_what_was_typed_and_needs_one_more_press(door: FlaskClient) -> None:
    performance = a_performance()
    party = a_party(performance, 4)
    address = f"/checkin/performances/{performance.id}"
    form = open_door(door, performance.id) | {
        "code": party.reference,
        "people": "3",
        "door": "Stalls",
    }
    answer = door.post(f"{address}/scans", data=form | {"csrf_token": "stale"}, headers=ENGLISH)
    assert answer.status_code == 422
    assert "submit them again" in answer.text
    assert fresh(party.id).admitted == 0
    kept = fields(answer.text)
    assert kept["scan_id"] == form["scan_id"]
    for name, typed in (("code", party.reference), ("people", "3"), ("door", "Stalls")):
        (field,) = re.findall(
            f'<input[^>]* name="{name}"[^>]*>', answer.text.split("walk-in-title")[0]
        )
        assert f'value="{typed}"' in field
        kept[name] = typed
    assert "Let 3 in" in door.post(f"{address}/scans", data=kept, headers=ENGLISH).text
    found = door.post(f"{address}/parties", data={"query": party.name}, headers=ENGLISH)
    assert party.reference in found.text
    undone = door.post(f"{address}/undo", data={"scan_id": form["scan_id"]}, headers=ENGLISH)
    assert "nothing was changed" in undone.text
    assert fresh(party.id).admitted == 3


@pytest.mark.parametrize(
    "typed",
    [
        {"code": ""},
        {"people": "0"},
        {"people": "-1"},
        {"people": "1e9"},
        {"people": "two"},
        {"scan_id": "none"},
        {"scan_id": ""},
        {"door": "x" * 61},
        {"door": "\0"},
    ],
)
def test_bad_input_is_refused_with_a_message(door: FlaskClient, typed: dict[str, str]) -> None:
    performance = a_performance()
    party = a_party(performance)
    form = open_door(door, performance.id) | {"code": party.reference} | typed
    answer = door.post(f"/checkin/performances/{performance.id}/scans", data=form, headers=ENGLISH)
    assert answer.status_code == 422
    assert fresh(party.id).admitted == 0


@pytest.mark.parametrize("code", ["\0\0", "x" * 501, "BEGIN:VCARD\r\nFN:Ada", " "])
def test_a_foreign_code_is_refused_and_not_recorded(
    door: FlaskClient, database: psycopg.Connection[Any], code: str
) -> None:
    performance = a_performance()
    form = open_door(door, performance.id) | {"code": code}
    answer = door.post(f"/checkin/performances/{performance.id}/scans", data=form, headers=ENGLISH)
    assert answer.status_code == 422
    assert "This code is neither a ticket nor a booking reference" in answer.text
    assert database.execute("SELECT verdict FROM scan").fetchall() == []
    found = door.post(
        f"/checkin/performances/{performance.id}/parties", data=form | {"query": "A\0da"}
    )
    assert found.status_code == 200


def test_a_scan_without_its_form_token_is_refused(door: FlaskClient) -> None:
    performance = a_performance()
    party = a_party(performance)
    form = {"code": party.reference, "scan_id": str(uuid4())}
    answer = door.post(f"/checkin/performances/{performance.id}/scans", data=form)
    assert answer.status_code in (400, 422)
    assert fresh(party.id).admitted == 0


def test_a_party_is_found_by_name_and_the_name_stays_out_of_addresses(door: FlaskClient) -> None:
    performance = a_performance()
    party = a_party(performance, name="Zoë Nguyen")
    form = open_door(door, performance.id)
    page = door.post(
        f"/checkin/performances/{performance.id}/parties", data=form | {"query": "zoë"}
    ).text
    assert party.reference in page
    by_address = door.get(f"/checkin/performances/{performance.id}?query=zoë").text
    assert party.reference not in by_address


def test_a_note_is_read_where_its_party_is_found_and_let_in(door: FlaskClient) -> None:
    performance = a_performance()
    party = a_party(performance, name="Zoë Nguyen")
    write_note(party.id, "Wheelchair, row 1 <b>", seen="")
    set_lateness(party.id, 20, by_staff=True)
    form = open_door(door, performance.id) | {"query": "zoë", "code": party.reference}
    for asked, is_awaited in (("parties", True), ("scans", False)):
        page = door.post(
            f"/checkin/performances/{performance.id}/{asked}", data=form, headers=ENGLISH
        )
        assert "Wheelchair, row 1 &lt;b&gt;" in page.text
        assert ("Expected late, at about" in page.text) == is_awaited


def test_the_door_notes_that_a_party_is_on_its_way_and_takes_it_back(door: FlaskClient) -> None:
    curtain = now() + timedelta(minutes=20)
    performance = a_performance(starts_at=curtain, booking_closes_at=curtain)
    party, other = a_party(performance, name="Zoë Nguyen"), a_party(a_performance())
    form = open_door(door, performance.id) | {"query": "zoë", "party": str(party.id)}

    def press(**named: str) -> tuple[int, str]:
        address = f"/checkin/performances/{performance.id}/coming"
        page = door.post(address, data=form | named, headers=ENGLISH)
        return page.status_code, page.text

    status, page = press(coming="yes")
    assert (status, "They are not on their way" in page) == (200, True)
    assert "a release keeps the seats of this party until" in page
    assert release_no_shows(performance.id).late_places == party.seats
    status, page = press(coming="no")
    assert (status, "They are on their way" in page) == (200, True)
    assert fresh(party.id).late_at is None
    assert press(coming="yes", party=str(other.id))[0] == 409
    assert press(coming="yes", party="x")[0] == 409
    assert fresh(other.id).late_at is None
    admit(performance.id, party.reference, uuid4(), DOOR_A)
    assert press(coming="yes")[0] == 409


def test_changed_bookings_say_what_changed(door: FlaskClient) -> None:
    curtain = now() + timedelta(minutes=20)
    performance = a_performance(starts_at=curtain, booking_closes_at=curtain)
    cancelled, smaller, last = (a_party(performance, 3) for _ in range(3))
    rules.cancel(cancelled.id)
    rules.reduce_seats(smaller.id, 2, by=By.STAFF)
    release_no_shows(performance.id)
    told = {
        cancelled.reference: ["Cancelled by the visitor today at "],
        smaller.reference: [
            "Reduced from 3 to 2 by staff today at ",
            "Released as no-shows today at ",
        ],
    }
    for reference, words in told.items():
        form = open_door(door, performance.id) | {"code": reference}
        address = f"/checkin/performances/{performance.id}/scans"
        page = door.post(address, data=form, headers=ENGLISH).text
        assert [word for word in words if word not in page] == []
    cancel_performance(performance.id)
    form = open_door(door, performance.id) | {"code": last.reference}
    page = door.post(address, data=form, headers=ENGLISH).text
    assert "The performance was cancelled today at " in page


def test_the_page_says_that_there_are_more_parties(
    door: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_FOUND", 1)
    performance = a_performance()
    a_party(performance, name="Ada Rossi")
    form = open_door(door, performance.id) | {"query": "rossi"}
    find = f"/checkin/performances/{performance.id}/parties"
    assert "type more of the name" not in door.post(find, data=form, headers=ENGLISH).text
    a_party(performance, name="Bea Rossi")
    assert "More than 1: type more of the name." in door.post(find, data=form, headers=ENGLISH).text


@pytest.mark.parametrize(
    "make_address",
    [
        lambda party: urlsplit(ticket_url(party)).path,
        lambda party: f"/checkin/ticket/{ticket_token(party)}",
    ],
    ids=["of today", "before 0.4"],
)
def test_a_tickets_address_redirects_staff_and_tells_others_nothing(
    door: FlaskClient, make_address: Callable[[Reservation], str]
) -> None:
    performance = a_performance()
    party = a_party(performance, name="Zoë Nguyen")
    address = make_address(party)
    led = door.get(address)
    assert led.status_code == 302
    assert f"/checkin/performances/{performance.id}" in led.location
    # The code that it fills in is the ticket.
    code = parse_qs(urlsplit(led.location).query)["code"][0]
    assert address.endswith(f"/{code}")
    assert ticket_identity(code) in (party.reference, party.id)
    assert door.get(address[:-1]).status_code == 404
    stranger = door.application.test_client().get(address)
    assert stranger.status_code == 200
    for private in ("Zoë", party.reference, party.email, performance.show.title):
        assert private not in stranger.text
    assert fresh(party.id).admitted == 0


def test_a_ticket_of_another_performance_says_which_on_the_page(door: FlaskClient) -> None:
    tonight, other = a_performance(), a_performance(starts_at=now() + timedelta(days=20))
    party = a_party(other)
    form = open_door(door, tonight.id) | {"code": party.reference}
    address = f"/checkin/performances/{tonight.id}/scans"
    page = door.post(address, data=form, headers=ENGLISH).text
    assert "Another performance" in page
    assert "Ada Rossi" not in page
    year = f"{other.starts_at:%Y}"
    assert re.search(rf"for {other.show.title}, .+ {year}, \d\d:\d\d, {other.venue.name}", page)
    assert fresh(party.id).admitted == 0


def test_a_cancelled_performance_says_so_at_its_door(door: FlaskClient) -> None:
    performance = a_performance(starts_at=now() + timedelta(hours=2))
    address = f"/checkin/performances/{performance.id}"
    assert "caution" not in door.get(address, headers=ENGLISH).text.replace('id="caution"', "")
    cancel_performance(performance.id)
    page = door.get(address, headers=ENGLISH).text
    assert '<p class="caution off">This performance was cancelled: admit nobody.</p>' in page


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2030-06-30T21:00", "not today"),
        ("2030-06-30T23:59", "not today"),
        ("2030-07-01T00:01", ""),
        ("2030-07-01T22:59", ""),
        ("2030-07-01T23:01", "over"),
        ("2030-07-02T00:01", "over"),
        ("2030-07-09T21:00", "over"),
    ],
)
def test_a_door_of_another_day_says_so(at: str, words: str) -> None:
    performance = a_performance(starts_at=datetime(2030, 7, 1, 21, tzinfo=ROME))
    told = find_listing(performance.id, now())
    assert told is not None
    with force_locale("en"):
        warned = performance_warning(told, datetime.fromisoformat(at).replace(tzinfo=ROME))
    assert (words in warned) if words else warned == ""


def test_doors_before_midnight_are_those_of_a_show_after_it() -> None:
    performance = a_performance(starts_at=datetime(2030, 7, 1, 0, 30, tzinfo=ROME))
    told = find_listing(performance.id, now())
    assert told is not None
    assert performance_warning(told, datetime(2030, 6, 30, 23, 30, tzinfo=ROME)) == ""


def test_a_late_comer_is_let_in_by_one_of_the_buttons(door: FlaskClient) -> None:
    curtain = now() + timedelta(minutes=10)
    performance = a_performance(starts_at=curtain, booking_closes_at=curtain)
    party = a_party(performance, 3)
    release_no_shows(performance.id)
    address = f"/checkin/performances/{performance.id}/scans"
    form = open_door(door, performance.id) | {"code": party.reference}
    page = door.post(address, data=form, headers=ENGLISH).text
    assert "Seats released" in page
    heads = page[page.index('class="heads"') : page.index("</form>", page.index('class="heads"'))]
    assert re.findall(r'name="people" value="(\d)"', heads) == ["1", "2", "3"]
    page = door.post(address, data=fields(heads) | {"people": "2"}, headers=ENGLISH).text
    assert "Let 2 in" in page
    assert (fresh(party.id).admitted, fresh(party.id).released) == (2, 1)


class TestPlaces:
    """Walk-ins and no-shows on the page, as in the app."""

    @pytest.fixture
    def performance(self) -> Performance:
        """An evening of five places whose curtain is near, with a party of two."""
        curtain = now() + timedelta(minutes=10)
        performance = a_performance(5, starts_at=curtain, booking_closes_at=curtain)
        a_party(performance, 2)
        return performance

    def walk_in(self, door: FlaskClient, performance: Performance, people: str) -> Any:
        form = open_door(door, performance.id) | {"people": people, "door": "Stalls"}
        address = f"/checkin/performances/{performance.id}/walk-ins"
        pages = [door.post(address, data=form, headers=ENGLISH) for _ in range(2)]  # a double tap
        return pages[-1]

    def test_walk_ins_until_the_house_is_full(
        self, door: FlaskClient, performance: Performance
    ) -> None:
        page = self.walk_in(door, performance, "2").text
        assert "Let 2 in" in page
        assert "Without a booking. 1 seat is free." in page
        assert "Full" in self.walk_in(door, performance, "2").text
        page = self.walk_in(door, performance, "1").text
        assert "Without a booking. 0 seats are free." in page
        undo = page[page.index("/undo") : page.index("</form>", page.index("/undo"))]
        undone = door.post(
            f"/checkin/performances/{performance.id}/undo", data=fields(undo), headers=ENGLISH
        ).text
        assert "Undone" in undone
        assert house_counts([performance.id])[performance.id].walk_ins == 2

    @pytest.mark.parametrize("people", ["", "0", "101", "two"])
    def test_how_many_is_a_number(
        self, door: FlaskClient, performance: Performance, people: str
    ) -> None:
        assert self.walk_in(door, performance, people).status_code == 422
        assert house_counts([performance.id])[performance.id].inside == 0

    def test_places_of_no_shows_are_released_and_held_again(
        self, door: FlaskClient, performance: Performance
    ) -> None:
        address = f"/checkin/performances/{performance.id}"
        asked = door.get(f"{address}/no-shows", headers=ENGLISH).text
        assert "This would release 2 seats of 1 party." in asked
        assert "Undo release" not in asked
        form = fields(asked)
        released = door.post(f"{address}/release", data=form, headers=ENGLISH).text
        assert "Released: 2 seats of 1 party." in released
        assert "there is nothing to release" in released
        self.walk_in(door, performance, "4")
        restored = door.post(f"{address}/restore", data=form, headers=ENGLISH).text
        assert "Held again: 1 seat of 1 party. 1 seat has been taken" in restored

    def test_it_is_too_early_or_called_off(self, door: FlaskClient) -> None:
        tomorrow, called_off = a_performance(), a_performance()
        for performance in (tomorrow, called_off):
            a_party(performance, 2)
        cancel_performance(called_off.id)
        for performance, why in ((tomorrow, "Not before"), (called_off, "is cancelled")):
            address = f"/checkin/performances/{performance.id}"
            page = door.get(f"{address}/no-shows", headers=ENGLISH).text
            assert why in page
            assert "Release seats" not in page
            answer = door.post(f"{address}/release", data=fields(page), headers=ENGLISH)
            assert answer.status_code == 409
            assert why in answer.text


def test_too_many_attempts_get_429(
    door: FlaskClient, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = RateLimit("door-attempt", lambda _settings: "12 per hour", spares_box_office=False)
    monkeypatch.setattr(views, "ATTEMPTS", few)
    performance = a_performance()
    form = open_door(door, performance.id) | {"code": "nonsense"}
    address = f"/checkin/performances/{performance.id}/scans"
    for _ in range(13):
        attempt = form | {"scan_id": str(uuid4())}
        assert door.post(address, data=attempt, headers=ENGLISH).status_code == 200
    refused = door.post(address, data=form, headers=ENGLISH)
    assert refused.status_code == 429
    assert "Please try again in a minute." in refused.text
    assert 'value="nonsense"' in refused.text, "what was typed stays"
    assert database.execute("SELECT count(*) FROM scan").fetchone() == (13,)


def test_too_many_searches_get_429(door: FlaskClient) -> None:
    performance = a_performance()
    a_party(performance, name="Ada Rossi")
    form = open_door(door, performance.id) | {"query": "rossi"}
    address = f"/checkin/performances/{performance.id}/parties"
    for _ in range(60):
        assert "Ada Rossi" in door.post(address, data=form, headers=ENGLISH).text
    refused = door.post(address, data=form, headers=ENGLISH)
    assert refused.status_code == 429
    assert "Please try again in a minute." in refused.text
    assert "Ada Rossi" not in refused.text


class TestInterval:
    """Exit and re-entry without scripts."""

    def send(self, door: FlaskClient, evening: int, what: str, **typed: str) -> str:
        form = open_door(door, evening) | {"people": ""} | typed
        address = f"/checkin/performances/{evening}/{what}"
        answer = door.post(address, data=form, headers=ENGLISH, follow_redirects=True)
        assert answer.status_code == 200
        return answer.text

    def test_reentry_is_off_by_default(self, door: FlaskClient) -> None:
        party = a_party(a_performance(), 2)
        evening = party.performance_id
        self.send(door, evening, "scans", code=party.reference)
        assert "Let out" not in door.get(f"/checkin/performances/{evening}", headers=ENGLISH).text
        refused = self.send(door, evening, "scans", code=party.reference, way="out")
        assert "No exit and re-entry" in refused
        on = self.send(door, evening, "reentry", allowed="yes")
        assert "Exit and re-entry are on" in on
        assert "2 go out" in self.send(door, evening, "scans", code=party.reference, way="out")
        off = self.send(door, evening, "reentry", allowed="no")
        assert "Let out" not in off
        assert "2 in again" in self.send(door, evening, "scans", code=party.reference, way="any")

    def test_a_party_and_walk_ins_go_out_and_come_back(self, door: FlaskClient) -> None:
        party = a_party(a_performance(), 3)
        evening = party.performance_id
        self.send(door, evening, "reentry", allowed="yes")
        # Pages of before say no way.
        let_in = self.send(door, evening, "scans", code=ticket_token(party), way="")
        assert "Let 3 in" in let_in
        assert 'name="way" value="out"' in let_in
        self.send(door, evening, "walk-ins", people="2")
        page = self.send(door, evening, "scans", code=party.reference, way="out", people="2")
        assert "2 go out" in page
        assert "1 of the party is still in." in page
        assert "Out during the interval: 2." in page
        form = page[page.index('<form method="post"') : page.index("data-focus")]
        assert 'name="way" value="again"' in form
        assert "1 goes out" in self.send(door, evening, "walk-ins", people="1", way="out")
        assert "Too many" in self.send(door, evening, "walk-ins", people="2", way="again")
        assert "1 in again" in self.send(door, evening, "walk-ins", people="1", way="again")
        undo = page[page.index("/undo") : page.index("</form>", page.index("/undo"))]
        assert "They count as before." in self.send(door, evening, "undo", **fields(undo))
        assert (fresh(party.id).admitted, fresh(party.id).outside) == (3, 0)
