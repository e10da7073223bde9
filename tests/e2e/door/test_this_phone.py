"""Settings of a phone: hidden names, a PIN lock, kiosk mode."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.factories import a_party
from tests.support.axe import violations
from tests.support.camera import seen, table, ticket
from tests.support.door import Phone, tonight, until

pytestmark = pytest.mark.usefixtures("in_app")

Scans = Callable[[], list[Any]]
SHEET = "This phone: sounds, names, PIN, kiosk, end"
PIN = "2468"
_IS_ON_TOP = """
(part) => {
  const { x, y, width, height } = part.getBoundingClientRect();
  return document.elementFromPoint(x + width / 2, y + height / 2) === part;
}
"""


def opens_sheet(phone: Phone) -> None:
    phone.press("More")
    phone.press(SHEET)


def types_pin(phone: Phone, pin: str = PIN) -> None:
    phone.page.locator("#unlock-pin").fill(pin)
    phone.press("Unlock")


def unlocks(phone: Phone) -> None:
    types_pin(phone)
    # Checking a PIN takes a moment; until then keys belong to its field.
    expect(phone.page.locator("#unlock-pin")).to_be_hidden()


def is_locked(phone: Phone) -> None:
    expect(phone.page.locator("h1:visible")).to_have_text("Locked")


def finds_nothing_wrong(phone: Phone) -> None:
    assert violations(phone.page) == []


def test_an_evening_with_a_phone_that_guests_can_look_at(
    make_phone: Callable[..., Phone], scans: Scans
) -> None:
    performance = tonight()
    names = ("Ada Rossi", "Bruno Verdi", "Carla Neri")
    ada, bruno, carla = (a_party(performance, 3, name=name) for name in names)
    phone = make_phone(viewport={"width": 360, "height": 740}, bypass_csp=True)
    phone.join(performance)

    # Names are initials until they are pressed.
    opens_sheet(phone)
    phone.page.get_by_label("Hide names").check()
    phone.page.get_by_label("Sound", exact=True).select_option("off")
    phone.press("Try: admitted")
    finds_nothing_wrong(phone)
    phone.press("Close")
    phone.scan(ada.reference)
    phone.expect_verdict("Let 3 in", "A. R.")
    expect(phone.verdict).not_to_contain_text("Ada Rossi")
    phone.press("Show the name of A. R.")
    phone.expect_verdict("Ada Rossi")
    phone.press("Next")
    expect(phone.page.locator("[data-last-words]")).to_contain_text(f"A. R. ({ada.reference})")

    # What waits is sent while it is locked, and it is locked when it starts.
    opens_sheet(phone)
    phone.page.locator("#new-pin").fill("12")
    phone.press("Set the PIN")
    phone.expect_text("A PIN has four to eight digits.")
    phone.page.locator("#new-pin").fill(PIN)
    phone.press("Set the PIN")
    phone.press("Close")
    phone.wait_until_installed()
    phone.go_offline()
    phone.scan(bruno.reference)
    phone.expect_verdict("Let 3 in", "B. V.")
    phone.press("Next")
    opens_sheet(phone)
    phone.press("Lock now")
    is_locked(phone)
    finds_nothing_wrong(phone)
    phone.scan(carla.reference)
    phone.page.reload()
    is_locked(phone)
    types_pin(phone, "1357")
    phone.expect_text("Wrong PIN.")
    phone.context.set_offline(False)
    until(phone.page, lambda: len(scans()) == 2, "what waited to be sent")
    is_locked(phone)
    unlocks(phone)
    phone.wait_until_synced()
    assert PIN not in phone.page.evaluate("JSON.stringify({ ...localStorage })")

    # A kiosk lets in whole parties, names nobody, and is left by the PIN.
    opens_sheet(phone)
    phone.press("Start the kiosk")
    phone.expect_text("Show your ticket")
    phone.scan(carla.reference)
    phone.expect_verdict("Welcome: 3 people", "Please go in.")
    expect(phone.verdict.get_by_role("button")).to_have_count(0)
    finds_nothing_wrong(phone)
    phone.scan(carla.reference)
    phone.expect_verdict("Please see the staff")
    expect(phone.verdict).not_to_contain_text("Carla")
    expect(phone.verdict).to_be_empty()
    phone.page.reload()
    phone.expect_text("Show your ticket")
    expect(phone.page.get_by_role("button", name="More")).to_be_hidden()
    leave = phone.page.get_by_role("button", name="Staff: press")
    leave.click()
    is_locked(phone)
    phone.press("Back to the kiosk")
    phone.expect_text("Show your ticket")
    leave.click()
    unlocks(phone)
    phone.wait_until_synced()
    assert [scan.verdict for scan in scans()] == ["admitted", "admitted", "admitted", "already_in"]

    # Who forgot the PIN loses the list, and no scan.
    phone.go_offline()
    phone.scan("A" * 43)
    phone.expect_verdict("Not on the list")
    phone.press("Turn away")
    phone.press("Next")
    opens_sheet(phone)
    phone.press("Lock now")
    phone.page.get_by_text("PIN forgotten?").click()
    phone.press("Remove the list and the PIN")
    expect(phone.page.locator("h1:visible")).to_have_text("Ended here")
    phone.expect_text("1 scan is still waiting to be sent.")
    phone.context.set_offline(False)
    phone.expect_empty_databases()
    assert len(scans()) == 5
    phone.join(performance)
    phone.scan(ada.reference)
    phone.expect_verdict("Already in")


def test_a_kiosk_without_a_pin_is_left_by_holding_its_corner(phone: Phone) -> None:
    performance = tonight()
    phone.join(performance)
    opens_sheet(phone)
    phone.press("Start the kiosk")
    more = phone.page.get_by_role("button", name="More")
    corner = phone.page.locator("[data-kiosk-exit]")
    corner.click()
    expect(more).to_be_hidden()
    corner.hover()
    phone.page.mouse.down()
    expect(more).to_be_visible()
    phone.page.mouse.up()


def test_a_kiosk_asks_over_the_picture_of_its_camera(
    scanner: Phone, show: Callable[..., None]
) -> None:
    performance = tonight()
    show((table(), 5), (seen(ticket(a_party(performance, 2))), 5))
    scanner.join(performance)
    opens_sheet(scanner)
    scanner.press("Start the kiosk")
    scanner.page.locator("[data-camera-picture]:visible").wait_for()
    prompt = scanner.page.get_by_text("Show your ticket")
    assert prompt.evaluate(_IS_ON_TOP)
    scanner.expect_verdict("Welcome: 2 people", "Please go in.")
