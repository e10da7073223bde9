"""An old page with a new server goes on, or says that it must be reloaded."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, Route, expect

from tests.conftest import Site
from tests.factories import a_party, fresh
from tests.support.door import Phone, has_a_scan_to_send, tonight, until

pytestmark = pytest.mark.usefixtures("in_app")

_WAITS = """
async () => {
  const registered = await navigator.serviceWorker.getRegistration("/checkin/");
  return registered?.waiting?.state === "installed";
}
"""


def is_too_old(page: Page) -> None:
    """Let the server refuse this page's version until it is reloaded."""
    loaded: list[Frame] = []

    def note(frame: Frame) -> None:
        loaded.append(frame)

    def answer(route: Route) -> None:
        body = {"type": "/api/problems/reload-needed", "title": "Reload needed", "status": 409}
        if loaded:
            route.continue_()
        else:
            route.fulfill(status=409, json=body, content_type="application/problem+json")

    page.on("framenavigated", note)
    page.route("**/sync", answer)


def test_a_page_that_is_too_old_says_so_and_loses_nothing(
    phone: Phone, scans: Callable[[], list[Any]]
) -> None:
    party = has_a_scan_to_send(phone)
    phone.press("Next")
    is_too_old(phone.page)
    phone.context.set_offline(False)
    outdated = phone.page.locator("[data-outdated]")
    expect(outdated).to_contain_text("There is a newer version of this page")
    assert scans() == []
    assert len(phone.read_databases()["waiting"]) == 1

    phone.press("Load the new version")
    expect(outdated).to_be_hidden()
    phone.wait_until_synced()
    assert [(scan.verdict, scan.people) for scan in scans()] == [("admitted", 2)]
    assert fresh(party.id).admitted == 2


def test_a_new_build_takes_over_at_the_next_start(
    start_site: Callable[..., Site], make_phone: Callable[..., Phone]
) -> None:
    site = start_site(SITE_NAME="Before")
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3)
    phone = make_phone(site).join(performance)
    phone.wait_until_installed()
    site.program.stop()
    start_site(SITE_BASE_URL=site.url, SITE_NAME="After")
    # Who is in the middle of the evening goes on with what they have, while the new one is fetched.
    phone.page.reload()
    expect(phone.page).to_have_title("The door · Before")
    phone.scan(first.reference)
    phone.expect_verdict("Let 2 in")
    until(phone.page, lambda: bool(phone.page.evaluate(_WAITS)), "the new build")
    phone.page.reload()
    expect(phone.page).to_have_title("The door · After")
    # Also without a network.
    phone.go_offline()
    phone.page.reload()
    expect(phone.page).to_have_title("The door · After")
    phone.scan(second.reference)
    phone.expect_verdict("Let 3 in")


def test_the_button_loads_the_new_build_at_once(
    start_site: Callable[..., Site], make_phone: Callable[..., Phone]
) -> None:
    site = start_site(SITE_NAME="Before")
    phone = make_phone(site).join(tonight())
    phone.wait_until_installed()
    site.program.stop()
    is_too_old(phone.page)
    start_site(SITE_BASE_URL=site.url, SITE_NAME="After")
    expect(phone.page.locator("[data-outdated]")).to_be_visible()
    phone.press("Load the new version")
    expect(phone.page).to_have_title("The door · After")
    phone.wait_until_synced()
