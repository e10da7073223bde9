"""The look is changed in a real browser: its preview follows the typing, and visitors get what was saved."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import Site
from tests.e2e.test_back_office import in_office
from tests.e2e.test_messages import looks_well
from tests.factories import a_performance
from tests.theme.test_look import a_logo

pytestmark = pytest.mark.usefixtures("in_app")

ORANGE = "#ff8800"


def test_a_theatre_makes_the_pages_its_own(
    live_site: Site, browser: Browser, tmp_path: Path
) -> None:
    a_performance()
    page = in_office(browser, live_site, "anna")
    page.goto(f"{live_site.url}/admin/theme/")
    shown = page.frame_locator("iframe[name=look-preview]")
    welcome = page.get_by_label("Welcome (English)")
    page.get_by_label("Name", exact=True).fill("Teatro Nuovo")
    welcome.fill("Come in early.")
    # Nothing was pressed.
    expect(shown.locator(".site-name")).to_have_text("Teatro Nuovo")
    expect(shown.get_by_text("Come in early.")).to_be_visible()
    expect(welcome).to_be_focused()

    page.get_by_label("Accent colour").fill(ORANGE)
    refusal = shown.get_by_text(f"Text in {ORANGE} is too hard to read.")
    expect(refusal).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Nothing was saved.")).to_be_visible()
    expect(page.get_by_label("Accent colour")).to_have_accessible_description(
        re.compile(f"Text in {ORANGE} is too hard to read. The nearest colour that works is #")
    )
    looks_well(page, 1440, tmp_path / "refused-1440.png")
    page.get_by_role("button", name="Save with #").click()
    expect(page.get_by_text("Saved. Visitors see it within seconds.")).to_be_visible()

    page.get_by_role("button", name="Logo").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": a_logo((1200, 300)).getvalue()}
    )
    page.get_by_role("button", name="Upload and use").click()
    expect(shown.get_by_role("img", name="Teatro Nuovo")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 800})
    page.emulate_media(color_scheme="dark")
    looks_well(page, 360, tmp_path / "versions-360-dark.png")

    page.get_by_role("button", name="Use version 1 again").click()
    expect(page.get_by_text("Version 3")).to_be_visible()
    visitor = page.context.new_page()
    visitor.goto(f"{live_site.url}/en/")
    expect(visitor.locator(".site-name")).to_have_text("Teatro Nuovo")
    expect(visitor.get_by_text("Come in early.")).to_be_visible()
    page.context.close()
