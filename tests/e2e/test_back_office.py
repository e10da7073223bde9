"""The back office in a real browser: two people with one form open, and what axe finds on its pages."""

from datetime import date
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from azionelab.bookings.audience.models import Whom
from azionelab.bookings.audience.rules import Draft, save_draft
from azionelab.bookings.box_office.house_seats import keep_back
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.database import db, transaction
from azionelab.mail.models import Mail
from azionelab.shows.models import Holiday, Show
from tests.admin.test_access import addresses, set_the_stage
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.e2e.test_journey import log_in
from tests.factories import a_party, a_performance
from tests.support import journey
from tests.support.axe import violations
from tests.support.people import PASSWORD, logged_in

Scheme = Literal["light", "dark"]

pytestmark = pytest.mark.usefixtures("in_app")


def in_office(
    browser: Browser, site: Site, name: str, role: str = "staff", width: int = 1440
) -> Page:
    """A browser in which somebody of the theatre is logged in."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, locale="en-GB", bypass_csp=True
    )
    page = watched(context.new_page())
    log_in(page, site, f"{name}@theatre.org", role)
    return page


@pytest.mark.parametrize("width", [360, 1440])
def test_who_saves_second_sees_who_changed_what_and_goes_on(
    live_site: Site, browser: Browser, tmp_path: Path, width: int
) -> None:
    performance = a_performance(capacity=100)
    address = f"{live_site.url}/admin/shows/edit/?id={performance.show_id}"
    anna, bruno = (in_office(browser, live_site, name, width=width) for name in ("anna", "bruno"))
    for page in (anna, bruno):
        page.goto(address)
    anna.get_by_label("Description", exact=True).fill(
        "Florence, 1752.\n\nAn inn, and its mistress."
    )
    minutes = anna.get_by_label("Minutes", exact=True)
    anna.locator("details", has=minutes).locator("summary").click()
    minutes.fill("110")
    anna.get_by_role("button", name="Save").click()
    expect(anna.get_by_text("Saved.")).to_be_visible()

    bruno.get_by_label("Description", exact=True).fill("Venice, 1753.")
    bruno.get_by_role("button", name="Save").click()
    expect(bruno.get_by_text("Nothing was saved")).to_be_visible()
    expect(
        bruno.get_by_text("Anna changed this from “nothing” to “Florence, 1752.")
    ).to_be_visible()
    expect(bruno.get_by_text("Anna has changed this: Minutes")).to_be_visible()
    expect(bruno.get_by_label("Description", exact=True)).to_have_value("Venice, 1753.")
    expect(bruno.get_by_label("Minutes", exact=True)).to_have_value("110")
    bruno.get_by_text("The full text as currently saved").first.click()
    expect(bruno.get_by_label("The full text as currently saved")).to_be_visible()
    bruno.screenshot(path=tmp_path / f"conflict-{width}.png", full_page=True)
    assert bruno.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(bruno) == []

    bruno.get_by_role("button", name="Save my version").click()
    expect(bruno.get_by_text("Saved.")).to_be_visible()
    bruno.goto(address)
    expect(bruno.get_by_label("Description", exact=True)).to_have_value("Venice, 1753.")
    for page in (anna, bruno):
        page.context.close()


@pytest.mark.parametrize("width", [360, 1440])
def test_what_was_typed_outlives_a_logout_in_another_tab(
    live_site: Site, browser: Browser, tmp_path: Path, width: int
) -> None:
    page = in_office(browser, live_site, "anna", width=width)
    page.goto(f"{live_site.url}/admin/shows/new/")
    page.get_by_label("Title", exact=True).fill("Così è “se vi pare”")
    page.get_by_label("Description", exact=True).fill("First lines.\n\nLast lines.")
    tab = page.context.new_page()
    tab.goto(f"{live_site.url}/admin/")
    if width == 360:
        tab.get_by_text("Menu", exact=True).click()
    tab.get_by_role("button", name="Log out").click()
    tab.wait_for_url("**/staff/login")
    tab.close()

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("log in, then submit them again")).to_be_visible()
    page.screenshot(path=tmp_path / f"kept-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in").click()
    journey.log_in(opened.value, live_site.url, "anna@theatre.org", PASSWORD)
    opened.value.wait_for_url("**/admin/")

    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    (show,) = db.session.scalars(select(Show))
    assert (show.title, show.description.splitlines()[-1]) == ("Così è “se vi pare”", "Last lines.")
    page.context.close()


def test_a_double_click_saves_once_and_says_so(live_site: Site, browser: Browser) -> None:
    page = in_office(browser, live_site, "anna")
    page.goto(f"{live_site.url}/admin/venues/new/")
    page.get_by_label("Name").fill("Sala Grande")
    page.get_by_role("button", name="Save").dblclick()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_text("Nothing was saved")).to_have_count(0)
    page.context.close()


def test_axe_finds_nothing_on_any_page_of_the_back_office(
    app: Flask, live_site: Site, browser: Browser
) -> None:
    """Each page in both languages, on a phone and on a screen, light and dark, in two loads."""
    pages = pages_of_the_office(app)
    assert len(pages) > 50
    page = in_office(browser, live_site, "ada", "admin")
    looks: list[tuple[str, int, Scheme]] = [("it", 360, "light"), ("en", 1440, "dark")]
    looks += [("en", 360, "dark"), ("it", 1440, "light")]
    found = {}
    for number, address in enumerate(pages):
        for language, width, scheme in looks[2 * (number % 2) :][:2]:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            with_language = f"{address}{'&' if '?' in address else '?'}lang={language}"
            page.goto(live_site.url + with_language, wait_until="domcontentloaded")
            faults = violations(page)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                faults.append("wider than the screen")
            if faults:
                found[with_language, width, scheme] = faults
    page.context.close()
    assert found == {}


def pages_of_the_office(app: Flask) -> list[str]:
    """Every address under /admin/ that shows a page, with an id for which there is one."""
    identities = set_the_stage()
    called_off = a_performance()
    a_party(called_off, 2)
    cancel_performance(called_off.id)
    keep_back(1, "Press", 2)
    draft = Draft({"en": {"subject": "News", "body": "Dear {name}"}}, Whom.BOOKED, [1])
    message = save_draft(uuid4(), draft, seen_version=0, by=None)
    with transaction() as session:
        session.add(Holiday(name="Easter", first_day=date(2027, 4, 4), last_day=date(2027, 4, 5)))
    mail = db.session.scalars(select(Mail.id)).first()
    client = logged_in(app, "admin")
    queries = ["", *(f"?id={one}" for one in (*identities, message.id, mail)), "?show=1"]
    found = [f"/admin/evenings/{called_off.id}/move-parties"]
    for rule in addresses(app, "GET"):
        for query in queries:
            answer = client.get(rule + query)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                found.append(rule + query)
                break
    return found
