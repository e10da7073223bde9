"""The whole journey: book, confirm from the mail, come with the QR, be let in once."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from azionelab.staff.accounts import create_account
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.factories import a_party, a_performance, fresh, ticket_token
from tests.support import journey
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")
PASSWORD = "correct horse battery staple"


def log_in(page: Page, site: Site, email: str, role: str) -> None:
    create_account(email, role, PASSWORD, name=email.split("@", maxsplit=1)[0].title())
    journey.log_in(page, site.url, email, PASSWORD)


@pytest.mark.usefixtures("worker")
def test_from_the_programme_to_the_seat(
    live_site: Site, smtp_server: SmtpServer, page: Page, browser: Browser
) -> None:
    performance = a_performance(capacity=20)

    page.goto(live_site.url)
    page.get_by_role("link", name=performance.show.title).first.click()
    page.locator(f"a[href*='/performances/{performance.id}/book']").first.click()
    journey.book(page, "Ada Rossi", "ada@example.org", 3)

    (ask,) = smtp_server.wait_for(1, to="ada@example.org")
    journey.confirm(page, journey.link_in(ask, live_site.url))

    code = journey.qr_in(smtp_server.wait_for(2, to="ada@example.org")[1])
    assert code.startswith(f"{live_site.url.upper()}/T/")
    assert "ada" not in code.lower()

    door_phone = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    door = watched(door_phone.new_page())
    log_in(door, live_site, "anna@theatre.org", "door")
    expect(door).to_have_url(re.compile("/checkin/"))
    door.locator(f"a[href*='/checkin/performances/{performance.id}']").first.click()
    expect(journey.show_ticket(door, code)).to_contain_text("Let 3 in")
    assert fresh_admitted(performance.id) == 3

    verdict = journey.show_ticket(door, code)
    expect(verdict).to_contain_text("Already in")
    expect(verdict).to_contain_text("Anna")
    assert fresh_admitted(performance.id) == 3
    door_phone.close()

    office = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    desk = watched(office.new_page())
    log_in(desk, live_site, "sara@theatre.org", "staff")
    expect(desk).to_have_url(re.compile("/admin/"))
    desk.goto(f"{live_site.url}/admin/reservations/")
    expect(desk.locator("body")).to_contain_text("Ada Rossi")
    office.close()


def fresh_admitted(performance_id: int) -> int:
    from azionelab.checkin.house.counts import house_counts
    from azionelab.database import db

    db.session.rollback()
    return house_counts([performance_id])[performance_id].inside


def video_of(qr: bytes, folder: Path) -> Path:
    """A camera's view of a ticket: the QR on a grey table, as motion JPEG."""
    table = Image.new("RGB", (640, 480), (150, 140, 130))
    ticket = Image.open(io.BytesIO(qr)).convert("RGB").resize((300, 300), Image.Resampling.NEAREST)
    table.paste(ticket, (170, 90))
    frame = io.BytesIO()
    table.save(frame, "JPEG", quality=90)
    video = folder / "camera.mjpeg"
    video.write_bytes(frame.getvalue() * 30)
    return video


def test_the_camera_reads_a_ticket(
    live_site: Site,
    launch_with_camera: Callable[[Path], Browser],
    tmp_path: Path,
) -> None:
    from azionelab.bookings.tickets.files import qr_png

    performance = a_performance()
    party = a_party(performance, 2)
    assert ticket_token(party)
    camera = launch_with_camera(video_of(qr_png(party), tmp_path))
    phone = camera.new_context(
        viewport={"width": 390, "height": 844}, locale="en-GB", permissions=["camera"]
    )
    door = watched(phone.new_page())
    log_in(door, live_site, "bruno@theatre.org", "door")
    door.goto(f"{live_site.url}/checkin/performances/{performance.id}")
    door.get_by_role("button", name="Open on this phone").click()
    door.get_by_role("button", name="Yes, open the door").click()
    door.get_by_role("button", name="Scan with the camera").click()
    expect(door.locator("#verdict")).to_contain_text("Let 2 in")
    assert fresh(party.id).admitted == 2


def test_the_journey_needs_no_script(
    live_site: Site, browser: Browser, context: BrowserContext
) -> None:
    performance = a_performance()
    plain = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = watched(plain.new_page())
    page.goto(f"{live_site.url}/performances/{performance.id}/book")
    page.get_by_label("Name", exact=True).fill("Ada Rossi")
    page.get_by_label("E-mail", exact=True).fill("ada@example.org")
    page.get_by_label("I agree").check()
    page.locator("main form button[type=submit]").click()
    expect(page.locator("h1")).to_contain_text(re.compile("inbox|e-mail", re.I))
    page.get_by_label("The right e-mail address").fill("anna@example.org")
    page.get_by_role("button", name="Correct the address").click()
    expect(page.get_by_role("status")).to_contain_text("on its way to anna@example.org")
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_role("status")).to_contain_text("on its way to anna@example.org")
    plain.close()
