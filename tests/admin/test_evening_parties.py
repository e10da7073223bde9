"""The list of an evening's parties, and what staff do to one of them from there."""

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import rules
from azionelab.bookings.door_notes import write_note
from azionelab.bookings.erasure import erase_on_request
from azionelab.bookings.seats import no_show_seats
from azionelab.checkin.house.family_names import family_name
from azionelab.checkin.scanning import scans
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.database import now
from azionelab.shows.models import Performance
from tests.factories import DOOR_A, a_party, a_performance, fresh, let_lapse, mails
from tests.support.people import logged_in, press

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def performance() -> Performance:
    """An evening whose curtain is near."""
    curtain = now() + timedelta(minutes=20)
    return a_performance(capacity=60, starts_at=curtain, booking_closes_at=curtain)


def address(performance: Performance, what: str = "") -> str:
    return f"/admin/evenings/{performance.id}{what}"


def rows(page: str) -> dict[str, str]:
    """The rows that are shown: each name with the text of its row."""
    body = page.partition('id="party-rows"')[2].partition("</tbody>")[0]
    shown = {}
    for attributes, row in re.findall(r"<tr ([^>]*)>(.*?)</tr>", body, re.DOTALL):
        name = re.search(r"data-party>([^<]*)<", row)
        assert name
        if "hidden" not in attributes:
            text = unescape(re.sub(r"<[^>]+>", " ", row))
            shown[unescape(name[1])] = " ".join(text.split())
    return shown


def chips(page: str) -> dict[str, int]:
    """The groups with their numbers of parties."""
    nav = page.partition('id="groups"')[2].partition("</nav>")[0]
    return {
        name: int(number) for name, number in re.findall(r'data-show="([^"]+)".*?<b>(\d+)</b>', nav)
    }


class TestTheList:
    def test_it_is_sorted_as_people_look_names_up(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        for name in (
            "Zoe Adami",
            "Rossi, Anna",
            "Marco De Luca",
            "Anna Sgrò",
            "Ada Sgroi",
            "Élie Éluard",
        ):
            a_party(performance, 1, name=name)
        listed = list(rows(staff.get(address(performance)).text))
        assert listed == [
            "Zoe Adami",
            "Marco De Luca",
            "Élie Éluard",
            "Rossi, Anna",
            "Anna Sgrò",
            "Ada Sgroi",
        ]

    def test_each_state_has_its_words_and_its_group(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        inside = a_party(performance, 2, name="Anna Inside")
        partly = a_party(performance, 3, name="Bruno Partly")
        a_party(performance, 1, name="Carla Coming")
        a_party(performance, 1, name="Dario Pending", confirmed=False)
        let_lapse(a_party(performance, 1, name="Elsa Lapsed", confirmed=False))
        rules.cancel(a_party(performance, 1, name="Fabio Cancelled").id)
        scans.admit(performance.id, inside.reference, uuid4(), DOOR_A)
        scans.admit(performance.id, partly.reference, uuid4(), DOOR_A, people=1)
        let_in_walk_ins(performance.id, 2, uuid4(), DOOR_A)
        page = staff.get(address(performance, "?show=all")).text
        shown = rows(page)
        for name, words in {
            "Anna Inside": "In",
            "Bruno Partly": "1 of 3 in",
            "Carla Coming": "To come",
            "Dario Pending": "Not confirmed",
            "Elsa Lapsed": "Expired",
            "Fabio Cancelled": "Cancelled",
            "Walk-in": "In",
        }.items():
            assert words in shown[name]
        assert chips(page) == {
            "booked": 5, "to-come": 2, "in": 3, "pending": 1, "walk-ins": 1, "ended": 2, "all": 7,
        }  # fmt: skip
        for group, names in {
            "": ["Carla Coming", "Anna Inside", "Bruno Partly", "Dario Pending", "Walk-in"],
            "?show=to-come": ["Carla Coming", "Bruno Partly"],
            "?show=in": ["Anna Inside", "Bruno Partly", "Walk-in"],
            "?show=pending": ["Dario Pending"],
            "?show=walk-ins": ["Walk-in"],
            "?show=ended": ["Fabio Cancelled", "Elsa Lapsed"],
            "?show=nonsense": ["Carla Coming", "Anna Inside", "Bruno Partly", "Dario Pending", "Walk-in"],
        }.items():  # fmt: skip
            assert list(rows(staff.get(address(performance, group)).text)) == names

    def test_released_seats_are_not_to_come(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        a_party(performance, 2, name="Ada Late")
        no_show_seats.release_no_shows(performance.id)
        page = staff.get(address(performance)).text
        assert "Seats released" in rows(page)["Ada Late"]
        assert chips(page)["to-come"] == 0

    def test_without_a_script_a_form_searches_it(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        wanted = a_party(performance, 2, name="Nicolò D'Amico", email="nico@example.org")
        other = a_party(performance, 2, name="Anna Rossi")
        write_note(other.id, "seconda fila", "")
        for typed in ("damico nicolo", wanted.reference.lower(), "nico@example"):
            found = press(staff, address(performance, "/find/"), address(performance), search=typed)
            assert list(rows(found.text)) == ["Nicolò D'Amico"], typed
            assert "amico" not in found.request.full_path
        found = press(staff, address(performance, "/find/"), address(performance), search="2a FILA")
        assert rows(found.text) == {}
        assert "No party here" in found.text
        found = press(staff, address(performance, "/find/"), address(performance), search="FILA")
        assert list(rows(found.text)) == ["Anna Rossi"]

    def test_an_empty_house_says_so(self, staff: FlaskClient, performance: Performance) -> None:
        page = staff.get(address(performance)).text
        assert re.search(r'data-none="booked">', page)
        assert re.search(r'data-none="here" hidden>', page)

    def test_a_page_that_has_the_list_does_not_get_it_again(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        page = staff.get(address(performance)).text
        version = re.search(r'data-version="([^"]+)"', page)
        assert version
        known = {"X-Has-Parties": version[1]}
        again = staff.get(address(performance), headers=known).text
        assert "data-unchanged" in again
        assert rows(again) == {}
        write_note(party.id, "first row", "")
        changed = staff.get(address(performance), headers=known).text
        assert "data-unchanged" not in changed
        assert "first row" in rows(changed)["Ada Rossi"]

    def test_the_fast_way_to_a_family_name_says_what_the_parser_says(self) -> None:
        for name, family in {
            "Ada Rossi": "Rossi",
            "De Luca": "De Luca",
            "Signora Rossi": "Rossi",
            "Dr Rossi": "Rossi",
            "Nicolò Sgrò": "Sgrò",
            "Rossi, Ada": "Rossi",
        }.items():
            assert family_name(name) == family


class TestActs:
    def test_a_mail_is_sent_again_with_one_press(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        answer = press(
            staff,
            address(performance, "/resend"),
            address(performance),
            id=str(party.id),
            show="in",
        )
        assert "The latest mail to Ada Rossi" in answer.text
        assert "show=in" in answer.request.full_path
        assert mails(party)[-1] == "ticket"

    def test_a_party_without_an_address_or_of_another_evening_gets_none(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        erased = a_party(performance, 2)
        erase_on_request(erased.id)
        elsewhere = a_party(a_performance())
        page = press(
            staff, address(performance, "/resend"), address(performance), id=str(erased.id)
        )
        assert "erased" in page.text
        for identity in (str(elsewhere.id), "nonsense", ""):
            page = press(staff, address(performance, "/resend"), address(performance), id=identity)
            assert page.status_code == 404

    def test_a_note_is_written_and_a_change_by_somebody_else_is_shown(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        party = a_party(performance, 2)
        note = address(performance, f"/note?id={party.id}")
        answer = press(staff, note, note, note="wheelchair", note_seen="")
        assert "The note is saved" in answer.text
        assert fresh(party.id).note == "wheelchair"
        answer = press(staff, note, note, note="first row", note_seen="")
        assert answer.status_code == 422
        assert "“wheelchair”" in answer.text
        assert 'value="first row"' in answer.text
        assert fresh(party.id).note == "wheelchair"
        answer = press(staff, note, note, note="x" * 300, note_seen="wheelchair")
        assert answer.status_code == 422
        assert "x" * 300 in answer.text
        other = address(a_performance(), f"/note?id={party.id}")
        assert staff.get(other).status_code == 404

    def test_who_only_reads_sees_the_list_and_no_buttons(
        self, in_app: Flask, performance: Performance
    ) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        reader = logged_in(in_app, "read_only")
        page = reader.get(address(performance)).text
        assert "Ada Rossi" in rows(page)
        for words in ("Resend", "/note?", 'id="party-act"'):
            assert words not in page
        assert reader.get(address(performance, f"/note?id={party.id}")).status_code == 403
        assert press(reader, address(performance, "/resend"), id=str(party.id)).status_code == 403
