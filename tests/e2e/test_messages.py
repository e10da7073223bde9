"""A message to an audience is written in a real browser, and its progress watched."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from azionelab.bookings.audience import rules
from azionelab.bookings.audience.models import Whom
from tests.conftest import Site
from tests.e2e.test_back_office import in_office
from tests.factories import a_party, a_performance
from tests.support.axe import violations
from tests.support.processes import Program
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")


def looks_well(page: Page, width: int, picture: Path) -> None:
    """Nothing for axe to find, nothing to scroll sideways."""
    page.screenshot(path=picture, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []


@pytest.mark.parametrize("width", [360, 1440])
def test_a_message_is_written_looked_at_and_taken_back(
    live_site: Site, browser: Browser, tmp_path: Path, width: int
) -> None:
    performance = a_performance(capacity=100)
    a_performance(
        show=performance.show,
        venue=performance.venue,
        starts_at=performance.starts_at + timedelta(days=7),
    )
    a_performance()
    for number in range(3):
        a_party(performance, 1, name=f"Visitor {number}")
    page = in_office(browser, live_site, "anna", width=width)
    page.goto(f"{live_site.url}/admin/messages/")
    looks_well(page, width, tmp_path / f"empty-{width}.png")
    page.get_by_role("link", name="Write a message").click()
    page.get_by_text(performance.show.title).click()
    page.get_by_label("The whole run to come (2)").check()
    page.get_by_label("Subject (English)").fill("The car park is closed: {show}")
    page.get_by_label("Text (English)").fill("Dear {nome},\n\nplease come by tram.")
    page.get_by_role("button", name="Save and look at it").click()
    expect(page.get_by_text("There is no field {nome}.")).to_be_visible()
    looks_well(page, width, tmp_path / f"form-{width}.png")
    page.get_by_label("Text (English)").fill(
        "Dear {name},\n\nplease come by tram.\n\n{booking_page}"
    )
    page.get_by_role("button", name="Save and look at it").click()

    expect(page.get_by_text("3 people would be written to.")).to_be_visible()
    expect(page.get_by_text("Dear Visitor")).to_be_visible()
    looks_well(page, width, tmp_path / f"draft-{width}.png")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("2 of 3")).to_be_visible()
    page.get_by_role("link", name="Send …").click()
    looks_well(page, width, tmp_path / f"send-{width}.png")
    page.get_by_role("button", name="Send to 3 people").click()
    expect(page.get_by_text("you can take all of it back")).to_be_visible()
    looks_well(page, width, tmp_path / f"progress-{width}.png")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Taken back: nobody was written to.")).to_be_visible()
    page.goto(f"{live_site.url}/admin/messages/")
    looks_well(page, width, tmp_path / f"list-{width}.png")
    page.context.close()


def test_the_progress_of_a_message_updates_itself(
    live_site: Site,
    browser: Browser,
    start_worker: Callable[..., Program],
    smtp_server: SmtpServer,
    database: psycopg.Connection[Any],
) -> None:
    performance = a_performance(capacity=100)
    for number in range(20):
        a_party(performance, 1, email=f"v{number}@example.org")
    database.execute("DELETE FROM procrastinate_jobs")
    text = {"en": {"subject": "About {show}", "body": "Come!"}}
    draft = rules.Draft(text, Whom.CONFIRMED, [performance.id])
    message = rules.save_draft(uuid4(), draft, seen_version=0, by=None)
    rules.start(message.id, seen_version=1)
    rules.pause(message.id)
    page = in_office(browser, live_site, "anna")
    page.goto(f"{live_site.url}/admin/messages/details/?id={message.id}")
    expect(page.get_by_role("heading", name="paused")).to_be_visible()
    database.execute("UPDATE audience_message SET starts_at = now()")
    page.get_by_role("button", name="Go on").click()
    start_worker(MAIL_SERVER="127.0.0.1", MAIL_PORT=str(smtp_server.port))
    expect(page.get_by_text("20 of 20 sent.")).to_be_visible()
    expect(page.get_by_role("heading", name="sent", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    assert len({each.recipients[0] for each in smtp_server.messages}) == 20
    page.context.close()
