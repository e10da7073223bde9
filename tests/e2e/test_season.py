"""A season planned in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from azionelab.database import db, transaction
from azionelab.shows.models import Performance, Venue
from tests.conftest import Site
from tests.e2e.test_back_office import in_office
from tests.factories import a_party, a_performance
from tests.support.axe import violations

pytestmark = pytest.mark.usefixtures("in_app")
LINE = "Fri and Sat 20:30, Sun 16:00, from 5 to 21 October 2029, except the 12th; 20:30 on 31 December 2029"


def is_good(page: Page, width: int) -> None:
    page.wait_for_load_state()  # a heading is there before the page is whole
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []


@pytest.mark.parametrize("width", [360, 1440])
def test_nine_evenings_take_three_pages_and_three_fields(
    live_site: Site, browser: Browser, tmp_path: Path, width: int
) -> None:
    with transaction() as session:
        session.add(Venue(name="Sala Grande", default_capacity=80))
    page = in_office(browser, live_site, "anna", width=width)
    loads: list[str] = []
    page.on("load", lambda loaded: loads.append(loaded.url))

    page.goto(f"{live_site.url}/admin/season/run")
    page.get_by_label("Title of the new show").fill("Amleto")  # the only venue is chosen already
    page.get_by_label("When").fill(LINE)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="9 evenings")).to_be_visible()
    is_good(page, width)
    page.screenshot(path=tmp_path / f"run-{width}.png", full_page=True)
    page.get_by_role("button", name="Save 9 evenings").click()
    expect(page.get_by_text("9 evenings added.")).to_be_visible()
    is_good(page, width)
    assert len([one for one in loads if "/season/" in one]) == 3, loads
    assert len(db.session.scalars(select(Performance)).all()) == 9

    page.goto(f"{live_site.url}/admin/season/?month=2029-10")
    expect(page.get_by_role("link", name="20:30 Amleto").first).to_be_visible()
    is_good(page, width)
    page.context.close()


@pytest.mark.parametrize("width", [360, 1440])
def test_a_run_is_moved_and_cancelled_with_a_look_at_what_it_does(
    live_site: Site, browser: Browser, width: int
) -> None:
    performance = a_performance(capacity=20)
    a_party(performance, 4)
    page = in_office(browser, live_site, "anna", width=width)
    page.goto(f"{live_site.url}/admin/season/evenings?show={performance.show_id}")
    page.get_by_label("Seats", exact=True).fill("3")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("4 seats are taken:")).to_be_visible()
    is_good(page, width)
    page.get_by_label("Seats", exact=True).fill("")
    page.get_by_label("Later by days").fill("2")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("1 party gets this mail").click()
    expect(page.get_by_text("has changed since you booked")).to_be_visible()
    page.get_by_role("button", name="Change 1 evening").click()
    expect(page.get_by_text("1 evening changed.")).to_be_visible()
    page.get_by_role("button", name="Cancel the ticked evenings").click()
    page.get_by_role("button", name="Cancel 1 evening").click()
    expect(page.get_by_text("1 evening cancelled.")).to_be_visible()
    page.context.close()


def test_a_file_is_read_by_the_browser(live_site: Site, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "season.csv"
    file.write_text("show,venue,starts,seats\nAmleto,Sala,2029-10-05 20:30,80\n", encoding="utf-8")
    page = in_office(browser, live_site, "anna", width=360)
    page.goto(f"{live_site.url}/admin/season/import")
    is_good(page, 360)
    page.get_by_label("File (CSV or iCalendar)").set_input_files(file)
    expect(page.get_by_label("Lines of the file")).to_have_value(file.read_text())
    page.get_by_role("button", name="Try it").click()
    is_good(page, 360)
    page.get_by_role("button", name="Save 1 evening").click()
    expect(page.get_by_text("1 evening added.")).to_be_visible()
    page.context.close()
