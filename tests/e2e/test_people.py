"""People in a real browser: found in spite of a typing error, and the same result after Back."""

import re

import pytest
from playwright.sync_api import Browser, expect

from azionelab.bookings.door_notes import write_note
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.e2e.test_journey import log_in
from tests.factories import a_party, a_performance
from tests.support.axe import violations

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.mark.parametrize("width", [360, 1440])
def test_somebody_is_found_and_erased(live_site: Site, browser: Browser, width: int) -> None:
    parties = [
        a_party(a_performance(), name="Nicolò Sgròi", email="nico@example.org") for _ in range(2)
    ]
    write_note(parties[0].id, "wheelchair", "")
    a_party(a_performance(), name="Bevilacqua" * 10, email=f"{'x' * 60}@example.org")
    context = browser.new_context(
        viewport={"width": width, "height": 800}, locale="en-GB", bypass_csp=True
    )
    page = watched(context.new_page())
    log_in(page, live_site, f"paola{width}@theatre.org", "staff")
    found: list[str] = []

    def look() -> None:
        found.extend(violations(page))
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{page.url} is wider than the screen")

    page.goto(f"{live_site.url}/admin/people/")
    field = page.get_by_label("Name, address, reference or note")
    expect(field).to_be_focused()
    look()
    field.fill("bevilacqua")
    field.press("Enter")
    expect(page.get_by_role("link", name="Bevilacqua")).to_be_visible()
    look()
    field.fill("sgori")
    field.press("Enter")
    expect(page.get_by_role("heading", name="Written nearly so")).to_be_visible()
    results = page.url
    assert "sgori" not in results
    page.get_by_role("link", name="Nicolò Sgròi").click()
    expect(page.get_by_role("heading", name="2 bookings")).to_be_visible()
    look()
    page.go_back()
    expect(page).to_have_url(results)
    expect(field).to_have_value("sgori")
    page.get_by_role("link", name="Nicolò Sgròi").click()
    page.get_by_role("link", name="Erase this person").click()
    look()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("erased from 2 bookings"))
    page.goto(results)
    expect(page.get_by_text("Nobody found.")).to_be_visible()
    context.close()
    assert found == []
