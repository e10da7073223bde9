"""Hand scanners are faster than answers: no code is dropped silently."""

import pytest
from playwright.sync_api import expect

from azionelab.bookings.rules import cancel
from tests.factories import a_party, fresh
from tests.support.door import HeldRequests, Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")


def test_a_ticket_scanned_during_checking_has_its_turn(phone: Phone) -> None:
    performance = tonight(capacity=20)
    first, second = a_party(performance, 2, name="Ada"), a_party(performance, 3, name="Bruno")
    phone.wait_for_every_answer().join(performance)
    noted = phone.record_verdicts()
    held = HeldRequests(phone.page, "**/scans")
    phone.scan(first.reference)
    phone.expect_verdict("Checking…")
    phone.scan(second.reference)
    # Nobody heard a beep.
    phone.scan(first.reference)
    phone.scan(second.reference)
    held.release()
    phone.expect_verdict("Let 2 in", "Ada")
    phone.expect_verdict("Let 3 in", "Bruno")
    assert noted() == ["admitted", "admitted"]
    assert (fresh(first.id).admitted, fresh(second.id).admitted) == (2, 3)


def test_next_does_not_lose_it(phone: Phone) -> None:
    performance = tonight(capacity=20)
    first, second = a_party(performance, 2, name="Ada"), a_party(performance, 3, name="Bruno")
    phone.wait_for_every_answer().join(performance)
    held = HeldRequests(phone.page, "**/scans")
    phone.scan(first.reference)
    phone.expect_verdict("Checking…")
    phone.scan(second.reference)
    held.release()
    phone.expect_verdict("Let 2 in", "Ada")
    phone.press("Next")
    phone.expect_verdict("Let 3 in", "Bruno")


def test_behind_a_refusal_it_is_said_that_it_was_not_taken(phone: Phone) -> None:
    phone.install_clock()
    performance = tonight(capacity=20)
    first, second = a_party(performance, 2, name="Ada"), a_party(performance, 3, name="Bruno")
    cancel(first.id)
    phone.wait_for_every_answer().join(performance)
    held = HeldRequests(phone.page, "**/scans")
    phone.scan(first.reference)
    phone.expect_verdict("Checking…")
    phone.scan(second.reference)
    held.release()
    phone.expect_verdict("Cancelled", "Another ticket was scanned meanwhile: scan this one again.")
    # Nobody could have seen a refusal that another verdict replaced.
    phone.page.clock.run_for(10_000)
    phone.expect_verdict("Cancelled")
    assert fresh(second.id).admitted == 0
    phone.scan(second.reference)
    phone.expect_verdict("Let 3 in", "Bruno")


def test_a_code_of_somebody_else_presses_no_button(phone: Phone) -> None:
    performance = tonight(capacity=20)
    phone.join(performance)
    phone.press("Walk-in +1")
    phone.expect_verdict("Let 1 in")
    phone.press("Next")
    # The button has the focus again, and a browser presses that with Space.
    expect(phone.page.get_by_role("button", name="Walk-in +1")).to_be_focused()
    phone.scan("WIFI:S:For our guests;T:WPA;P:good evening;;")
    phone.expect_text("Not one of our tickets")
    expect(phone.verdict).to_be_empty()
    expect(phone.count("inside")).to_have_text("1")
    # A person's Space does press it.
    phone.page.keyboard.press("Space")
    phone.expect_verdict("Let 1 in")
