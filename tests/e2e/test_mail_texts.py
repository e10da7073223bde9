"""A mail's text is changed in a real browser, and a visitor gets it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import Site
from tests.e2e.test_back_office import in_office
from tests.e2e.test_messages import looks_well
from tests.factories import a_party, a_performance
from tests.support.processes import Program
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")


def test_staff_change_a_text_and_the_visitor_reads_it(
    live_site: Site,
    browser: Browser,
    tmp_path: Path,
    start_worker: Callable[..., Program],
    smtp_server: SmtpServer,
) -> None:
    performance = a_performance()
    page = in_office(browser, live_site, "anna")
    page.goto(f"{live_site.url}/admin/")
    menu = page.get_by_role("navigation", name="Back office")
    menu.get_by_role("link", name="Mail texts").click()
    looks_well(page, 1440, tmp_path / "list-1440.png")
    page.get_by_role("link", name="Request to confirm, English", exact=True).click()
    page.get_by_label("Subject").fill("One press, and {show} is yours")
    text = page.get_by_label("Text", exact=True)
    shipped = text.input_value()
    text.fill("The bar opens at seven.\n\n{hold}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The field {button} is missing")).to_be_visible()
    expect(text).to_have_value("The bar opens at seven.\n\n{hold}")
    text.fill(f"The bar opens at seven.\n\n{shipped}")
    page.get_by_role("button", name="Preview").click()
    letter = page.locator(".letter")
    expect(letter.get_by_text("The bar opens at seven.")).to_be_visible()
    expect(letter.get_by_text(f"One press, and {performance.show.title} is yours")).to_be_visible()
    looks_well(page, 1440, tmp_path / "edit-1440.png")
    page.set_viewport_size({"width": 360, "height": 800})
    looks_well(page, 360, tmp_path / "edit-360.png")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. All mails from now on say this")).to_be_visible()
    expect(page.get_by_role("link", name="Version 1")).to_be_visible()
    page.goto(f"{live_site.url}/admin/mail-texts/")
    looks_well(page, 360, tmp_path / "list-360.png")
    a_party(performance, confirmed=False, email="ada@example.org", locale="en")
    start_worker(MAIL_SERVER="127.0.0.1", MAIL_PORT=str(smtp_server.port))
    (mail,) = smtp_server.wait_for(1)
    assert mail.message["Subject"] == f"One press, and {performance.show.title} is yours"
    assert "The bar opens at seven." in mail.text()
    assert "Confirm the booking:" in mail.text()
    page.context.close()
