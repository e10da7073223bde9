"""The door goes on if an offline phone's clock is corrected, or jumps."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from azionelab.checkin.devices.registry import devices_of
from azionelab.database import now
from tests.factories import a_party
from tests.support.door import Phone, tonight, until

pytestmark = pytest.mark.usefixtures("in_app")

Scans = Callable[[], list[Any]]
A_DAY = timedelta(days=1)


@pytest.mark.parametrize("wrong", [-A_DAY, timedelta(0)], ids=["put right", "jumps ahead"])
def test_a_clock_that_is_set_ends_no_evening(phone: Phone, scans: Scans, wrong: timedelta) -> None:
    performance = tonight(capacity=20)
    first, second = a_party(performance, 2, name="Ada"), a_party(performance, 3, name="Bruno")
    phone.install_clock(time=datetime.now(UTC) + wrong)
    clock = phone.page.clock
    phone.join(performance)
    phone.wait_until_installed()
    phone.go_offline()
    before = now()
    phone.scan(first.reference)
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    clock.set_system_time(datetime.now(UTC) + wrong + A_DAY)
    # The page looks at its clock four times a minute.
    clock.fast_forward("00:16")
    phone.expect_text("may have changed, or the phone may have been off")
    phone.scan(second.reference)
    phone.expect_verdict("Let 3 in")
    # Also when it is opened once more.
    phone.page.reload()
    phone.expect_text("may have changed, or the phone may have been off")
    phone.scan(second.reference)
    phone.expect_verdict("Already in")
    phone.go_online()
    expect(phone.page.locator("[data-clock]")).to_be_hidden()
    assert [scan.people for scan in scans()] == [2, 3, 0]
    # To some seconds, and the 16 that only the phone has seen.
    for scan in scans():
        assert before - timedelta(seconds=30) < scan.scanned_at <= now()


def test_the_systems_clock_jumps_a_day(phone: Phone) -> None:
    performance = tonight(capacity=20)
    first, second = a_party(performance, 2), a_party(performance, 3)
    phone.join(performance)
    phone.go_offline()
    phone.scan(first.reference)
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    # By the DevTools protocol, for all that the browser asks. Its time goes on only as it is told to from then on.
    devtools = phone.context.new_cdp_session(phone.page)
    tomorrow = {"policy": "advance", "budget": 16_000, "initialVirtualTime": time.time() + 86_400}
    devtools.send("Emulation.setVirtualTimePolicy", tomorrow)
    assert phone.page.evaluate("Date.now()") > (time.time() + 80_000) * 1_000

    def shows(words: str) -> bool:
        devtools.send("Emulation.setVirtualTimePolicy", {"policy": "advance", "budget": 1_000})
        return phone.page.get_by_text(words).locator("visible=true").count() > 0

    until(
        phone.page,
        lambda: shows("may have changed, or the phone may have been off"),
        "the jump to be told",
    )
    phone.scan(second.reference)
    until(phone.page, lambda: shows("Let 3 in"), "the verdict")
    expect(phone.count("inside")).to_have_text("5")


def test_an_evening_that_the_phones_clock_says_is_over_is_ended_by_hand(phone: Phone) -> None:
    performance = tonight()
    a_party(performance, 2, name="Ada Rossi")
    phone.install_clock(time=datetime.now(UTC))
    phone.join(performance)
    phone.go_offline()
    expect(phone.state).to_contain_text("No network since")
    end = phone.page.locator("[data-over] button")
    expect(end).to_be_hidden()
    phone.page.clock.set_system_time(datetime.now(UTC) + A_DAY)
    phone.page.clock.fast_forward("00:16")
    end.click()
    phone.press("Close")
    expect(end).to_be_visible()
    end.click()
    phone.press("Yes, it is over")
    expect(phone.page.locator("h1:visible")).to_have_text("Ended here")
    assert "Ada Rossi" not in str(phone.read_databases())
    # The server is told when there is a network: nobody waits to hear of this phone any more.
    phone.context.set_offline(False)
    phone.expect_empty_databases()
    (device,) = devices_of(performance.id)
    assert device.put_away_at is not None
