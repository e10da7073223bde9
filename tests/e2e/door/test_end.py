"""The end of a session: the phone deletes its list. Also: times are the server's."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import expect

from azionelab.bookings.performance_changes import cancel_performance
from azionelab.checkin.devices.registry import devices_of
from azionelab.checkin.scanning.scans import admit
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.staff.tokens import revoke_token
from tests.factories import DOOR_B, a_party, fresh, ticket_token
from tests.support.door import HeldRequests, Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")

Scans = Callable[[], list[Any]]
# A phone whose clock is wrong by so many minutes.
_WRONG_CLOCK = """
const Right = Date, wrong = %s * 60_000;
globalThis.Date = class extends Right {
  constructor(...parts) {
    if (parts.length === 0) super(Right.now() + wrong);
    else super(...parts);
  }
  static now() { return Right.now() + wrong; }
};
"""


def revoke(performance: Performance) -> None:
    (device,) = devices_of(performance.id)
    revoke_token(device.token_id)


def let_begin(database: psycopg.Connection[Any], performance: Performance, ago: timedelta) -> None:
    """Move the start of the performance, which takes two hours, into the past."""
    database.execute(
        "UPDATE performance SET starts_at = %s WHERE id = %s", [now() - ago, performance.id]
    )


def names_nobody(phone: Phone, *secrets: str) -> None:
    """Neither the stored data nor the page, hidden parts included, contains any of these."""
    typed = phone.page.locator("#query").input_value()
    kept = json.dumps(phone.read_databases()) + phone.page.content() + typed
    assert not [secret for secret in secrets if secret in kept]


class TestRevoked:
    def test_at_once_while_it_is_online(self, phone: Phone) -> None:
        performance = tonight()
        a_party(performance, 2, name="Ada Rossi")
        phone.join(performance)
        assert "Ada Rossi" in json.dumps(phone.read_databases())
        revoke(performance)
        expect(phone.page.locator("h1:visible")).to_have_text("This phone was revoked")
        phone.expect_empty_databases()
        phone.page.reload()
        phone.expect_text("This phone is not set up for a door yet.")

    def test_while_it_was_offline(self, phone: Phone, scans: Scans) -> None:
        performance = tonight(capacity=20)
        first, second = a_party(performance, 2, name="Ada"), a_party(performance, 3, name="Bruno")
        phone.join(performance)
        (token,) = [fact["token"] for fact in phone.read_databases()["facts"] if "token" in fact]
        phone.go_offline()
        phone.scan(first.reference)
        phone.expect_verdict("Let 2 in")
        revoke(performance)
        # It cannot know.
        phone.scan(ticket_token(second))
        phone.expect_verdict("Let 3 in")
        phone.context.set_offline(False)
        expect(phone.page.locator("h1:visible")).to_have_text("This phone was revoked")
        phone.expect_text("ask staff for a new QR code")
        phone.expect_empty_databases()
        names_nobody(phone, "Ada", "Bruno", token)
        assert [(scan.reference, scan.verdict, scan.people) for scan in scans()] == [
            (first.reference, "revoked", 0),
            (second.reference, "revoked", 0),
        ]
        assert (fresh(first.id).admitted, fresh(second.id).admitted) == (0, 0)

    def test_by_the_answer_to_a_scan(self, phone: Phone) -> None:
        performance = tonight()
        party = a_party(performance, 2)
        phone.join(performance)
        phone.page.route("**/sync", lambda _: None)
        revoke(performance)
        phone.scan(party.reference)
        expect(phone.page.locator("h1:visible")).to_have_text("This phone was revoked")
        expect(phone.verdict).to_be_empty()
        assert fresh(party.id).admitted == 0
        names_nobody(phone, "Ada Rossi")

    def test_nobodys_name_stays_in_the_page(self, phone: Phone) -> None:
        performance = tonight()
        party = a_party(performance, 2, name="Ada Rossi")
        a_party(performance, 2, name="Bruno Verdi")
        phone.join(performance)
        phone.go_offline()
        # A conflict, which is told by name; the last one let in; one who was found.
        phone.scan(party.reference)
        phone.expect_verdict("Let 2 in")
        admit(performance.id, party.reference, uuid4(), DOOR_B)
        phone.go_online()
        expect(phone.notices).to_contain_text("Ada Rossi")
        phone.press("Next")
        expect(phone.page.locator("[data-last-words]")).to_contain_text("Ada Rossi")
        phone.type("Bruno")
        expect(phone.page.locator("[data-found]")).to_contain_text("Bruno Verdi")
        revoke(performance)
        expect(phone.page.locator("h1:visible")).to_have_text("This phone was revoked")
        phone.expect_empty_databases()
        names_nobody(phone, "Ada", "Bruno", party.reference)

    def test_nor_does_one_that_was_being_looked_for(self, phone: Phone) -> None:
        performance = tonight()
        a_party(performance, 2, name="Ada Rossi", email="someone@example.org")
        phone.join(performance)
        found = HeldRequests(phone.page, "**/parties")
        phone.type("someone@example.org")
        found.wait()
        answer = found.routes[0].fetch()
        revoke(performance)
        expect(phone.page.locator("h1:visible")).to_have_text("This phone was revoked")
        with phone.page.expect_response("**/parties"):
            found.routes[0].fulfill(response=answer)
        phone.wait_until_settled()
        names_nobody(phone, "Ada Rossi", "someone@example.org")

    def test_a_new_invitation_makes_it_a_door_again(self, phone: Phone) -> None:
        performance = tonight()
        party = a_party(performance, 2)
        phone.join(performance)
        revoke(performance)
        expect(phone.page.locator("h1:visible")).to_have_text("This phone was revoked")
        phone.join(performance, "Door A again")
        phone.scan(party.reference)
        phone.expect_verdict("Let 2 in")


def test_a_token_that_nobody_knows_asks_for_a_new_qr(
    phone: Phone, database: psycopg.Connection[Any]
) -> None:
    performance = tonight()
    a_party(performance, 2, name="Ada Rossi")
    phone.join(performance)
    database.execute("DELETE FROM api_token")
    expect(phone.page.locator("h1:visible")).to_have_text("This phone is no longer registered")
    phone.expect_empty_databases()


class TestOver:
    def test_the_list_is_wiped(
        self, phone: Phone, database: psycopg.Connection[Any], scans: Scans
    ) -> None:
        performance = tonight()
        party = a_party(performance, 2, name="Ada Rossi")
        phone.join(performance)
        phone.go_offline()
        phone.scan(party.reference)
        phone.expect_verdict("Let 2 in")
        let_begin(database, performance, timedelta(hours=3))
        phone.context.set_offline(False)
        expect(phone.page.locator("h1:visible")).to_have_text("This performance is over")
        phone.expect_empty_databases()
        # What was done before it was over is not lost by that.
        assert [(scan.verdict, scan.people) for scan in scans()] == [("admitted", 2)]

    @pytest.mark.parametrize("wrong", [timedelta(hours=1), -timedelta(hours=1)], ids=str)
    def test_without_a_network_by_the_servers_clock(
        self, phone: Phone, database: psycopg.Connection[Any], wrong: timedelta, scans: Scans
    ) -> None:
        performance = tonight()
        party = a_party(performance, 2, name="Ada Rossi")
        # Its door closes in half an hour.
        let_begin(database, performance, timedelta(minutes=90))
        phone.install_clock(time=datetime.now(UTC) + wrong)
        phone.join(performance)
        phone.go_offline()
        phone.scan(party.reference)
        phone.expect_verdict("Let 2 in")
        phone.press("Next")
        phone.page.clock.fast_forward("25:00")
        phone.scan(party.reference)
        phone.expect_verdict("Already in")
        phone.page.clock.fast_forward("06:00")
        expect(phone.page.locator("h1:visible")).to_have_text("This performance is over")
        phone.expect_text("2 scans are still waiting to be sent.")
        assert phone.read_databases()["parties"] == []
        names_nobody(phone, "Ada Rossi")
        # They are sent all the same, and then nothing is kept.
        let_begin(database, performance, timedelta(minutes=121))
        phone.context.set_offline(False)
        phone.expect_empty_databases()
        assert [(scan.verdict, scan.people) for scan in scans()] == [
            ("admitted", 2),
            ("already_in", 0),
        ]

    def test_what_still_waits_can_be_forgotten(
        self, phone: Phone, database: psycopg.Connection[Any]
    ) -> None:
        performance = tonight()
        party = a_party(performance, 2, name="Ada Rossi")
        let_begin(database, performance, timedelta(minutes=119))
        phone.install_clock()
        phone.join(performance)
        phone.wait_until_installed()
        phone.go_offline()
        phone.scan(party.reference)
        phone.expect_verdict("Let 2 in")
        phone.page.clock.fast_forward("02:00")
        phone.expect_text("1 scan is still waiting to be sent.")
        phone.press("Forget this performance")
        phone.expect_text("This phone is not set up for a door yet.")
        phone.expect_empty_databases()


@pytest.mark.parametrize("minutes", [60, -60])
def test_times_are_the_servers_on_a_phone_whose_clock_is_wrong(
    phone: Phone, scans: Scans, minutes: int
) -> None:
    performance = tonight()
    party, other = a_party(performance, 2), a_party(performance, 1)
    phone.page.add_init_script(_WRONG_CLOCK % minutes)
    phone.join(performance)
    phone.wait_until_installed()
    phone.go_offline()
    before = now()
    phone.scan(party.reference)
    phone.expect_verdict("Let 2 in")
    # It remembers how wrong it is.
    phone.page.reload()
    phone.scan(other.reference)
    phone.expect_verdict("Let 1 in")
    phone.go_online()
    assert len(scans()) == 2
    # To some seconds: a phone cannot know how long each way of an answer takes.
    some = timedelta(seconds=30)
    for scan in scans():
        assert before - some < scan.scanned_at < now()


def test_a_cancelled_performance_lets_nobody_in(phone: Phone) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    phone.join(performance)
    cancel_performance(performance.id)
    caution = phone.page.locator("[data-caution]")
    expect(caution).to_have_text("This performance was cancelled: admit nobody.")
    for _ in ("with a network", "and without"):
        phone.scan(ticket_token(party))
        phone.expect_verdict("Performance cancelled")
        phone.press("Next")
        phone.press("Walk-in +1")
        phone.expect_verdict("Performance cancelled")
        phone.press("Next")
        phone.go_offline()
