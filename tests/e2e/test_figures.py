"""The charts of the back office in a real browser: drawn, as the tables say, by day, by night and on paper."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.e2e.test_journey import log_in
from tests.support.axe import violations

pytestmark = pytest.mark.usefixtures("demo_season", "in_app")
# The colours of a canvas but for transparency, each with how many pixels have it.
_COLOURS = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const found = {};
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] < 255) continue;
        const colour = `rgb(${data[at]}, ${data[at + 1]}, ${data[at + 2]})`;
        found[colour] = (found[colour] ?? 0) + 1;
    }
    return found;
}"""
_SWATCH = "swatch => getComputedStyle(swatch).backgroundColor"


def in_office(
    browser: Browser, site: Site, width: int, scheme: Literal["light", "dark"] = "light"
) -> Page:
    """A browser in which a manager is logged in."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, locale="en-GB", color_scheme=scheme
    )
    page = watched(context.new_page())
    log_in(page, site, "anna@theatre.org", "staff")
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_charts_draw_what_their_tables_say(
    live_site: Site,
    browser: Browser,
    tmp_path: Path,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    page = in_office(browser, live_site, width, scheme)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    for address, charts in (("", 2), ("figures/", 5)):
        page.goto(f"{live_site.url}/admin/{address}")
        figures = page.locator("[data-chart]")
        expect(figures).to_have_count(charts)
        for figure in figures.all():
            canvas = figure.locator("canvas")
            expect(canvas).to_be_visible()
            cells = figure.locator("tbody td").count()
            assert int(figure.get_attribute("data-points") or 0) == cells > 0
            drawn = canvas.evaluate(_COLOURS)
            swatch = figure.locator(".swatch").first.evaluate(_SWATCH)
            assert drawn.get(swatch, 0) > 50, (figure.get_attribute("id"), swatch)
            expect(figure.locator("table")).to_be_hidden()
            figure.get_by_text("Show the figures as a table").click()
            expect(figure.locator("table")).to_be_visible()
        page.screenshot(path=tmp_path / f"charts-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The report draws two columns of a table that is always shown.
    page.goto(f"{live_site.url}/admin/season-report/")
    shows = page.locator("#chart-shows")
    rows = shows.locator("tbody tr").count()
    expect(shows).to_have_attribute("data-points", str(2 * rows))
    drawn = shows.locator("canvas").evaluate(_COLOURS)
    for swatch in shows.locator(".swatch").all():
        assert drawn.get(swatch.evaluate(_SWATCH), 0) > 50
    expect(shows.locator("table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    own = urlsplit(live_site.url).netloc
    assert {urlsplit(url).netloc for url in requested} == {own}
    page.context.close()


def test_colours_follow_the_screen_and_the_paper(live_site: Site, browser: Browser) -> None:
    page = in_office(browser, live_site, 1440)
    page.goto(f"{live_site.url}/admin/figures/")
    canvas, swatch = page.locator("#chart-lead canvas"), page.locator("#chart-lead .swatch")
    by_day = swatch.evaluate(_SWATCH)
    page.emulate_media(color_scheme="dark")
    by_night = swatch.evaluate(_SWATCH)
    assert by_night != by_day
    assert canvas.evaluate(_COLOURS).get(by_night, 0) > 50
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert canvas.evaluate(_COLOURS).get(by_day, 0) > 50, "paper is white"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert canvas.evaluate(_COLOURS).get(by_night, 0) > 50
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_axe_finds_nothing_on_a_full_house_of_figures(
    live_site: Site, browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = in_office(browser, live_site, width, scheme)
    for address in ("", "figures/", "season-report/", "season-report/years/"):
        page.goto(f"{live_site.url}/admin/{address}")
        for table in page.get_by_text("Show the figures as a table").all():
            table.click()
        if width == 360:
            page.get_by_text("Menu", exact=True).click()
        assert violations(page) == []
    page.context.close()
