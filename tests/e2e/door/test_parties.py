"""Parties that come in parts, walk-ins, and seats of no-shows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from azionelab.bookings.rules import cancel, confirm
from azionelab.database import now
from tests.factories import a_party, a_performance, fresh, ticket_token
from tests.support.door import Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")

Scans = Callable[[], list[Any]]


@pytest.mark.parametrize("network", [True, False], ids=["online", "offline"])
def test_a_part_of_a_party_now_and_the_rest_later(
    phone: Phone, scans: Scans, network: bool
) -> None:
    performance = tonight(capacity=20)
    party = a_party(performance, 4, name="Ada Rossi")
    phone.join(performance)
    if not network:
        phone.go_offline()
    phone.scan(ticket_token(party))
    phone.expect_verdict("Let 4 in", "The whole party is in.")
    phone.press("Only some came: 3")
    phone.expect_verdict("Let 3 in", "1 of the party is still to come.", "3 in")
    phone.press("Next")
    expect(phone.count("inside")).to_have_text("3")
    phone.scan(ticket_token(party))
    phone.expect_verdict("Let 1 in", "The whole party is in.")
    # A hand was too fast: undone on the verdict itself, or later.
    phone.press("Undo")
    phone.expect_verdict("Undone", "They count as outside again; 3 of the party are in.", "3 in")
    phone.press("Let in 1")
    phone.expect_verdict("Let 1 in")
    phone.press("Next")
    phone.press("Undo")
    phone.expect_verdict("Undone")
    phone.press("Next")
    expect(phone.count("inside")).to_have_text("3")
    if not network:
        phone.go_online()
    assert [(scan.verdict, scan.people, scan.undone) for scan in scans()] == [
        ("admitted", 4, True),
        ("admitted", 3, False),
        ("admitted", 1, True),
        ("admitted", 1, True),
    ]
    assert fresh(party.id).admitted == 3
    expect(phone.count("inside")).to_have_text("3")


def test_a_large_party_is_counted_in_a_field(phone: Phone) -> None:
    performance = tonight(capacity=40, party_limit=20)
    party = a_party(performance, 20)
    phone.join(performance)
    phone.scan(party.reference)
    phone.expect_verdict("Let 20 in")
    phone.verdict.get_by_role("spinbutton", name="Only some came:").fill("11")
    phone.press("OK")
    phone.expect_verdict("Let 11 in", "9 of the party are still to come.")
    assert fresh(party.id).admitted == 11


def test_walk_ins_until_the_house_is_full(phone: Phone, scans: Scans) -> None:
    performance = tonight(capacity=6)
    a_party(performance, 2)
    phone.join(performance)
    phone.press("Walk-in +1")
    phone.expect_verdict("Let 1 in", "Without a booking. 3 seats are free.")
    phone.press("Next")
    phone.press("More")
    phone.press("Walk-in 3")
    phone.expect_verdict("Let 3 in", "Without a booking. 0 seats are free.")
    phone.press("Next")
    phone.press("Walk-in +1")
    phone.expect_verdict("Full", "No seats are left.")
    phone.press("Next")
    expect(phone.count("inside")).to_have_text("4")
    expect(phone.count("free")).to_have_text("0")
    # The three were let in by mistake.
    phone.press("Undo")
    phone.expect_verdict("Undone")
    phone.press("Next")
    expect(phone.count("free")).to_have_text("3")
    assert [(scan.verdict, scan.people, scan.undone) for scan in scans()] == [
        ("admitted", 1, False),
        ("admitted", 3, True),
        ("full", 0, False),
    ]


def test_walk_ins_without_a_network_stop_at_what_was_free(phone: Phone, scans: Scans) -> None:
    performance = tonight(capacity=3)
    phone.join(performance)
    phone.go_offline()
    phone.press("Walk-in +1")
    phone.expect_verdict("Let 1 in", "there is no network")
    phone.press("Next")
    phone.press("More")
    phone.press("Walk-in 3")
    phone.expect_verdict("Full")
    phone.press("Next")
    phone.press("More")
    phone.press("Walk-in 2")
    phone.expect_verdict("Let 2 in", "0 seats are free.")
    phone.press("Undo")
    phone.expect_verdict("Undone")
    phone.press("Next")
    expect(phone.count("free")).to_have_text("2")
    phone.press("More")
    phone.press("Walk-in 2")
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    expect(phone.count("inside")).to_have_text("3")
    expect(phone.count("free")).to_have_text("0")
    # Somebody booked the last place on the web meanwhile.
    a_party(performance, 1)
    phone.go_online()
    assert [(scan.verdict, scan.people, scan.claimed) for scan in scans()] == [
        ("admitted", 1, 1),
        ("full", 0, 0),
        ("admitted", 1, 0),
        ("admitted", 1, 2),
    ]
    expect(phone.notices).to_contain_text("1 person too many")


def test_released_places_go_to_walk_ins_and_late_comers_as_long_as_there_are_some(
    phone: Phone, scans: Scans
) -> None:
    performance = tonight(capacity=4)
    come, late = a_party(performance, 1, name="Ada"), a_party(performance, 3, name="Bruno")
    phone.join(performance)
    phone.scan(come.reference)
    phone.expect_verdict("Let 1 in")
    phone.press("Next")
    phone.press("Walk-in +1")
    phone.expect_verdict("Full")
    phone.press("Next")

    phone.press("More")
    phone.press("Release seats")
    # One press too many gives no place away: it is asked first, and can be left.
    ask = "3 seats become free for walk-ins (bookings: 1)."
    expect(phone.page.locator("[data-release-ask]")).to_have_text(ask)
    phone.press("Close")
    assert fresh(late.id).released == 0
    phone.release_seats()
    phone.press("Close")
    expect(phone.count("free")).to_have_text("3")

    phone.press("Walk-in +1")
    phone.expect_verdict("Let 1 in", "2 seats are free.")
    phone.scan(ticket_token(late))
    phone.expect_verdict("Seats released", "there are free seats")
    phone.press("Let in, late 2")
    phone.expect_verdict("Let 2 in")
    phone.scan(ticket_token(late))
    phone.expect_verdict("Full")
    assert (fresh(late.id).admitted, fresh(late.id).released) == (2, 1)
    phone.press("Next")
    phone.press("Walk-in +1")
    phone.expect_verdict("Full")


def test_released_places_can_be_taken_back(phone: Phone) -> None:
    performance = tonight(capacity=5)
    party = a_party(performance, 3)
    phone.join(performance)
    phone.release_seats()
    sheet = phone.page.locator("dialog[open]")
    expect(sheet).to_contain_text("3 seats became free.")
    phone.press("Undo release")
    expect(sheet).to_contain_text("3 seats are held again.")
    expect(sheet.get_by_role("button", name="Undo release")).to_be_disabled()
    phone.press("Close")
    expect(phone.count("to_come")).to_have_text("3")
    phone.scan(party.reference)
    phone.expect_verdict("Let 3 in")


def test_places_that_others_have_are_not_held_again(phone: Phone) -> None:
    performance = tonight(capacity=5)
    a_party(performance, 5)
    phone.join(performance)
    phone.release_seats()
    phone.press("Walk-in 2")
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    phone.press("More")
    sheet = phone.page.locator("dialog[open]")
    expect(sheet).to_contain_text("5 seats are released; undoing this now would hold 3 again.")
    phone.press("Undo release")
    expect(sheet).to_contain_text("3 seats are held again. 2 are not: others have them now.")


def test_a_late_comer_without_a_network(phone: Phone, scans: Scans) -> None:
    performance = tonight(capacity=3)
    party = a_party(performance, 3)
    phone.join(performance)
    phone.release_seats()
    phone.press("Close")
    expect(phone.count("free")).to_have_text("3")
    phone.go_offline()
    phone.scan(party.reference)
    phone.expect_verdict("Seats released")
    phone.press("Let in, late 2")
    phone.expect_verdict("Let 2 in")
    phone.go_online()
    assert [(scan.verdict, scan.people, scan.claimed) for scan in scans()] == [
        ("released", 0, 0),
        ("admitted", 2, 2),
    ]
    assert fresh(party.id).admitted == 2
    expect(phone.notices.locator("li")).to_have_count(0)


def test_places_are_not_released_too_early(phone: Phone) -> None:
    curtain = now() + timedelta(hours=2)
    performance = a_performance(starts_at=curtain, booking_closes_at=curtain)
    a_party(performance, 2)
    phone.join(performance)
    phone.press("More")
    expect(phone.page.locator("[data-release-words]")).to_contain_text("half an hour before")
    sheet = phone.page.locator("dialog[open]")
    expect(sheet.get_by_role("button", name="Release seats")).to_be_disabled()


def test_who_did_not_confirm_or_cancelled_is_told_apart(phone: Phone) -> None:
    performance = tonight()
    pending = a_party(performance, 2, confirmed=False)
    cancelled = a_party(performance, 2)
    cancel(cancelled.id)
    phone.join(performance)
    for code in (ticket_token(pending), pending.reference):
        # Without a network only what was typed: see below.
        phone.scan(code)
        phone.expect_verdict(
            "Not confirmed", "The visitor has not confirmed the booking from the e-mail."
        )
        phone.scan(ticket_token(cancelled))
        phone.expect_verdict("Cancelled", "Cancelled by the visitor today at ")
        phone.go_offline()


def test_who_confirms_after_the_network_went_can_be_let_in(phone: Phone) -> None:
    performance = tonight()
    party = a_party(performance, 3, confirmed=False)
    phone.join(performance)
    phone.wait_until_installed()
    phone.go_offline()
    confirm(party.id)
    phone.scan(ticket_token(party))
    phone.expect_verdict(
        "Confirmed after", "Tickets are sent only for confirmed bookings.", party.name
    )
    phone.press("Let in anyway 2")
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    phone.scan(ticket_token(party))
    phone.expect_verdict("Confirmed after")
    phone.press("Let in anyway 1")
    phone.press("Next")
    phone.scan(ticket_token(party))
    phone.expect_verdict("Already in")
    phone.press("Next")
    phone.go_online()
    assert fresh(party.id).admitted == 3
    expect(phone.notices.locator("li")).to_have_count(0)


def test_a_party_is_found_by_what_people_know_of_it(phone: Phone) -> None:
    performance = tonight()
    party = a_party(performance, 2, name="Zoë Nguyen", email="zoe@example.org")
    a_party(performance, 2, name="Bruno Bianchi")
    phone.join(performance)
    found, query = phone.page.locator("[data-found] li"), phone.page.locator("#query")
    phone.press("Type or find")
    for typed in ("nguy", "ZOE", party.reference.lower()):
        query.fill(typed)
        expect(found).to_have_count(1)
        expect(found).to_contain_text("Zoë Nguyen")
    # The server knows e-mail addresses, too.
    phone.type("zoe@example.org")
    expect(found).to_have_count(1)
    phone.type("nobody")
    expect(phone.page.locator("[data-found-none]")).to_contain_text("Nobody of that name")
    phone.type("zoe")
    phone.press("Let in 1")
    phone.expect_verdict("Let 1 in", "1 of the party is still to come.")
    assert fresh(party.id).admitted == 1
