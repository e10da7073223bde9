"""Buttons that have just appeared under a finger ignore it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from azionelab.database import now
from tests.factories import a_party, fresh, ticket_token
from tests.support.door import Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")

Scans = Callable[[], list[Any]]
SETTLES = 500  # milliseconds, as the app has it


@pytest.fixture
def slow(make_phone: Callable[..., Phone]) -> Phone:
    """A phone with a touch screen and a clock that the test controls."""
    phone = make_phone(has_touch=True)
    phone.install_clock()
    return phone


def stop_clock(phone: Phone) -> None:
    phone.page.clock.pause_at(now() + timedelta(seconds=2))


def middle(part: Locator) -> tuple[float, float]:
    box = part.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def lies_at(part: Locator, place: tuple[float, float]) -> bool:
    """Whether the element is on top at its position."""
    box = part.bounding_box()
    assert box is not None
    return (
        box["x"] <= place[0] <= box["x"] + box["width"]
        and box["y"] <= place[1] <= box["y"] + box["height"]
    )


def test_a_second_tap_on_next_lets_nobody_in(slow: Phone, scans: Scans) -> None:
    performance = tonight(capacity=20)
    party = a_party(performance, 2)
    slow.join(performance)
    slow.scan(ticket_token(party))
    slow.expect_verdict("Let 2 in")
    place, touch = middle(slow.verdict.get_by_role("button", name="Next")), slow.page.touchscreen
    stop_clock(slow)
    touch.tap(*place)
    expect(slow.verdict).to_be_empty()
    assert lies_at(slow.page.get_by_role("button", name="Walk-in +1"), place)
    touch.tap(*place)
    slow.page.clock.run_for(SETTLES - 1)
    touch.tap(*place)
    assert [scan.people for scan in scans()] == [2]
    # Whoever means it taps a moment later.
    slow.page.clock.run_for(1)
    touch.tap(*place)
    slow.expect_verdict("Let 1 in", "Without a booking.")
    assert [scan.people for scan in scans()] == [2, 1]


def test_a_tap_meant_for_the_card_before_does_nothing_to_the_next_party(
    slow: Phone, scans: Scans
) -> None:
    performance = tonight(capacity=20)
    first, second = a_party(performance, 3, name="Ada"), a_party(performance, 3, name="Bruno")
    slow.join(performance)
    slow.scan(ticket_token(first))
    slow.expect_verdict("Let 3 in", "Ada")
    undo, fewer = (
        middle(slow.verdict.get_by_role("button", name=name, exact=True))
        for name in ("Undo", "Only some came: 1")
    )
    stop_clock(slow)
    slow.scan(ticket_token(second))
    slow.expect_verdict("Let 3 in", "Bruno")
    assert lies_at(slow.verdict.get_by_role("button", name="Undo"), undo)
    slow.page.touchscreen.tap(*undo)
    slow.page.touchscreen.tap(*fewer)
    slow.page.clock.run_for(SETTLES)
    slow.expect_verdict("Let 3 in", "Bruno")
    assert [(scan.people, scan.undone) for scan in scans()] == [(3, False), (3, False)]
    slow.page.touchscreen.tap(*undo)
    slow.expect_verdict("Undone", "Bruno")
    assert (fresh(first.id).admitted, fresh(second.id).admitted) == (3, 0)


def test_a_sheet_that_opens_under_a_finger_is_not_pressed(slow: Phone, scans: Scans) -> None:
    slow.join(tonight(capacity=20))
    slow.press("More")
    place = middle(slow.page.get_by_role("button", name="Walk-in 4", exact=True))
    slow.press("Close")
    stop_clock(slow)
    slow.page.clock.run_for(SETTLES)
    slow.page.locator("[data-do=more]").tap()
    slow.page.touchscreen.tap(*place)
    slow.page.clock.run_for(SETTLES)
    expect(slow.page.locator("dialog[open]")).to_have_count(1)
    slow.page.touchscreen.tap(*place)
    slow.expect_verdict("Let 4 in")
    assert [scan.people for scan in scans()] == [4]


def test_keys_and_hand_scanners_need_not_wait(slow: Phone, scans: Scans) -> None:
    performance = tonight(capacity=20)
    first, second = a_party(performance, 2, name="Ada"), a_party(performance, 2, name="Bruno")
    slow.join(performance)
    stop_clock(slow)
    slow.scan(ticket_token(first))
    slow.expect_verdict("Let 2 in", "Ada")
    slow.scan(ticket_token(second))
    slow.expect_verdict("Let 2 in", "Bruno")
    next_one = slow.verdict.get_by_role("button", name="Next")
    expect(next_one).to_be_focused()
    expect(next_one).to_be_enabled()
    slow.page.keyboard.press("Shift+Tab")
    slow.page.keyboard.press("Enter")
    slow.expect_verdict("Undone", "Bruno")
    slow.page.keyboard.press("Enter")
    expect(slow.verdict).to_be_empty()
    assert [scan.undone for scan in scans()] == [False, True]
