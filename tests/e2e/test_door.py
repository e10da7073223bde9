"""The door in a real browser: no network, and a search by name."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.conftest import Site
from tests.e2e.test_journey import log_in
from tests.stage import a_party, a_performance, fresh

pytestmark = pytest.mark.usefixtures("in_app")


def test_without_a_network_nobody_is_taken_for_let_in(
    live_site: Site, context: BrowserContext, page: Page
) -> None:
    performance = a_performance()
    first, second = a_party(performance, 2), a_party(performance, 3)
    log_in(page, live_site, "anna@theatre.org", "door")
    page.goto(f"{live_site.url}/checkin/performances/{performance.id}")
    verdict, code = page.locator("#verdict"), page.locator("[data-scan] [name=code]")
    code.fill(first.reference)
    code.press("Enter")
    expect(verdict).to_contain_text("Let 2 in")

    context.set_offline(True)
    code.fill(second.reference)
    code.press("Enter")
    expect(verdict).to_contain_text("No answer")
    expect(verdict).to_contain_text("Not let in yet")
    expect(verdict).not_to_contain_text("Let 2 in")
    expect(page.locator(".verdict.good")).to_have_count(0)
    expect(page.locator(".verdict.none")).to_be_in_viewport()
    assert fresh(second.id).admitted == 0

    context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(verdict).to_contain_text("Let 3 in")
    assert fresh(second.id).admitted == 3


def test_while_the_door_asks_the_verdict_before_is_gone(live_site: Site, page: Page) -> None:
    performance = a_performance()
    first, second = a_party(performance, 2), a_party(performance, 3)
    log_in(page, live_site, "anna@theatre.org", "door")
    page.goto(f"{live_site.url}/checkin/performances/{performance.id}")
    verdict, code = page.locator("#verdict"), page.locator("[data-scan] [name=code]")
    code.fill(first.reference)
    code.press("Enter")
    expect(verdict).to_contain_text("Let 2 in")
    size = page.locator(".verdict").bounding_box()

    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/scans", hold)
    code.fill(second.reference)
    code.press("Enter")
    expect(verdict).to_have_text(re.compile(r"\s*Checking…\s*"))
    neutral = page.locator(".verdict").bounding_box()
    assert size is not None
    assert neutral is not None
    assert (neutral["width"], neutral["height"]) == (size["width"], size["height"])
    held[0].continue_()
    expect(verdict).to_contain_text("Let 3 in")


def test_who_looks_for_names_goes_on_among_them(live_site: Site, page: Page) -> None:
    performance = a_performance()
    party = a_party(performance, 2, name="Zoë Nguyen")
    log_in(page, live_site, "anna@theatre.org", "door")
    page.goto(f"{live_site.url}/checkin/performances/{performance.id}")
    query, found = page.locator("#query"), page.locator("#parties")
    query.fill("zoë")
    query.press("Enter")
    expect(found).to_contain_text(party.reference)
    expect(found).to_be_focused()
    expect(found.locator("b")).to_be_in_viewport()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_contain_text("Let 2 in")
    expect(page.get_by_role("link", name="Next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(query).to_be_focused()
    assert fresh(party.id).admitted == 2
