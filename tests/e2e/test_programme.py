"""The programme's page on screens of different widths, without scripts."""

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.factories import a_performance

pytestmark = pytest.mark.usefixtures("in_app")


def test_filters_are_folded_on_a_phone_and_open_elsewhere(
    live_site: Site, browser: Browser
) -> None:
    show = a_performance().show
    plain = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = watched(plain.new_page())
    find = page.get_by_role("button", name="Find")
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{live_site.url}/en/")
    expect(find).to_be_hidden()
    page.get_by_text("Search and filter").click()
    page.get_by_label("Search", exact=True).fill(show.title)
    find.click()
    expect(page.get_by_text("Search and filter (1 active)")).to_be_visible()
    for width in (768, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        expect(find).to_be_visible()
        expect(page.get_by_text("Search and filter")).to_be_hidden()
    plain.close()


def test_a_months_titles_are_not_broken_inside_words_on_a_tablet(
    live_site: Site, browser: Browser
) -> None:
    performance = a_performance()
    tablet = browser.new_context(locale="en-GB", viewport={"width": 768, "height": 1024})
    page = watched(tablet.new_page())
    page.goto(f"{live_site.url}/en/?view=calendar&show={performance.show.slug}")
    evening = page.locator(".evening").first
    expect(evening).to_be_visible()
    box = evening.bounding_box()
    assert box
    assert box["width"] > 400
    tablet.close()
