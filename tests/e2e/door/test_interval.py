"""The interval at two doors, one of them offline."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from azionelab.checkin.devices.offline_list import conflicts
from azionelab.checkin.scanning.interval import allow_reentry
from tests.factories import a_party, ticket_token
from tests.support.door import Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")

# As it stays: a change of colour takes its time.
_BACKGROUND = """
async (button) => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  for (let running; (running = button.getAnimations()).length;) {
    await Promise.all(running.map(({ finished }) => finished.catch(() => undefined)));
  }
  return getComputedStyle(button).backgroundColor;
}
"""


def test_an_interval_at_two_doors_of_which_one_has_no_network(
    make_phone: Callable[..., Phone],
) -> None:
    performance = tonight(capacity=10)
    party = a_party(performance, 4)
    one, other = (make_phone().join(performance, name) for name in ("Door A", "Door B"))
    for phone in (one, other):
        expect(phone.page.locator("[data-ways]")).to_be_hidden()
    one.scan(ticket_token(party))
    one.expect_verdict("Let 4 in")
    one.press("Next")
    one.press("Walk-in +1")
    one.expect_verdict("Let 1 in")
    one.press("Next")
    allow_reentry(performance.id, allowed=True)
    for phone in (one, other):
        expect(phone.page.locator("[data-ways]")).to_be_visible()
        expect(phone.count("in_building")).to_have_text("5")
    # Out, by the phone that has no network: all of them, then as many as it was.
    other.wait_until_installed()
    other.go_offline()
    other.press("Exit")
    other.expect_text("Exit: people scanned here go out.")
    # Phones take what was pressed last for hovered: it is read all the same.
    pressed = other.page.get_by_role("button", name="Exit")
    colour = pressed.evaluate(_BACKGROUND)
    other.page.mouse.move(0, 0)
    assert pressed.evaluate(_BACKGROUND) == colour
    other.scan(ticket_token(party))
    other.expect_verdict("4 go out")
    other.press("Only some go out: 3")
    other.expect_verdict("3 go out", "1 of the party is still in.")
    other.press("Next")
    other.press("More")
    other.press("Let out 1")
    other.expect_verdict("1 goes out")
    other.press("Next")
    expect(other.count("in_building")).to_have_text("1")
    expect(other.count("inside")).to_have_text("5")
    expect(one.count("in_building")).to_have_text("5")
    # It is killed, and goes on where it was.
    other.open()
    expect(other.count("in_building")).to_have_text("1")
    other.go_online()
    for phone in (one, other):
        expect(phone.count("in_building")).to_have_text("1")
        phone.expect_text("out during the interval: 4")
    # In again, by the ticket at the one, by the list at the other, and without a ticket.
    one.scan(ticket_token(party))
    one.expect_verdict("3 in again")
    one.press("Only some came back: 2")
    one.expect_verdict("2 in again", "1 of the party is still out.")
    one.press("Next")
    expect(other.count("in_building")).to_have_text("3")
    other.go_offline()
    other.type(party.name)
    other.press("In again 1")
    other.expect_verdict("1 in again")
    other.press("Next")
    other.press("Close")
    other.press("More")
    other.press("In again 1")
    other.expect_verdict("1 in again")
    other.press("Next")
    other.go_online()
    for phone in (one, other):
        expect(phone.count("in_building")).to_have_text("5")
        expect(phone.count("inside")).to_have_text("5")
        expect(phone.page.locator("[data-outside]")).to_be_hidden()
    one.scan(ticket_token(party))
    one.expect_verdict("Already in")
    assert conflicts(performance.id) == []
