"""Two phones at two doors: the server decides, and offline conflicts are shown on both."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from azionelab.bookings.models import Reservation
from tests.factories import a_party, fresh, ticket_token
from tests.support.door import HeldRequests, Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")

Phones = Callable[..., Phone]
Scans = Callable[[], list[Any]]


def scan_together(phones: tuple[Phone, Phone], party: Reservation) -> None:
    """Scan the same party on both phones before either has its answer."""
    asked = [HeldRequests(phone.page, "**/scans") for phone in phones]
    for phone, held in zip(phones, asked, strict=True):
        phone.scan(ticket_token(party))
        held.wait()
    for held in asked:
        held.release()
    for phone in phones:
        expect(phone.page.locator("#verdict .verdict:not(.wait)")).to_be_visible()


@pytest.fixture
def doors(make_phone: Phones) -> tuple[Phone, Phone]:
    return make_phone().wait_for_every_answer(), make_phone().wait_for_every_answer()


def test_online_never_both_let_the_same_people_in(doors: tuple[Phone, Phone], scans: Scans) -> None:
    performance = tonight(capacity=40)
    for phone, name in zip(doors, ("Door A", "Door B"), strict=True):
        phone.join(performance, name)
    for seats in (1, 2, 6):
        party = a_party(performance, seats)
        scan_together(doors, party)
        green = [phone.page.locator(".verdict.good").count() for phone in doors]
        assert sorted(green) == [0, 1]
        refused = doors[green.index(0)]
        refused.expect_verdict("Already in", f"by Door {'AB'[green.index(1)]}")
        assert fresh(party.id).admitted == seats
    assert sorted(scan.verdict for scan in scans()) == ["admitted"] * 3 + ["already_in"] * 3


def test_part_of_a_party_at_each_door(doors: tuple[Phone, Phone]) -> None:
    performance = tonight()
    party = a_party(performance, 3)
    first, second = (phone.join(performance, name) for phone, name in zip(doors, "AB", strict=True))
    second.type("ada")
    buttons = second.page.locator("[data-found] button")
    expect(buttons).to_have_count(3)
    # The other door lets two of them in before the press, and this one has not heard of it.
    held = HeldRequests(second.page, "**/sync")
    first.type("ada")
    first.press("Let in 2")
    first.expect_verdict("Let 2 in")
    second.press("Let in 3")
    second.expect_verdict(
        "Check again", "Others of this party have been admitted meanwhile: 1 still to come."
    )
    held.release()
    second.press("Let in 1")
    second.expect_verdict("Let 1 in")
    assert fresh(party.id).admitted == 3


def test_offline_both_let_them_in_and_both_are_told(
    doors: tuple[Phone, Phone], scans: Scans
) -> None:
    performance = tonight()
    party = a_party(performance, 2, name="Ada Rossi")
    first, second = (
        phone.join(performance, name)
        for phone, name in zip(doors, ("Door A", "Door B"), strict=True)
    )
    for phone in (first, second):
        phone.go_offline()
        phone.scan(ticket_token(party))
        phone.expect_verdict("Let 2 in", "there is no network")
        phone.press("Next")
    first.go_online()
    expect(first.notices.locator("li")).to_have_count(0)
    second.go_online()

    for phone in (first, second):
        expect(phone.notices).to_contain_text("2 people too many")
        expect(phone.notices).to_contain_text("Ada Rossi was admitted twice")
        expect(phone.notices).to_contain_text("Door A")
        expect(phone.notices).to_contain_text("Door B")
        expect(phone.count("inside")).to_have_text("2")
    assert [(scan.verdict, scan.people, scan.claimed, scan.door) for scan in scans()] == [
        ("admitted", 2, 2, "Door A"),
        ("already_in", 0, 2, "Door B"),
    ]
    assert fresh(party.id).admitted == 2

    # Who has seen it puts it away, on this phone and for good.
    first.press("Seen")
    expect(first.notices.locator("li")).to_have_count(0)
    first.page.reload()
    first.wait_until_synced()
    expect(first.notices.locator("li")).to_have_count(0)
    expect(second.notices.locator("li")).to_have_count(1)


def test_a_conflict_that_is_undone_is_none(doors: tuple[Phone, Phone], scans: Scans) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    first, second = (phone.join(performance, name) for phone, name in zip(doors, "AB", strict=True))
    second.go_offline()
    second.scan(party.reference)
    second.expect_verdict("Let 2 in")
    first.scan(party.reference)
    first.expect_verdict("Let 2 in")
    second.go_online()
    expect(first.notices.locator("li")).to_have_count(1)
    # It was a mistake at the second door: nobody had gone in there.
    second.press("Undo")
    second.expect_verdict("Undone", "They count as outside again; 2 of the party are in.")
    expect(first.notices.locator("li")).to_have_count(0)
    assert fresh(party.id).admitted == 2


def test_each_phone_counts_what_the_other_does(doors: tuple[Phone, Phone]) -> None:
    performance = tonight(capacity=10)
    party = a_party(performance, 3)
    first, second = (phone.join(performance, name) for phone, name in zip(doors, "AB", strict=True))
    expect(second.count("expected")).to_have_text("3")
    first.scan(party.reference)
    first.expect_verdict("Let 3 in")
    expect(second.count("inside")).to_have_text("3")
    expect(second.count("to_come")).to_have_text("0")
    first.press("Next")
    first.press("Walk-in +1")
    first.expect_verdict("Let 1 in", "Without a booking.")
    expect(second.count("inside")).to_have_text("4")
    expect(second.count("free")).to_have_text("6")
    first.press("Undo")
    first.expect_verdict("Undone", "They count as outside again.")
    expect(second.count("inside")).to_have_text("3")
    # And who books meanwhile is known, also without a network.
    late = a_party(performance, 2)
    expect(second.count("expected")).to_have_text("5")
    second.go_offline()
    second.scan(ticket_token(late))
    second.expect_verdict("Let 2 in")


def test_what_is_shown_of_found_people_follows(doors: tuple[Phone, Phone]) -> None:
    performance = tonight()
    party = a_party(performance, 2, name="Zoë Nguyen")
    first, second = (phone.join(performance, name) for phone, name in zip(doors, "AB", strict=True))
    second.type("zoe")
    expect(second.page.locator("[data-found]")).to_contain_text("0 in")
    first.scan(party.reference)
    first.expect_verdict("Let 2 in")
    expect(second.page.locator("[data-found]")).to_contain_text("2 in")
    expect(second.page.locator("[data-found] button")).to_have_count(0)
