"""The page of a performance on its day: what it shows, its buttons, and its downloads."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from io import BytesIO, StringIO
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from pypdf import PdfReader
from sqlalchemy import event

from azionelab.bookings import performance_changes
from azionelab.bookings import rules as booking
from azionelab.bookings.door_notes import set_lateness, write_note
from azionelab.bookings.seats import no_show_seats
from azionelab.checkin.devices import invitations
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.house.figures import MAX_REFUSED
from azionelab.checkin.scanning import scans
from azionelab.checkin.scanning.interval import allow_reentry
from azionelab.checkin.scanning.scan_log import Actor, Claim, record_revoked_scan
from azionelab.checkin.scanning.undoing import undo
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.verdicts import RECORDED, VerdictKind, Way
from azionelab.database import db, now
from azionelab.shows.models import Performance, Show
from azionelab.staff.tokens import Scope, revoke_token
from azionelab.web.dates import format_time
from tests.factories import DOOR_A, DOOR_B, a_party, a_performance, fresh, let_lapse, ticket_token
from tests.support.people import press

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


@pytest.fixture
def performance() -> Performance:
    """An evening whose curtain is near."""
    curtain = now() + timedelta(minutes=20)
    return a_performance(capacity=50, starts_at=curtain, booking_closes_at=curtain)


def address(performance: Performance, what: str = "") -> str:
    return f"/admin/evenings/{performance.id}" + (f"/{what}" if what else "")


def text_of(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def part(page: str, identity: str) -> str:
    """What one part of the page says."""
    begin = page.index(f'id="{identity}"')
    following = re.search(r"data-fresh|</main>", page[begin + len(identity) + 20 :])
    assert following is not None
    return text_of("<" + page[begin : begin + len(identity) + 20 + following.start()])


def look(staff: FlaskClient, performance: Performance, identity: str) -> str:
    return part(staff.get(address(performance)).text, identity)


def a_device(performance: Performance, label: str = "Door A") -> Actor:
    token, _text = invitations.enrol(invitations.make_invitation(performance.id), label)
    return Actor(door=label, token_id=token.id, label=label)


def admit(performance: Performance, code: str, actor: Actor = DOOR_A, **facts: Any) -> Any:
    return scans.admit(performance.id, code, uuid4(), actor, **facts)


def table(answer: Any, delimiter: str = ",") -> list[dict[str, str]]:
    text = answer.data.decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline=""), delimiter=delimiter))


class TestThePage:
    def test_it_is_reached_from_the_first_page_and_from_the_performance(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        for page in ("/admin/", f"/admin/performances/edit/?id={performance.id}"):
            assert f'"{address(performance)}"' in staff.get(page).text
        assert staff.get("/admin/evenings/").location == "/admin/"
        assert staff.get("/admin/evenings/10000").status_code == 404

    def test_an_evening_on_which_nothing_happened_says_so(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        page = text_of(staff.get(address(performance)).text)
        for words in (
            "Nobody has been admitted yet",
            "No phone is set up for this performance yet",
            "Nobody was turned away",
            "Nothing has been scanned yet",
        ):
            assert words in page
        assert "conflict" not in page

    def test_the_house_is_counted(self, staff: FlaskClient, performance: Performance) -> None:
        inside, missing = a_party(performance, 4), a_party(performance, 5)
        a_party(performance, 2, confirmed=False)
        admit(performance, inside.reference, people=3)
        no_show_seats.release_no_shows(performance.id)
        admit(performance, missing.reference, people=1, late=True)
        let_in_walk_ins(performance.id, 2, uuid4(), DOOR_A)
        counts = look(staff, performance, "counts")
        assert "In 6 of 6 expected" in counts
        assert "To come 0" in counts
        assert "Free 42 of 50 seats" in counts
        assert "Not confirmed yet 2" in counts
        assert "Seats released 5" in counts
        assert "Walk-ins 2" in counts

    def test_everybody_in_the_building_is_one_figure(
        self, staff: FlaskClient, performance: Performance, database: Database
    ) -> None:
        assert "In the building 0 Certain at" in look(staff, performance, "building")
        party = a_party(performance, 4)
        admit(performance, party.reference)
        let_in_walk_ins(performance.id, 6, uuid4(), DOOR_A)
        at = now() - timedelta(minutes=2)
        claim = Claim(at, VerdictKind.ADMITTED, 4)
        scans.admit(performance.id, party.reference, uuid4(), DOOR_B, claim=claim)
        scans.admit(
            performance.id, "Q" * 43, uuid4(), DOOR_B, claim=Claim(at, VerdictKind.NOT_LISTED, 1)
        )
        token, _ = invitations.enrol(invitations.make_invitation(performance.id), "Lost")
        database.execute("UPDATE api_token SET last_seen_at = %s", [now() - timedelta(hours=1)])
        revoke_token(token.id)
        lost = Actor(door="Lost", token_id=token.id)
        record_revoked_scan(performance.id, None, uuid4(), lost, claim)
        building = look(staff, performance, "building")
        assert "In the building 19" in building
        assert "10 counted, 5 in conflicts, 4 admitted by revoked phones." in building
        assert "Out of contact since then, and may have admitted more people: Lost." in building
        door = staff.get(f"/checkin/performances/{performance.id}").text
        assert '<dd data-count="in_building">19</dd>' in door
        assert "may have admitted more people: Lost." in door

    def test_after_the_end_nobody_is_said_to_be_there(
        self, staff: FlaskClient, performance: Performance, database: Database
    ) -> None:
        admit(performance, a_party(performance, 2).reference)
        database.execute("UPDATE performance SET starts_at = starts_at - interval '2 days'")
        building = look(staff, performance, "building")
        assert "Were in the building 2" in building
        assert "Surely" not in building

    def test_arrivals_are_drawn_and_told(
        self, staff: FlaskClient, performance: Performance, database: Database
    ) -> None:
        for people, before in ((2, 40), (3, 39), (1, 10), (4, 10)):
            scan = admit(performance, a_party(performance, people).reference).scan_id
            at = performance.starts_at - timedelta(minutes=before)
            database.execute("UPDATE scan SET scanned_at = %s WHERE id = %s", [at, scan])
        undone = admit(performance, a_party(performance, 6).reference)
        undo(performance.id, undone.scan_id, DOOR_A)
        page = staff.get(address(performance)).text
        bars = re.findall(r'class="bar".*?<title>\d\d:\d\d: (\d+) p', page)
        assert sum(int(people) for people in bars) == 10
        assert [int(people) for people in bars][-1] == 5
        told = part(page, "arrivals")
        assert "Busiest: 5, from" in told
        assert re.search(r"\d\d:\d\d 5 10", told)

    def test_who_came_at_another_time_is_not_lost(
        self, staff: FlaskClient, performance: Performance, database: Database
    ) -> None:
        scan = admit(performance, a_party(performance, 2).reference).scan_id
        early = performance.starts_at - timedelta(days=2)
        database.execute("UPDATE scan SET scanned_at = %s WHERE id = %s", [early, scan])
        assert "2 people were admitted outside the times" in look(staff, performance, "arrivals")

    def test_doors_are_compared(self, staff: FlaskClient, performance: Performance) -> None:
        admit(performance, a_party(performance, 3).reference)
        admit(performance, "nonsense")
        admit(performance, a_party(performance, 2).reference, DOOR_B)
        taken_back = admit(performance, a_party(performance, 4).reference, DOOR_B)
        undo(performance.id, taken_back.scan_id, DOOR_B)
        admit(performance, "nonsense", Actor(label="Anna"))
        doors = look(staff, performance, "doors")
        assert "Door A 2 3 1" in doors
        assert "Door B 2 2 0" in doors
        assert "(no name) 1 0 1" in doors

    def test_who_was_sent_away_and_why(self, staff: FlaskClient, performance: Performance) -> None:
        twice = a_party(performance, 2, name="Ada Rossi")
        admit(performance, twice.reference)
        admit(performance, twice.reference, DOOR_B)
        admit(performance, "nonsense")
        admit(performance, "nonsense", DOOR_B)
        elsewhere = a_party(a_performance(), name="Bruno Neri")
        admit(performance, ticket_token(elsewhere))
        refused = look(staff, performance, "refused")
        assert "2 unknown code" in refused
        assert "1 already in" in refused
        assert "1 another performance" in refused
        assert f"already in Door B {twice.reference} Ada Rossi" in refused
        assert "Bruno Neri" in refused
        assert "admitted" not in refused

    def test_what_was_undone_is_no_refusal(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        admit(performance, party.reference)
        again = admit(
            performance, party.reference, DOOR_B, claim=Claim(now(), VerdictKind.ADMITTED, 2)
        )
        undo(performance.id, again.scan_id, DOOR_B)
        page = staff.get(address(performance)).text
        assert "Nobody was turned away" in part(page, "refused")
        assert "Door B 1 0 0" in part(page, "doors")
        scans = table(staff.get(address(performance, "scans.csv")))
        assert [bool(row["Undone"]) for row in scans] == [False, True]
        sent_away = Claim(now(), VerdictKind.ALREADY_IN, 0)
        admit(performance, party.reference, DOOR_B, claim=sent_away)
        assert "1 already in" in look(staff, performance, "refused")

    def test_whom_the_door_then_let_in_was_not_sent_away(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        no_show_seats.release_no_shows(performance.id)
        admit(performance, party.reference)
        admit(performance, party.reference, DOOR_B)
        assert "2 seats released" in look(staff, performance, "refused")
        admit(performance, party.reference, late=True)
        page = staff.get(address(performance)).text
        assert "1 seats released" in part(page, "refused")
        assert "Door A 2 2 0" in part(page, "doors")
        assert "Door B 1 0 1" in part(page, "doors")

    def test_the_latest_refused_are_shown_and_the_others_counted(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        for _ in range(MAX_REFUSED + 2):
            admit(performance, "nonsense")
        refused = look(staff, performance, "refused")
        assert f"{MAX_REFUSED + 2} unknown code" in refused
        assert f"These are the latest {MAX_REFUSED}" in refused
        assert refused.count("Door A") == MAX_REFUSED

    def test_an_evening_that_is_called_off_says_so(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        evening = f"/admin/evenings/{performance.id}"
        not_any_more = ("Book for somebody", "Open the door with a phone", "Release no-shows")
        assert all(act in staff.get(evening).text for act in not_any_more)
        performance_changes.cancel_performance(performance.id)
        assert "cancelled: admit nobody" in look(staff, performance, "standing")
        acts = staff.get(evening).text.partition('class="evening-acts"')[2].partition("</nav>")[0]
        assert not any(act in acts for act in not_any_more)
        assert "Write to the audience" in acts
        assert "would be released" not in staff.get(address(performance, "no-shows")).text

    def test_names_are_text_whatever_they_hold(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        party = a_party(performance, name="<script>alert(1)</script>")
        a_device(performance, "<img src=x onerror=alert(1)>")
        for _ in range(2):
            admit(performance, party.reference, Actor(door="<b>door</b>"))
        page = staff.get(address(performance)).text
        for forbidden in ("<script>alert", "<img src=x", "<b>door"):
            assert forbidden not in page

    def test_few_statements_however_large_the_house(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        statements: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

        def count() -> int:
            statements.clear()
            assert staff.get(address(performance)).status_code == 200
            return len(statements)

        anna = Actor(door="Door A", user_id=1, label="Anna")
        twin = a_party(performance, 1)
        a_device(performance)
        admit(performance, twin.reference, anna)
        admit(performance, twin.reference, anna, claim=Claim(now(), VerdictKind.ADMITTED, 1))
        admit(performance, twin.reference, a_device(performance))
        few = count()
        for _ in range(10):
            party = a_party(performance, 1)
            for _ in range(2):
                admit(performance, party.reference, a_device(performance))
            admit(performance, party.reference, anna, claim=Claim(now(), VerdictKind.ADMITTED, 1))
        assert count() == few <= 14  # the look's too, which is read once in PAGE_CACHE_SECONDS

    def test_a_large_house_is_shown(self, staff: FlaskClient, database: Database) -> None:
        performance = a_house(database, 2000, inside=1500)
        page = staff.get(address(performance)).text
        assert "In 3000 of 4000 expected" in part(page, "counts")
        assert len(re.findall('class="bar"', page)) > 20


class TestConflicts:
    @pytest.fixture
    def told(self, staff: FlaskClient, performance: Performance) -> Iterator[Any]:
        return lambda: look(staff, performance, "conflicts")

    def claim(self, people: int, minutes: int = 0) -> Claim:
        return Claim(now() - timedelta(minutes=minutes), VerdictKind.ADMITTED, people)

    def test_admitted_twice(self, staff: FlaskClient, performance: Performance, told: Any) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        admit(performance, party.reference, claim=self.claim(2, minutes=5))
        admit(performance, party.reference, DOOR_B, claim=self.claim(2, minutes=3))
        words = told()
        assert "1 conflict" in words
        assert f"2 people too many · Ada Rossi · {party.reference}" in words
        assert re.search(r"Admitted twice: \d\d:\d\d Door A, \d\d:\d\d Door B\.", words)
        assert "Nobody was turned away" in look(staff, performance, "refused")

    def test_whoever_is_heard_first_who_came_first_is_named_first(
        self, staff: FlaskClient, performance: Performance, told: Any
    ) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        admit(performance, party.reference, DOOR_B, claim=self.claim(2, minutes=3))
        admit(performance, party.reference, DOOR_A, claim=self.claim(2, minutes=5))
        assert re.search(r"Admitted twice: \d\d:\d\d Door A, \d\d:\d\d Door B\.", told())
        (row,) = table(staff.get(address(performance, "parties.csv")))
        assert (row["Name"], row["Door"]) == ("Ada Rossi", "Door A")

    def test_more_than_the_party(self, performance: Performance, told: Any) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        admit(performance, party.reference, claim=self.claim(3))
        assert "1 person too many · Ada Rossi" in told()
        assert "More people than the party has seats" in told()

    def test_walk_ins_without_a_place(self, performance: Performance, told: Any) -> None:
        for people in (60, 1):
            let_in_walk_ins(performance.id, people, uuid4(), DOOR_A, claim=self.claim(people))
        words = told()
        assert "10 people too many · Walk-ins" in words
        assert "1 person too many · Walk-ins" in words
        assert words.count("More people than free seats") == 2

    def test_walk_ins_of_a_cancelled_evening(self, performance: Performance, told: Any) -> None:
        performance_changes.cancel_performance(performance.id)
        let_in_walk_ins(performance.id, 2, uuid4(), DOOR_A, claim=self.claim(2))
        words = told()
        assert "2 people too many · Walk-ins" in words
        assert "(performance cancelled)" in words
        assert "More people than free seats" not in words

    def test_somebody_whose_ticket_nobody_knows(self, performance: Performance, told: Any) -> None:
        claim = Claim(now(), VerdictKind.NOT_LISTED, 2)
        admit(performance, "nonsense", claim=claim)
        words = told()
        assert "2 people too many · Unknown ticket" in words
        assert re.search(r"Admitted offline: \d\d:\d\d Door A \(unknown code\)", words)

    def test_a_party_that_should_not_have_come_in(
        self, performance: Performance, told: Any
    ) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        booking.cancel(party.id)
        admit(performance, party.reference, claim=self.claim(2))
        assert "(cancelled)" in told()

    def test_what_a_revoked_device_did(
        self, staff: FlaskClient, performance: Performance, told: Any
    ) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        phone = a_device(performance, "Bruno's phone")
        revoke_token(phone.token_id or 0)
        record_revoked_scan(performance.id, party.reference, uuid4(), phone, self.claim(2))
        record_revoked_scan(performance.id, "nonsense", uuid4(), phone, None)
        assert "Admitted by a revoked device" in told()
        sent = look(staff, performance, "revoked")
        assert "Bruno's phone : 2 scans, 2 people admitted" in sent
        assert "device revoked" not in look(staff, performance, "refused")

    def test_walk_ins_of_a_revoked_device(self, performance: Performance, told: Any) -> None:
        phone = a_device(performance, "Bruno's phone")
        revoke_token(phone.token_id or 0)
        record_revoked_scan(performance.id, None, uuid4(), phone, self.claim(1))
        words = told()
        assert "1 person too many · Walk-ins Admitted by a revoked device" in words
        assert "Unknown ticket" not in words
        record_revoked_scan(performance.id, "nonsense", uuid4(), phone, self.claim(2))
        assert "2 people too many · Unknown ticket Admitted by a revoked device" in told()

    def test_what_a_revoked_device_did_before_another_door(
        self, performance: Performance, told: Any
    ) -> None:
        party = a_party(performance, 2, name="Ada Rossi")
        phone = a_device(performance, "Bruno's phone")
        revoke_token(phone.token_id or 0)
        before = self.claim(2)
        admit(performance, party.reference)
        record_revoked_scan(performance.id, party.reference, uuid4(), phone, before)
        assert re.search(r"Admitted by a revoked device: \d\d:\d\d Bruno's phone", told())


class TestDevices:
    def test_the_code_opens_the_door(
        self, staff: FlaskClient, performance: Performance, settings: dict[str, str]
    ) -> None:
        answer = staff.get(address(performance, "invitation"))
        assert answer.headers["Cache-Control"] == "no-store"
        page = unescape(answer.text)
        (typed,) = re.findall(r'readonly value="([^"]+)"', page)
        assert drawn(page) == typed
        assert typed.startswith(f"{settings['SITE_BASE_URL']}/checkin/app#join=")
        device, _text = invitations.enrol(typed.partition("#join=")[2], "Door A")
        assert device.performance_id == performance.id
        assert "Door A" in look_at(staff, performance, "invitation", "devices")

    def test_the_code_is_for_one_phone_unless_staff_choose_more(
        self, staff: FlaskClient, performance: Performance, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at = now()
        monkeypatch.setattr(
            devices, "now", lambda: at
        )  # the next code of the clock does not come yet
        where = address(performance, "invitation")
        assert "For 1 phone. " in look_at(staff, performance, "invitation", "code")
        first = invitation(staff, where)
        assert invitation(staff, where) == first, "it stays for who is about to scan it"
        invitations.enrol(first, "Door A")
        following = invitation(staff, where)
        with pytest.raises(invitations.InvitationUsed):
            invitations.enrol(first, "Photographed")
        invitations.enrol(following, "Door B")

        three = f"{where}?phones=3"
        shown = invitation(staff, three)
        for used in range(3):
            assert invitation(staff, three) == shown
            invitations.enrol(shown, f"Usher {used}")
            assert "For 3 phones." in text_of(staff.get(three).text)
        assert invitation(staff, three) != shown
        for others in ("0", "4", "1000", "-1", "x", "²"):
            page = staff.get(f"{where}?phones={others}").text
            assert "For 1 phone." in text_of(page)

    def test_newcomers_are_pointed_out_and_refused_by_one_press(
        self, staff: FlaskClient, performance: Performance, database: Database
    ) -> None:
        a_device(performance, "Known")
        database.execute("UPDATE api_token SET created_at = created_at - interval '15 minutes'")
        stranger = a_device(performance, "Stranger")
        for page in ("", "invitation"):
            listed = look_at(staff, performance, page, "devices")
            assert "1 phone joined in the last quarter of an hour. Do you know it?" in listed
            assert "Reject Stranger" in listed
            assert "Reject Known" not in listed
            assert "Revoke now Known" in listed
        page = press(staff, address(performance, "revoke"), device=stranger.token_id).text
        assert "Stranger has been revoked" in page
        listed = look(staff, performance, "devices")
        assert "Do you know" not in listed
        assert "Refuse" not in listed

    def test_the_number_of_phones_stays_chosen_when_one_is_refused(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        page = staff.get(f"{address(performance, 'invitation')}?phones=5").text
        assert f'action="{address(performance, "revoke")}?phones=5"' in page
        form = {"device": "0", "back": "invitation"}
        answer = press(staff, f"{address(performance, 'revoke')}?phones=5", **form)
        assert "Device not found." in answer.text
        assert "For 5 phones." in text_of(answer.text)

    def test_staff_choose_what_the_phones_may_do_and_see_it(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        where = address(performance, "invitation")
        assert "For 1 phone. Full access to the door. Valid" in look_at(
            staff, performance, "invitation", "code"
        )
        everything = invitations.read_invitation(invitation(staff, where))
        scans = f"{where}?scope=scan"
        assert "For 1 phone. Scanning only. Valid" in text_of(staff.get(scans).text)
        only = invitations.read_invitation(invitation(staff, scans))
        assert (everything.scope, only.scope) == (Scope.DOOR, Scope.SCAN)
        assert everything.identity != only.identity
        invitations.enrol(invitation(staff, where), "Head of house")
        invitations.enrol(invitation(staff, scans), "Usher")
        for page in ("", "invitation"):
            listed = look_at(staff, performance, page, "devices")
            assert re.search("Usher New Scanning only .* Head of house New Full", listed)
        for others in ("", "all", "DOOR"):
            assert "Full access to the door." in text_of(staff.get(f"{where}?scope={others}").text)

    def test_staff_choose_for_how_long_and_see_it(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        where = address(performance, "invitation")
        week = f"{where}?days=7"
        assert "be used for other performances for 7 days." in text_of(staff.get(week).text)
        until = invitations.read_invitation(invitation(staff, week)).serves_until
        assert until
        assert round((until - now()) / timedelta(days=1)) == 7
        invitations.enrol(invitation(staff, week), "Usher")
        for page in ("", "invitation"):
            assert "Other performances until" in look_at(staff, performance, page, "devices")
        for others in ("", "1000", "-1", "x"):
            text = staff.get(f"{where}?days={others}").text
            assert "also be used" not in text_of(text)
        assert invitations.read_invitation(invitation(staff, where)).serves_until is None

    def test_it_stays_chosen_when_a_phone_is_refused(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        page = unescape(
            staff.get(f"{address(performance, 'invitation')}?phones=2&scope=scan&days=3").text
        )
        where = f"{address(performance, 'revoke')}?phones=2&scope=scan&days=3"
        assert f'action="{where}"' in page
        answer = press(staff, where, device="0", back="invitation")
        assert "For 2 phones. Scanning only. They can also" in text_of(answer.text)

    def test_an_evening_that_is_over_invites_nobody(self, staff: FlaskClient) -> None:
        over = a_performance(starts_at=now() - timedelta(hours=3))
        page = staff.get(address(over, "invitation")).text
        assert "This performance is over" in page
        assert "#join=" not in page

    def test_phones_are_listed_with_what_they_did(
        self, staff: FlaskClient, performance: Performance, database: Database
    ) -> None:
        phone = a_device(performance, "North")
        a_device(a_performance(), "Elsewhere")
        admit(performance, a_party(performance, 3).reference, phone)
        admit(performance, "nonsense", phone)
        taken_back = admit(performance, a_party(performance, 2).reference, phone)
        undo(performance.id, taken_back.scan_id, phone)
        listed = look(staff, performance, "devices")
        assert "Last seen: not yet" in listed
        assert "3 scans 3 people in" in listed
        assert "Elsewhere" not in listed
        for seconds, words in (
            (12, r"Last seen: 1\d s ago"),
            (200, "Last seen: 3 min ago"),
            (90000, ", "),
        ):
            ago = now() - timedelta(seconds=seconds)
            database.execute("UPDATE api_token SET last_seen_at = %s", [ago])
            assert re.search(words, look(staff, performance, "devices"))

    def test_a_silent_phone_is_put_away_by_one_press_and_back_by_another(
        self, staff: FlaskClient, performance: Performance, database: Database
    ) -> None:
        phone = a_device(performance, "Drawer")
        assert "/put-away" not in staff.get(address(performance)).text
        hour = now() - timedelta(hours=1)
        database.execute("UPDATE api_token SET last_seen_at = %s", [hour])
        assert "may have admitted more people: Drawer" in look(staff, performance, "building")
        page = press(staff, address(performance, "put-away"), device=phone.token_id).text
        assert "Drawer is marked as put away." in page
        building = look(staff, performance, "building")
        assert "may have admitted more people" not in building
        assert f"Put away by staff: Drawer (heard at {format_time(hour)})." in building
        assert "Put away: 0 s ago" in look(staff, performance, "devices").replace("1 s", "0 s")
        page = press(staff, address(performance, "bring-back"), device=phone.token_id).text
        assert "Drawer is back on the list." in page
        assert "may have admitted more people: Drawer" in look(staff, performance, "building")
        for what in ("put-away", "bring-back"):
            page = press(staff, address(performance, what), device="x").text
            assert "Device not found." in page

    def test_a_phone_is_revoked_at_once(self, staff: FlaskClient, performance: Performance) -> None:
        a_device(performance, "Kept")
        lost = a_device(performance, "Lost")
        page = press(staff, address(performance, "revoke"), device=lost.token_id).text
        assert "Lost has been revoked" in page
        assert "scan the QR code again with that phone" in page
        found = {device.label: device.revoked_at for device in devices.devices_of(performance.id)}
        assert found["Lost"] is not None
        assert found["Kept"] is None
        assert "Revoked" in look(staff, performance, "devices")

    def test_only_a_device_of_this_evening_is_revoked(
        self, staff: FlaskClient, performance: Performance, database: Database
    ) -> None:
        a_device(performance)
        other = a_device(a_performance())
        for device in (other.token_id, 0, -1, "", "two", "9" * 30):
            page = press(staff, address(performance, "revoke"), device=device).text
            assert "Device not found" in page
        query = "SELECT count(*) FROM api_token WHERE revoked_at IS NOT NULL"
        assert database.execute(query).fetchone() == (0,)

    def test_who_revokes_beside_the_code_stays_there(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        phone = a_device(performance)
        page = press(
            staff, address(performance, "revoke"), device=phone.token_id, back="invitation"
        ).text
        assert "Scan this code with the phone" in page


class TestNoShows:
    def test_a_second_step_tells_how_many(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        party = a_party(performance, 4)
        a_party(performance, 3)
        admit(performance, party.reference, people=3)
        page = text_of(staff.get(address(performance, "no-shows")).text)
        assert "This would release 4 seats of 2 parties." in page
        assert "Undo release" not in page
        assert fresh(party.id).released == 0

    def test_nothing_is_offered_when_nobody_is_missing(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        page = staff.get(address(performance, "no-shows")).text
        assert "there is nothing to release" in page
        assert "Release seats" not in page

    def test_phones_that_may_have_news_are_named(
        self, staff: FlaskClient, performance: Performance, database: Database
    ) -> None:
        a_party(performance, 2)
        a_device(performance, "Door A")
        a_device(performance, "Door B")
        database.execute("UPDATE api_token SET last_seen_at = now()")
        page = text_of(staff.get(address(performance, "no-shows")).text)
        assert "out of contact" not in page
        database.execute(
            "UPDATE api_token SET last_seen_at = now() - interval '3 minutes' WHERE label = 'Door B'"
        )
        page = text_of(staff.get(address(performance, "no-shows")).text)
        assert "out of contact for over a minute: Door B." in page

    def test_they_are_released_and_held_again(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        party = a_party(performance, 4)
        page = press(staff, address(performance, "release")).text
        assert "Released: 4 seats of 1 party." in page
        assert "were released at" in part(page, "standing")
        assert fresh(party.id).released == 4
        assert "Seats that can still be held again: 4" in text_of(
            staff.get(address(performance, "no-shows")).text
        )
        assert (
            "Held again: 4 seats of 1 party." in press(staff, address(performance, "restore")).text
        )
        assert fresh(party.id).released == 0
        assert "were released at" not in look(staff, performance, "standing")

    def test_what_cannot_be_given_back_is_told(self, staff: FlaskClient) -> None:
        curtain = now() + timedelta(minutes=20)
        small = a_performance(4, starts_at=curtain, booking_closes_at=curtain)
        a_party(small, 4)
        press(staff, address(small, "release"))
        let_in_walk_ins(small.id, 3, uuid4(), DOOR_A)
        page = press(staff, address(small, "restore")).text
        assert "Held again: 1 seat of 1 party. 3 seats have been taken" in page

    def test_nobody_was_missing(self, staff: FlaskClient, performance: Performance) -> None:
        assert "Nobody was missing" in press(staff, address(performance, "release")).text

    def test_too_early_is_told_with_the_time(self, staff: FlaskClient) -> None:
        early = a_performance(starts_at=now() + timedelta(hours=2))
        party = a_party(early, 2)
        page = text_of(staff.get(address(early, "no-shows")).text)
        assert re.search(r"Not before .*\d\d:\d\d: people may still arrive", page)
        assert "Release seats" not in page
        refused = press(staff, address(early, "release")).text
        assert re.search(r"Not before \d\d:\d\d: people may still arrive", refused)
        assert fresh(party.id).released == 0

    def test_nothing_is_released_of_an_evening_that_is_called_off(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        performance_changes.cancel_performance(performance.id)
        page = press(staff, address(performance, "release")).text
        assert "This performance is cancelled." in page


class TestTheDoorList:
    def sheets(
        self, staff: FlaskClient, performance: Performance, language: str = "en"
    ) -> list[str]:
        answer = staff.get(address(performance, "door-list.pdf"), query_string={"lang": language})
        assert answer.mimetype == "application/pdf"
        assert answer.headers["Cache-Control"] == "no-store"
        return [sheet.extract_text() for sheet in PdfReader(BytesIO(answer.data)).pages]

    def test_it_says_what_the_door_must_know(self, staff: FlaskClient) -> None:
        show = Show(slug="zio-vanja", title="Zio Vanja", published=True)
        curtain = now() + timedelta(minutes=20)
        performance = a_performance(50, show=show, starts_at=curtain, booking_closes_at=curtain)
        inside = a_party(performance, 4, name="Ada Rossi")
        write_note(inside.id, "Wheelchair, row 1", seen="")
        late = a_party(performance, 1, name="Carla Late")
        set_lateness(late.id, 20)
        pending = a_party(performance, 1, name="Bruno Neri", confirmed=False)
        too_late = a_party(performance, 1, name="Too Late", confirmed=False)
        booking.cancel(a_party(performance, 1, name="Not Coming").id)
        admit(performance, inside.reference, people=3)
        no_show_seats.release_no_shows(performance.id)
        allow_reentry(performance.id, allowed=True)
        admit(performance, inside.reference, people=2, way=Way.OUT)
        let_in_walk_ins(performance.id, 1, uuid4(), DOOR_A)
        let_lapse(too_late)
        (sheet,) = self.sheets(staff, performance)
        assert "1 walk-in ·" in sheet, sheet
        let_in_walk_ins(performance.id, 1, uuid4(), DOOR_A)
        (sheet,) = self.sheets(staff, performance)
        for words in (
            "Zio Vanja",
            performance.venue.name,
            "Printed",
            "Page 1 of 1",
            "3 parties",
            "5 in",
            "1 released",
            "2 walk-ins",
            f"Ada Rossi 4 {inside.reference} released: 1, out: 2\nWheelchair, row 1",
            f"Carla Late 1 {late.reference}\nExpected late, at about ",
            f"Bruno Neri 1 {pending.reference} not confirmed",
        ):
            assert words in sheet, sheet
        assert "Too Late" not in sheet
        assert "Not Coming" not in sheet

    def test_names_are_in_their_order(self, staff: FlaskClient, performance: Performance) -> None:
        names = ["Élodie", "Zoe", "ada", "Àbele", "Bruno", "🌸 Carla", "'D'Annunzio", "Elia"]
        for name in names:
            a_party(performance, 1, name=name)
        (sheet,) = self.sheets(staff, performance)
        order = ["Àbele", "ada", "Bruno", "Carla", "D'Annunzio", "Elia", "Élodie", "Zoe"]
        assert [sheet.index(name) for name in order] == sorted(map(sheet.index, order))

    def test_people_are_found_by_their_family_name(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        names = [
            *("Zoe Abate", "Rossi, Bruno", "Niccolò D'Amico", "Ada Damiani", "Maria De Luca"),
            *("Dott. Carlo Événo", "Classe 3B", "Eva Évora", "Ugo Rossi", "Jan van Beek", "张伟"),
        ]
        for name in reversed(names):
            a_party(performance, 1, name=name)
        (sheet,) = self.sheets(staff, performance)
        order = [
            *("Zoe Abate", "Classe 3B", "Ada Damiani", "Niccolò D'Amico", "Maria De Luca"),
            *("Dott. Carlo Événo", "Eva Évora", "Rossi, Bruno", "Ugo Rossi", "Jan van Beek"),
        ]
        assert [sheet.index(name) for name in order] == sorted(map(sheet.index, order))
        assert "Name (sorted by surname)" in sheet

    def test_it_has_a_title(self, staff: FlaskClient, performance: Performance) -> None:
        answer = staff.get(address(performance, "door-list.pdf"), query_string={"lang": "en"})
        read = PdfReader(BytesIO(answer.data))
        assert read.metadata is not None
        assert str(read.metadata.title).startswith(f"Door list: {performance.show.title}, ")

    @pytest.mark.parametrize(
        "name",
        [
            "W" * 120,
            "Ada " * 30,
            "שלום כהן",
            "محمد علي",
            "张伟",
            "👩‍👩‍👧",
            "a\u202eb\u0301",
            "{nb} **b**",
        ],
    )
    def test_any_name_can_be_printed(
        self,
        staff: FlaskClient,
        performance: Performance,
        caplog: pytest.LogCaptureFixture,
        name: str,
    ) -> None:
        party = a_party(performance, 6, name=name)
        a_party(performance, 1, name="Zoe Last")
        text = "\n".join(self.sheets(staff, performance))
        assert party.reference in text
        assert "Zoe Last" in text
        assert caplog.records == []  # no name goes into the log

    def test_a_large_house(self, staff: FlaskClient, database: Database) -> None:
        performance = a_house(database, 2000)
        sheets = self.sheets(staff, performance)
        assert f"Page 1 of {len(sheets)}" in sheets[0]
        assert f"Page {len(sheets)} of {len(sheets)}" in sheets[-1]
        assert sum(sheet.count("Party ") for sheet in sheets) == 2000
        assert "Walk-ins" in sheets[-1]

    def test_a_box_for_each_seat_with_a_cross_for_who_is_in(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        party = a_party(performance, 6)
        empty = self.strokes(staff, performance)
        admit(performance, party.reference, people=2)
        ticked = self.strokes(staff, performance)
        assert (ticked["re"] - empty["re"], ticked["l"] - empty["l"]) == (0, 2 * 2)
        # A party more: its boxes, and one line for walk-ins less, which has boxes of its own.
        a_party(performance, 5)
        assert self.strokes(staff, performance)["re"] - ticked["re"] == 5 - 8

    def strokes(self, staff: FlaskClient, performance: Performance) -> Counter[str]:
        """How often each operator draws something on the only sheet."""
        answer = staff.get(address(performance, "door-list.pdf"))
        (sheet,) = PdfReader(BytesIO(answer.data)).pages
        contents = sheet.get_contents()
        assert contents is not None
        return Counter(contents.get_data().decode("latin-1").split())

    def test_it_speaks_italian(self, staff: FlaskClient, performance: Performance) -> None:
        a_party(performance, 2, confirmed=False)
        (sheet,) = self.sheets(staff, performance, "it")
        assert "Pagina 1 di 1" in sheet
        assert "non confermata" in sheet


class TestTables:
    def test_parties(self, staff: FlaskClient, performance: Performance) -> None:
        ada = a_party(performance, 4, name="Ada Rossi")
        bruno = a_party(performance, 2, name="Bruno Neri", confirmed=False)
        write_note(ada.id, "=Row 1", seen="")
        booking.cancel(a_party(performance, 1, name="Not Coming").id)
        first = admit(performance, ada.reference, people=1)
        admit(performance, ada.reference, DOOR_B, people=1)
        undo(performance.id, first.scan_id, DOOR_A)
        no_show_seats.release_no_shows(performance.id)
        let_in_walk_ins(performance.id, 2, uuid4(), DOOR_A)
        answer = staff.get(address(performance, "parties.csv"))
        assert answer.data.startswith(b"\xef\xbb\xbf")
        assert answer.mimetype == "text/csv"
        assert answer.headers["Cache-Control"] == "no-store"
        rows = table(answer)
        assert [row["Name"] for row in rows] == ["Ada Rossi", "Bruno Neri", "Walk-in"]
        assert rows[0]["Reference"] == ada.reference
        assert [rows[0][column] for column in ("Seats", "In", "Released", "Door", "Note")] == [
            "4", "1", "3", "Door B", "'=Row 1",
        ]  # fmt: skip
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", rows[0]["First admitted"])
        assert (rows[1]["Reference"], rows[1]["State"]) == (bruno.reference, "not confirmed yet")
        assert (rows[1]["First admitted"], rows[1]["Door"]) == ("", "")
        assert "@" not in answer.text

    def test_scans(self, staff: FlaskClient, performance: Performance) -> None:
        ada = a_party(performance, 2, name="Ada Rossi")
        scan = admit(performance, ada.reference, a_device(performance, "North")).scan_id
        admit(performance, "nonsense")
        admit(performance, ada.reference, claim=Claim(now(), VerdictKind.ADMITTED, 2))
        undo(performance.id, scan, DOOR_A)
        answer = staff.get(address(performance, "scans.csv"))
        rows = table(answer)
        assert [row["Verdict"] for row in rows] == ["admitted", "unknown code", "already in"]
        assert [row["Reference"] for row in rows] == [ada.reference, "", ada.reference]
        assert [row["Admitted offline"] for row in rows] == ["", "", "2"]
        assert (rows[0]["Door"], rows[0]["By"], rows[0]["People"]) == ("North", "North", "2")
        assert rows[0]["Undone"]
        assert not rows[1]["Undone"]
        assert "Rossi" not in answer.text

    def test_no_cell_is_a_formula(self, staff: FlaskClient, performance: Performance) -> None:
        for name in ("=1+1", "+39 06", "-2", "@SUM(A1)", ' =cmd|"x"', "Ada, Rossi"):
            a_party(performance, 1, name=name)
        admit(performance, "nonsense", Actor(door="=HYPERLINK(A1)"))
        names = [row["Name"] for row in table(staff.get(address(performance, "parties.csv")))]
        assert names[:4] == ["'=1+1", "'+39 06", "'-2", "'@SUM(A1)"]
        assert names[4].startswith("'")
        assert names[5] == "Ada, Rossi"
        (row,) = table(staff.get(address(performance, "scans.csv")))
        assert row["Door"] == "'=HYPERLINK(A1)"

    @pytest.mark.parametrize(
        "name",
        [
            *(
                f"{unseen}=1+1"
                for unseen in "\u200b\u200d\ufeff\xad\u2060\xa0\u3000\ufe0f\u3164\u2800\u200e"
            ),
            *(f"{sign}1+1" for sign in "＝＋－＠﹢﹣﹦﹫⁺⁻⁼₊₌−"),
            " \u200b\u200b ＝1",
        ],
    )
    def test_no_cell_is_a_formula_in_disguise(
        self, staff: FlaskClient, performance: Performance, name: str
    ) -> None:
        admit(performance, a_party(performance, 1, name=name).reference, Actor(door=name))
        (row,) = table(staff.get(address(performance, "parties.csv")))
        assert (row["Name"], row["Door"]) == (f"'{name}", f"'{name}")

    @pytest.mark.parametrize("separator", [",", ";", ", ", "|"])
    def test_no_cell_becomes_two_where_another_separator_is_expected(
        self, staff: FlaskClient, performance: Performance, separator: str
    ) -> None:
        a_party(performance, 1, name=f"Rossi{separator}=1+1{separator}Ada")
        (row,) = table(staff.get(address(performance, "parties.csv")))
        mark = separator.strip()
        assert row["Name"] == f"Rossi{mark}'{separator[1:]}=1+1{separator}Ada"

    def test_nothing_in_a_cell_turns_its_neighbours(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        a_party(performance, 1, name="\u202e=Ada\u2066 Rossi")  # from before they were refused
        (row,) = table(staff.get(address(performance, "parties.csv")))
        assert row["Name"] == "'=Ada Rossi"

    def test_italian_spreadsheets_part_cells_with_semicolons(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        a_party(performance, 2, name="Ada Rossi")
        answer = staff.get(address(performance, "parties.csv"), query_string={"lang": "it"})
        (row,) = table(answer, ";")
        assert row["Nome"] == "Ada Rossi"


class TestTheLists:
    def test_walk_ins_are_told_as_such(self, staff: FlaskClient, performance: Performance) -> None:
        verdict = let_in_walk_ins(performance.id, 2, uuid4(), DOOR_A)
        assert verdict.party is not None
        assert "Walk-in" in staff.get("/admin/reservations/").text
        details = staff.get(f"/admin/reservations/details/?id={verdict.party.id}").text
        assert "Walk-in" in details

    def test_released_places_are_told(self, staff: FlaskClient, performance: Performance) -> None:
        party = a_party(performance, 4)
        no_show_seats.release_no_shows(performance.id)
        details = text_of(staff.get(f"/admin/reservations/details/?id={party.id}").text)
        assert "Seats released 4" in details

    def test_every_verdict_has_its_words(self) -> None:
        from azionelab.admin.scans import VERDICTS

        assert set(VERDICTS) == set(RECORDED)

    def test_what_a_device_did_without_the_server_is_told(
        self, staff: FlaskClient, performance: Performance
    ) -> None:
        party = a_party(performance, 2)
        admit(performance, party.reference, claim=Claim(now(), VerdictKind.ADMITTED, 3))
        assert "3 (1 person too many)" in staff.get("/admin/scans/").text


def look_at(staff: FlaskClient, performance: Performance, what: str, identity: str) -> str:
    return part(staff.get(address(performance, what)).text, identity)


def invitation(staff: FlaskClient, where: str) -> str:
    """The invitation that a page shows."""
    (shown,) = re.findall(r'readonly value="[^"]+#join=([^"]+)"', staff.get(where).text)
    return unescape(shown)


def drawn(page: str) -> str:
    """What a camera reads in the QR of a page."""
    (width,) = re.findall(r'class="qr" viewBox="0 0 (\d+)', page)
    (path,) = re.findall(r'<path d="([^"]+)"', page)
    picture = Image.new("L", (int(width) * 4, int(width) * 4), 255)
    pen = ImageDraw.Draw(picture)
    for square in re.findall(r"M(\d+) (\d+)h1v1h-1z", path):
        x, y = int(square[0]) * 4, int(square[1]) * 4
        pen.rectangle((x, y, x + 3, y + 3), fill=0)
    (code,) = zxingcpp.read_barcodes(picture)
    return str(code.text)


def a_house(database: Database, parties: int, inside: int = 0) -> Performance:
    """An evening with that many confirmed parties of two, of which some came in over two hours."""
    performance = a_performance(capacity=2 * parties, starts_at=now() + timedelta(minutes=5))
    database.execute(
        """
        INSERT INTO reservation (id, reference, performance_id, name, email, email_key, locale, seats,
                                 state, request_key, created_at, hold_expires_at, confirmed_at)
        SELECT gen_random_uuid(), 'R' || n, %s, 'Party ' || n, n || '@example.org', n::text, 'en', 2,
               'confirmed', gen_random_uuid(), now(), now(), now()
        FROM generate_series(1, %s) AS n
        """,
        [performance.id, parties],
    )
    database.execute(
        """
        WITH tried AS (
            INSERT INTO scan (id, performance_id, reservation_id, verdict, people, admitted_before,
                              scanned_at, received_at, door)
            SELECT gen_random_uuid(), performance_id, id, 'admitted', 2, 0,
                   now() - random() * interval '2 hours', now(), 'Door A'
            FROM reservation WHERE performance_id = %s LIMIT %s
            RETURNING id, reservation_id, scanned_at
        )
        INSERT INTO admission (scan_id, reservation_id, people, admitted_at)
        SELECT id, reservation_id, 2, scanned_at FROM tried
        """,
        [performance.id, inside],
    )
    return performance


def test_staff_switch_exit_and_re_entry_on_and_see_who_is_out(
    staff: FlaskClient, performance: Performance
) -> None:
    party = a_party(performance, 4)
    assert "are off" in look(staff, performance, "reentry")
    for allowed, told in (("yes", "are on"), ("no", "are off"), ("yes", "are on")):
        press(staff, address(performance, "reentry"), address(performance), allowed=allowed)
        assert told in look(staff, performance, "reentry")
    admit(performance, party.reference)
    admit(performance, party.reference, people=3, way=Way.OUT)
    page = look(staff, performance, "building")
    assert "In the building 1" in page
    assert "Out during the interval: 3." in page
    assert "4 of 4 expected" in look(staff, performance, "counts")
    (guest,) = table(staff.get(address(performance, "parties.csv")))
    assert (guest["In"], guest["Out during the interval"]) == ("4", "3")
    let_in, let_out = table(staff.get(address(performance, "scans.csv")))
    assert (let_in["Verdict"], let_out["Verdict"], let_out["People"]) == (
        "admitted",
        "went out",
        "3",
    )
