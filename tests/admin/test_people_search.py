"""People: found over all performances however their names are typed, exported, and erased."""

import json
import re
import string
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from azionelab.admin.people.keys import NearWords, near_keys, words_of
from azionelab.admin.people.search import find_people, has_text
from azionelab.bookings.door_notes import write_note
from azionelab.bookings.erasure import erase_on_request
from azionelab.bookings.models import Reservation
from azionelab.checkin.scanning import scans
from azionelab.database import db
from tests.checkin.test_house import NAMES
from tests.factories import DOOR_A, a_party, a_performance, fresh, mails
from tests.support.people import logged_in, press

pytestmark = pytest.mark.usefixtures("in_app")
PEOPLE = "/admin/people/"


def find(client: FlaskClient, typed: str) -> Any:
    return press(client, f"{PEOPLE}find/", PEOPLE, search=typed)


def exact(typed: str) -> list[str]:
    db.session.rollback()
    return [person.newest.name for person in find_people(typed).exact]


def near(typed: str) -> list[str]:
    db.session.rollback()
    return [person.newest.name for person in find_people(typed).near]


def altered(word: str) -> set[str]:
    """A word with one typing error, in every way."""
    letters, places = string.ascii_lowercase, range(len(word) + 1)
    return {
        *(word[:at] + letter + word[at:] for at in places for letter in letters),
        *(word[:at] + letter + word[at + 1 :] for at in places for letter in ("", *letters)),
        *(word[:at] + word[at : at + 2][::-1] + word[at + 2 :] for at in places),
    }


class TestTheSearch:
    @pytest.mark.parametrize("word", ["rosi", "bianchi", "anna", "aaaa"])
    def test_every_typing_error_is_forgiven(self, word: str) -> None:
        wanted, words = near_keys(word), NearWords(word)
        for other in altered(word):
            padded = f"  {other} "
            keys = {padded[at : at + 3] for at in range(len(padded) - 2)}
            assert any(needed <= keys for needed in wanted), other
            assert words.match([other]), other
        for other in ("xxxx", f"{word[:2]}xx{word[2:]}", ""):
            assert not words.match(words_of(other)), other

    def test_names_are_found_as_at_the_door(self) -> None:
        performance = a_performance(capacity=100)
        for number, case in enumerate(NAMES["cases"]):
            party = a_party(performance, 1, name=case["name"], email=f"{number}@y.example")
            # Of one or two letters only the beginning of a word is found.
            if len(case["typed"]) < 3:
                continue
            asked = select(has_text(case["typed"])).where(Reservation.id == party.id)
            assert db.session.scalar(asked) == case["found"], case

    def test_name_address_reference_and_note_are_searched(self) -> None:
        party = a_party(a_performance(), name="Nicolò D'Amico", email="nico.damico@example.org")
        a_party(a_performance(), name="Ada Verdi", email="ada@example.com")
        write_note(party.id, "sedia a rotelle", "")
        for typed in (
            "damico",
            "NICOLO",
            "d’amìco nic",
            "nico.damico@example.org",
            "@example.org",
            party.reference.lower(),
            party.reference[2:7],
            "rotelle",
            "amico rotelle",
            "ni",
        ):
            assert exact(typed) == ["Nicolò D'Amico"], typed
        for typed in ("verdi rotelle", "nobody", "%", "_", "'", "", "amico_x"):
            assert exact(typed) == [], typed

    def test_people_who_are_written_nearly_so_come_after(self, staff: FlaskClient) -> None:
        a_party(a_performance(), name="Ada Rossini", email="ada@example.org")
        a_party(a_performance(), name="Bruno Rosini", email="bruno@example.org")
        assert (exact("rosini"), near("rosini")) == (["Bruno Rosini"], ["Ada Rossini"])
        assert near("bruno rosssini") == []
        assert near("ada rosini") == ["Ada Rossini"]
        page = find(staff, "rosini").text
        assert page.index("Bruno Rosini") < page.index("Written nearly so") < page.index("Ada Ross")

    def test_bookings_are_grouped_by_mailbox_or_name(self, staff: FlaskClient) -> None:
        for name in ("Ada Rossi", "A. Rossi", "Ada Rossi", "Ada Rossi", "Ada Rossi", "Ada Rossi"):
            a_party(a_performance(), name=name, email="ada@example.org")
        a_party(a_performance(), name="Ada Rossi", email="other@example.org")
        people = find_people("rossi").exact
        assert [(one.newest.email, one.number) for one in people] == [
            ("other@example.org", 1),
            ("ada@example.org", 6),
        ]
        page = find(staff, "rossi").text
        assert "All 6 bookings" in page
        person = staff.get(f"{PEOPLE}person/?id={people[1].newest.id}").text
        assert "6 bookings" in person
        assert "Names: A. Rossi, Ada Rossi" in person
        assert "other@example.org" not in person

    def test_no_address_has_a_name_and_a_search_belongs_to_a_login(
        self, staff: FlaskClient, admin: FlaskClient
    ) -> None:
        a_party(a_performance(), name="Ada Rossi")
        answer = find(staff, "Ada Rossi")
        assert "Ada Rossi" in answer.text
        assert "ossi" not in answer.request.full_path
        assert "Ada Rossi" in staff.get(answer.request.full_path).text
        assert "This search has expired" in admin.get(answer.request.full_path).text
        assert "Nobody found" in find(staff, "zzzz").text

    def test_erased_people_and_walk_ins_are_not_found_and_leave_no_keys(
        self, database: psycopg.Connection[Any]
    ) -> None:
        party = a_party(a_performance(), name="Ada Rossi", email="ada@example.org")
        asked = (
            "SELECT count(*) FROM reservation"
            " WHERE public.search_keys(name, email, reference, note, contact) @> '{oss}'"
        )
        assert database.execute(asked).fetchone() == (1,)
        erase_on_request(party.id)
        assert exact("rossi") == []
        assert exact(party.reference) == []
        assert database.execute(asked).fetchone() == (0,)

    def test_the_index_is_used(self) -> None:
        asked = select(Reservation.id).where(has_text("rossi")).compile(db.engine)
        connection = db.session.connection()
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = connection.exec_driver_sql(f"EXPLAIN {asked}", asked.params).all()
        assert "ix_reservation_search" in str(plan)

    def test_the_list_of_reservations_searches_by_it(self, staff: FlaskClient) -> None:
        party = a_party(a_performance(), name="Nicolò Bianchi", email="n@example.org")
        write_note(party.id, "wheelchair", "")
        listing = "/admin/reservations/"
        for typed in ("nicolo bianchi", "wheelchair", "bianhci", party.reference):
            page = press(staff, f"{listing}find/", listing, search=typed).text
            assert party.reference in page, typed
        page = press(staff, f"{listing}find/", listing, search="binahcx").text
        assert party.reference not in page


class TestTheData:
    def test_everything_that_is_kept_is_exported(self, staff: FlaskClient) -> None:
        performance = a_performance()
        party = a_party(performance, 2, name="Ada Rossi", email="ada@example.org")
        other = a_party(performance, 2, name="Bruno Verdi", email="bruno@example.org")
        write_note(party.id, "wheelchair", "")
        scans.admit(performance.id, party.reference, uuid4(), DOOR_A)
        answer = staff.get(f"{PEOPLE}person.json?id={party.id}")
        assert answer.mimetype == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Ada" not in answer.headers["Content-Disposition"]
        document = json.loads(answer.data)
        assert document["names"] == ["Ada Rossi"]
        assert document["addresses"] == ["ada@example.org"]
        (booking,) = document["bookings"]
        assert (booking["note"], booking["seats"], booking["reference"]) == (
            "wheelchair",
            2,
            party.reference,
        )
        assert [mail["kind"] for mail in document["mail"]] == mails(party)
        assert document["scan"][0]["door"] == "Door A"
        assert document["admission"][0]["people"] == 2
        # What staff changed, as the log of changes has it.
        press(
            staff,
            f"/admin/evenings/{performance.id}/note?id={party.id}",
            f"/admin/evenings/{performance.id}/note?id={party.id}",
            note="row 1",
            note_seen="wheelchair",
        )
        document = json.loads(staff.get(f"{PEOPLE}person.json?id={party.id}").data)
        assert document["changes"][-1]["changes"]["note"] == ["wheelchair", "row 1"]
        assert str(other.id) not in answer.text
        assert "Verdi" not in answer.text

    def test_a_person_is_erased_after_a_preview(self, staff: FlaskClient) -> None:
        parties = [
            a_party(a_performance(), 2, name="Ada Rossi", email="ada@example.org") for _ in range(3)
        ]
        other = a_party(a_performance(), 2, name="Ada Rossi", email="other@example.org")
        erase = f"{PEOPLE}erase/?id={parties[0].id}"
        page = staff.get(erase).text
        assert len(re.findall('name="booking"', page)) == 3
        assert "3 of them are for coming performances" in page
        assert all(fresh(one.id).name for one in parties)
        answer = press(staff, erase, erase)
        assert answer.status_code == 422
        assert "Choose at least one booking." in answer.text
        chosen = [str(one.id) for one in (*parties[:2], other)] + ["nonsense"]
        answer = press(staff, erase, erase, booking=chosen)
        assert "erased from 2 bookings" in answer.text
        assert [fresh(one.id).name for one in (*parties, other)] == [
            "",
            "",
            "Ada Rossi",
            "Ada Rossi",
        ]
        assert fresh(parties[0].id).erasure_requested_at is not None
        assert "not found" in staff.get(erase, follow_redirects=True).text

    def test_who_may_not_erase_or_export_is_shown_no_button(self, in_app: Flask) -> None:
        party = a_party(a_performance(), name="Ada Rossi")
        for role, may_export in (("read_only", False), ("box_office", True)):
            client = logged_in(in_app, role)
            page = client.get(f"{PEOPLE}person/?id={party.id}").text
            assert "Ada Rossi" in page
            assert "Erase this person" not in page
            assert ("Download everything" in page) is may_export
            assert client.get(f"{PEOPLE}erase/?id={party.id}").status_code == 403
            assert (
                client.get(f"{PEOPLE}person.json?id={party.id}").status_code == 200
            ) is may_export

    def test_an_unknown_person_is_told(self, staff: FlaskClient) -> None:
        for identity in ("", "nonsense", str(uuid4())):
            for page in ("person/", "person.json", "erase/"):
                answer = staff.get(f"{PEOPLE}{page}?id={identity}", follow_redirects=True)
                assert "This person was not found" in answer.text
