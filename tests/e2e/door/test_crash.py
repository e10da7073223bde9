"""After a crash of the browser queued actions are still there, and are sent once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import BrowserContext, Playwright, Route, expect

from azionelab.bookings.tickets.signing import write_ticket
from tests.conftest import Site
from tests.e2e.conftest import QUIET, watched
from tests.e2e.door.conftest import PHONE
from tests.factories import a_party, fresh, ticket_token
from tests.support.door import HeldRequests, Phone, tonight, until
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.usefixtures("in_app")

Scans = Callable[[], list[Any]]
Open = Callable[..., BrowserContext]


def kill_browser(profile: Path) -> None:
    """Kill the browser of that profile with all its processes."""
    ours = [
        process
        for process in psutil.process_iter(["cmdline"])
        if f"--user-data-dir={profile}" in (process.info["cmdline"] or [])
    ]
    (browser,) = (p for p in ours if not any("--type=" in part for part in p.info["cmdline"]))
    family = [browser, *browser.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=PATIENCE)


@pytest.fixture
def start_browser(
    playwright: Playwright, whole_browser_path: str, tmp_path: Path
) -> Iterator[Open]:
    """Start a browser with a persistent profile."""
    started: list[BrowserContext] = []

    def start(*, offline: bool = False) -> BrowserContext:
        started.append(
            playwright.chromium.launch_persistent_context(
                tmp_path / "profile",
                executable_path=whole_browser_path,
                args=QUIET,
                offline=offline,
                **PHONE,
            )
        )
        return started[-1]

    yield start
    for context in started:
        context.close()


@contextmanager
def answers_lost(phone: Phone) -> Iterator[list[int]]:
    """Let syncs reach the server but drop the responses; returns their statuses."""
    reached: list[int] = []

    def lose(route: Route) -> None:
        reached.append(route.fetch().status)
        route.abort()

    phone.page.route("**/sync", lose)
    yield reached


def test_a_killed_browser_loses_no_scan_and_sends_each_once(
    start_browser: Open, live_site: Site, tmp_path: Path, scans: Scans
) -> None:
    performance = tonight(capacity=20)
    first, second = a_party(performance, 4, name="Ada"), a_party(performance, 2, name="Bruno")
    phone = Phone(watched(start_browser().pages[0]), live_site).join(performance)
    phone.wait_until_installed()
    phone.go_offline()
    phone.scan(ticket_token(first))
    phone.expect_verdict("Let 4 in")
    phone.press("Only some came: 3")
    phone.expect_verdict("Let 3 in")
    phone.scan(second.reference)
    phone.expect_verdict("Let 2 in")
    # Whom this phone let in without the list it knows as well.
    late = a_party(performance, 3)
    phone.scan(write_ticket(late))
    phone.press("Let in anyway 3")
    phone.expect_verdict("Let 3 in")
    kill_browser(tmp_path / "profile")

    again = Phone(watched(start_browser(offline=True).pages[0]), live_site).open()
    expect(again.state).to_contain_text("5 scans waiting")
    expect(again.count("inside")).to_have_text("8")
    for code in (second.reference, write_ticket(late), late.reference):
        again.scan(code)
        again.expect_verdict("Already in", "on this phone")
        again.press("Next")
    again.scan(first.reference)
    again.expect_verdict("Let 1 in")
    # Once more, as soon as the verdict is on the screen.
    kill_browser(tmp_path / "profile")

    last = Phone(watched(start_browser(offline=True).pages[0]), live_site).open()
    expect(last.state).to_contain_text("9 scans waiting")
    last.go_online()
    assert [(s.reference, s.verdict, s.people, s.undone) for s in scans()] == [
        (first.reference, "admitted", 4, True),
        (first.reference, "admitted", 3, False),
        (second.reference, "admitted", 2, False),
        (late.reference, "admitted", 3, False),
        (second.reference, "already_in", 0, False),
        (late.reference, "already_in", 0, False),
        (late.reference, "already_in", 0, False),
        (first.reference, "admitted", 1, False),
    ]
    assert (fresh(first.id).admitted, fresh(second.id).admitted) == (4, 2)
    assert last.read_databases()["waiting"] == []


def test_counts_are_after_a_kill_what_they_were(
    start_browser: Open, live_site: Site, tmp_path: Path
) -> None:
    performance = tonight(capacity=12)
    party = a_party(performance, 4)
    phone = Phone(watched(start_browser().pages[0]), live_site).join(performance)
    phone.wait_until_installed()
    # With a network, and before a sync tells the counts.
    HeldRequests(phone.page, "**/sync")
    phone.press("More")
    phone.press("Walk-in 6")
    phone.expect_verdict("Let 6 in")
    phone.scan(party.reference)
    phone.expect_verdict("Let 4 in")
    counts = {"expected": "10", "inside": "10", "to_come": "0", "free": "2"}
    for name, count in counts.items():
        expect(phone.count(name)).to_have_text(count)
    kill_browser(tmp_path / "profile")

    again = Phone(watched(start_browser(offline=True).pages[0]), live_site).open()
    for name, count in counts.items():
        expect(again.count(name)).to_have_text(count)
    again.press("More")
    again.press("Walk-in 3")
    again.expect_verdict("Full")


def test_what_the_server_took_before_the_crash_is_not_counted_again(
    start_browser: Open, live_site: Site, tmp_path: Path, scans: Scans
) -> None:
    performance = tonight(capacity=20)
    parties = [a_party(performance, n) for n in (1, 2, 3)]
    phone = Phone(watched(start_browser().pages[0]), live_site).join(performance)
    phone.wait_until_installed()
    phone.go_offline()
    for party in parties:
        phone.scan(party.reference)
        phone.expect_verdict(f"Let {party.seats} in")
    with answers_lost(phone) as reached:
        phone.context.set_offline(False)
        until(phone.page, lambda: 200 in reached, "the scans to be taken")
    assert [scan.people for scan in scans()] == [1, 2, 3]
    kill_browser(tmp_path / "profile")

    again = Phone(watched(start_browser(offline=True).pages[0]), live_site).open()
    expect(again.state).to_contain_text("3 scans waiting")
    again.go_online()
    assert [scan.people for scan in scans()] == [1, 2, 3]
    assert [fresh(party.id).admitted for party in parties] == [1, 2, 3]
    expect(again.notices.locator("li")).to_have_count(0)
