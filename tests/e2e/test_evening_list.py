"""The list of an evening's parties in a real browser: searched as one types, filtered, by keyboard, kept by Back."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from azionelab.bookings import rules
from azionelab.bookings.door_notes import write_note
from azionelab.checkin.scanning.scans import admit
from azionelab.database import now
from azionelab.shows.models import Performance
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.e2e.test_journey import log_in
from tests.factories import DOOR_A, a_party, a_performance
from tests.support.axe import violations

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def performance() -> Performance:
    """An evening whose curtain is near, with some parties."""
    curtain = now() + timedelta(minutes=20)
    performance = a_performance(capacity=50, starts_at=curtain, booking_closes_at=curtain)
    for name in ("Anna Rossi", "Nicolò Sgrò", "Marco De Luca", "Zoë Rossini"):
        a_party(performance, 2, name=name)
    a_party(performance, 2, name="Dario Pending", confirmed=False)
    rules.cancel(a_party(performance, 2, name="Fabio Gone").id)
    return performance


@pytest.fixture
def page(browser: Browser, live_site: Site, performance: Performance) -> Page:
    """The evening's page on a desk."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = watched(context.new_page())
    log_in(page, live_site, "desk@theatre.org", "staff")
    page.goto(f"{live_site.url}/admin/evenings/{performance.id}")
    return page


def shown(page: Page) -> Locator:
    return page.locator("#party-rows tr:visible [data-party]")


def test_it_is_searched_as_one_types_and_back_brings_the_search_back(page: Page) -> None:
    expect(shown(page)).to_have_text(
        ["Marco De Luca", "Dario Pending", "Anna Rossi", "Zoë Rossini", "Nicolò Sgrò"]
    )
    page.keyboard.press("/")
    page.keyboard.type("ross")
    expect(shown(page)).to_have_text(["Anna Rossi", "Zoë Rossini"])
    expect(page.locator("#parties-found")).to_have_text("2 parties are shown.")
    page.keyboard.type("ini")
    expect(shown(page)).to_have_text(["Zoë Rossini"])
    assert "rossini" not in page.url
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/admin/reservations/details/"))
    assert "rossini" not in page.url
    page.go_back()
    expect(page.locator("#party-search")).to_have_value("rossini")
    expect(shown(page)).to_have_text(["Zoë Rossini"])
    page.locator("#party-search").press("Escape")
    expect(shown(page)).to_have_count(5)


def test_groups_are_in_the_address_and_survive_back(page: Page) -> None:
    page.get_by_role("link", name="To be confirmed 1").click()
    expect(shown(page)).to_have_text(["Dario Pending"])
    expect(page).to_have_url(re.compile(r"\?show=pending$"))
    shown(page).first.click()
    expect(page).to_have_url(re.compile("/admin/reservations/details/"))
    page.go_back()
    expect(shown(page)).to_have_text(["Dario Pending"])
    page.reload()
    expect(shown(page)).to_have_text(["Dario Pending"])
    page.locator("#party-search").fill("gone")
    expect(page.get_by_text("No party here.")).to_be_visible()
    page.get_by_role("link", name="Look among all parties").click()
    expect(shown(page)).to_have_text(["Fabio Gone"])
    page.locator("#party-search").fill("nobody")
    expect(page.get_by_text("No party here.")).to_be_visible()
    expect(page.get_by_role("link", name="Look among all parties")).to_be_hidden()


def test_arrows_walk_through_the_list(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    expect(shown(page).nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(shown(page).nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#party-search")).to_be_focused()


def test_it_stays_live_and_keeps_the_search_and_the_focus(
    page: Page, performance: Performance
) -> None:
    page.locator("#party-search").fill("ross")
    page.keyboard.press("ArrowDown")
    expect(shown(page).nth(0)).to_be_focused()
    page.evaluate("window.wasNotLoadedAgain = true")
    anna = page.locator("#party-rows tr", has_text="Anna Rossi")
    reference = anna.locator(".reference").inner_text()
    admit(performance.id, reference, uuid4(), DOOR_A)
    expect(anna.locator(".state")).to_have_text("In")
    a_party(performance, 1, name="Berta Rossetti")
    a_party(performance, 1, name="Carla Verdi")
    expect(shown(page)).to_have_text(["Berta Rossetti", "Anna Rossi", "Zoë Rossini"])
    expect(page.locator("[data-show=in]")).to_have_text("In 1")
    expect(anna.locator("[data-party]")).to_be_focused()
    expect(page.locator("#party-search")).to_have_value("ross")
    assert page.evaluate("window.wasNotLoadedAgain")


def test_a_button_of_a_row_leads_back_to_the_same_search(page: Page) -> None:
    page.locator("#party-search").fill("sgro")
    page.get_by_role("button", name="Resend Nicolò Sgrò").click()
    expect(page.get_by_role("status").filter(has_text="The latest mail to")).to_be_visible()
    expect(shown(page)).to_have_text(["Nicolò Sgrò"])
    page.get_by_role("link", name="Note Nicolò Sgrò").click()
    page.get_by_label("Note for the door").fill("first row")
    page.get_by_role("button", name="Save the note").click()
    expect(page.locator("#party-rows tr:visible .note")).to_have_text("first row")
    expect(shown(page)).to_have_text(["Nicolò Sgrò"])


@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    live_site: Site, browser: Browser, performance: Performance, width: int
) -> None:
    party = a_party(performance, 3, name="Bevilacqua" * 10, email=f"{'x' * 60}@example.org")
    write_note(party.id, "wheelchair " * 18, "")
    context = browser.new_context(
        viewport={"width": width, "height": 800}, locale="en-GB", bypass_csp=True
    )
    page = watched(context.new_page())
    log_in(page, live_site, f"axe{width}@theatre.org", "staff")
    found = {}
    evening = f"/admin/evenings/{performance.id}"
    for address in (f"{evening}?show=all", f"{evening}/note?id={party.id}"):
        page.goto(live_site.url + address)
        found[address] = violations(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[address].append("wider than the screen")
    if width == 360:
        page.goto(live_site.url + evening)
        expect(page.locator("#counts")).to_be_hidden()
        page.locator(".figures > summary").click()
        expect(page.locator("#counts")).to_be_visible()
    context.close()
    assert not {address: ids for address, ids in found.items() if ids}
