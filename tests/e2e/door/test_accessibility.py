"""The door works with a keyboard and a screen reader."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from azionelab.bookings.rules import cancel
from azionelab.checkin.devices.registry import devices_of
from azionelab.staff.tokens import revoke_token
from tests.factories import a_party, a_performance, fresh, ticket_token
from tests.support.axe import violations
from tests.support.door import HeldRequests, Phone, invitation, tonight

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(make_phone: Callable[..., Phone], scheme: str) -> None:
    performance = tonight(capacity=14)
    party, late = a_party(performance, 4, name="Ada Rossi"), a_party(performance, 2, name="Bruno")
    pending, cancelled = a_party(performance, 1, confirmed=False), a_party(performance, 1)
    cancel(cancelled.id)
    elsewhere = a_party(a_performance())
    phone = make_phone(color_scheme=scheme, bypass_csp=True)
    found: dict[str, list[str]] = {}

    def look(state: str) -> None:
        found[state] = violations(phone.page)

    def scan(code: str, words: str) -> None:
        phone.scan(code)
        phone.expect_verdict(words)
        look(words)

    phone.open()
    phone.expect_text("not set up for a door yet")
    look("stranger")
    phone.page.goto(f"{phone.site.url}/checkin/app#join=forged")
    phone.press("Yes, open the door")
    expect(phone.page.locator("[data-join-trouble]")).to_be_visible()
    look("join")
    phone.join(performance)
    look("door")
    phone.start_camera()
    expect(phone.page.locator("[data-camera-trouble]")).not_to_be_empty()
    look("no camera")
    scan(party.reference, "Let 4 in")
    scan(party.reference, "Already in")
    scan(ticket_token(elsewhere), "Another performance")
    scan(pending.reference, "Not confirmed")
    scan(cancelled.reference, "Cancelled")
    scan("ZZZZZZZZ", "Unknown")
    phone.press("Next")
    phone.press("Type or find")
    phone.page.locator("#query").fill("bruno")
    expect(phone.page.locator("[data-found] li")).to_have_count(1)
    look("found")
    phone.press("Close")
    phone.press("More")
    look("more")
    phone.press("Release seats")
    look("release")
    phone.press("Close")
    phone.release_seats()
    phone.press("Close")
    scan(late.reference, "Seats released")
    phone.go_offline()
    scan("Q" * 43, "Not on the list")
    phone.press("Let in anyway 2")
    phone.expect_verdict("Let 2 in")
    look("let in without the list")
    phone.press("Undo")
    phone.expect_verdict("Undone")
    look("undone")
    phone.press("Next")
    scan("Q" * 43, "Not on the list")
    phone.press("Let in anyway 3")
    phone.press("Next")
    look("no network")
    phone.go_online()
    expect(phone.notices.locator("li")).not_to_have_count(0)
    look("conflict")
    (device,) = devices_of(performance.id)
    revoke_token(device.token_id)
    expect(phone.page.locator("h1:visible")).to_have_text("This phone was revoked")
    look("ended")
    assert not {state: ids for state, ids in found.items() if ids}


def test_an_evening_by_keyboard_alone(phone: Phone) -> None:
    performance = tonight(capacity=20)
    party = a_party(performance, 3, name="Zoë Nguyen")
    keys = phone.page.keyboard

    def tab_to(name: str) -> None:
        """Go on by Tab, as long as it takes for somebody, to the button of that name."""
        button = phone.page.get_by_role("button", name=name, exact=True)
        for _ in range(20):
            if button.evaluate_all("parts => parts.includes(document.activeElement)"):
                return
            keys.press("Tab")
        raise AssertionError(f"no Tab leads to {name}")

    # The name is selected already: what is typed takes its place.
    phone.page.goto(invitation(phone.site, performance))
    expect(phone.page.get_by_label("Name of this door")).to_be_focused()
    keys.type("Gallery")
    tab_to("Yes, open the door")
    keys.press("Enter")
    phone.wait_until_synced()
    assert [device.label for device in devices_of(performance.id)] == ["Gallery"]

    tab_to("Type or find")
    keys.press("Enter")
    keys.type("zoe")
    keys.press("Enter")
    expect(phone.page.locator("[data-found]")).to_be_focused()
    tab_to("Let in 2")
    keys.press("Enter")
    phone.expect_verdict("Let 2 in")
    expect(phone.page.get_by_role("button", name="Next")).to_be_focused()
    # What lies under a verdict is out of reach.
    for _ in range(8):
        keys.press("Tab")
        assert not phone.page.evaluate(
            "document.querySelector('main').contains(document.activeElement)"
        )
    tab_to("Undo")
    keys.press("Space")
    phone.expect_verdict("Undone")
    keys.press("Enter")
    expect(phone.page.locator("#query")).to_be_focused()
    tab_to("Close")
    keys.press("Enter")
    tab_to("Walk-in +1")
    walk_in = phone.page.locator("[data-do=walk-in]").first
    for _ in range(3):
        keys.press("Enter")
        phone.expect_verdict("Let 1 in")
        keys.press("Enter")
        expect(phone.verdict).to_be_empty()
        expect(walk_in).to_be_focused()
    # Also when the button that had the focus went meanwhile.
    undo = phone.page.locator("[data-do=undo-last]")
    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    expect(undo).to_be_focused()
    keys.press("Enter")
    phone.expect_verdict("Undone")
    keys.press("Enter")
    expect(undo).to_be_hidden()
    expect(walk_in).to_be_focused()
    tab_to("More")
    keys.press("Enter")
    tab_to("Release seats")
    keys.press("Enter")
    keys.press("Escape")
    expect(phone.page.locator("dialog[open]")).to_have_count(0)
    assert fresh(party.id).admitted == 0


def test_verdicts_are_spoken(phone: Phone) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    phone.join(performance)
    # The region is there, and empty, before it has something to say.
    expect(phone.verdict).to_have_role("alert")
    expect(phone.verdict).to_be_empty()
    phone.scan(party.reference)
    expect(phone.verdict.get_by_role("heading")).to_have_text("Let 2 in")
    # Colour is never the only sign.
    expect(phone.verdict.locator("svg")).to_have_count(1)
    expect(phone.verdict.locator("svg")).to_have_attribute("aria-hidden", "true")


def test_while_the_door_asks_the_verdict_before_is_gone(phone: Phone) -> None:
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3)
    phone.wait_for_every_answer().join(performance)
    phone.scan(first.reference)
    phone.expect_verdict("Let 2 in")
    held = HeldRequests(phone.page, "**/scans")
    phone.scan(second.reference)
    expect(phone.verdict).to_have_text(re.compile(r"^\s*Checking…\s*$"))
    held.release()
    phone.expect_verdict("Let 3 in")


def test_who_looks_for_names_goes_on_among_them(phone: Phone) -> None:
    performance = tonight()
    party = a_party(performance, 2, name="Zoë Nguyen")
    phone.join(performance)
    phone.press("Type or find")
    query, found = phone.page.locator("#query"), phone.page.locator("[data-found]")
    expect(query).to_be_focused()
    query.fill("zoe")
    query.press("Enter")
    expect(found).to_contain_text(party.reference)
    # Not on their first button: an Enter too many lets nobody in.
    expect(found).to_be_focused()
    phone.page.keyboard.press("Enter")
    expect(phone.verdict).to_be_empty()
    phone.page.keyboard.press("Tab")
    phone.page.keyboard.press("Tab")
    phone.page.keyboard.press("Enter")
    phone.expect_verdict("Let 2 in")
    expect(phone.page.get_by_role("button", name="Next")).to_be_focused()
    phone.page.keyboard.press("Enter")
    expect(query).to_be_focused()
    assert fresh(party.id).admitted == 2


@pytest.mark.parametrize("how", ["Close", "Escape", "Back"])
def test_who_has_found_nobody_goes_back_to_the_door(phone: Phone, how: str) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    phone.join(performance)
    panel, open_it = phone.page.locator(".find"), phone.page.locator("[data-do=find]")
    for _ in range(2):
        phone.press("Type or find")
        phone.page.locator("#query").fill("nob")
        if how == "Close":
            phone.press(how)
        elif how == "Escape":
            phone.page.keyboard.press(how)
        else:
            phone.page.go_back()
        expect(panel).to_be_hidden()
        expect(open_it).to_be_focused()
        phone.wait_until_synced()
    phone.press("Type or find")
    phone.type(party.reference)
    phone.expect_verdict("Let 2 in")
    # Escape is for what is seen: it puts no verdict away, nor what lies below.
    phone.page.keyboard.press("Escape")
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    expect(panel).to_be_visible()
    # The panel leaves nothing behind: Back leads out, as it did before.
    phone.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    phone.page.go_back()
    assert phone.page.url == "about:blank"


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_needs_to_be_scrolled_to_sideways_and_targets_are_large(
    make_phone: Callable[..., Phone], width: int
) -> None:
    performance = tonight()
    party = a_party(performance, 6, name="Elena Ferrari della Torre Annunziata")
    phone = make_phone(viewport={"width": width, "height": 640}).join(performance)
    phone.scan(party.reference)
    phone.expect_verdict("Let 6 in")
    # WCAG 2.2's enhanced size: whoever keeps a door has one hand, and gloves on.
    for button in phone.verdict.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["width"] >= 44
        assert box["height"] >= 44
    expect(phone.verdict.get_by_role("button", name="Next")).to_be_in_viewport()
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
