"""Steps of visitors and staff in a browser, on any site."""

import io
import re

import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.support.smtp import Delivered


def link_in(message: Delivered, site: str) -> str:
    """The visitor's link to `site` in a message."""
    found = re.search(re.escape(site) + r"(?:/[a-z]+)?/bookings/\S+", message.text())
    assert found, message.text()
    return found[0]


def qr_in(message: Delivered) -> str:
    """The content of the QR code in a message."""
    images = [p for p in message.message.walk() if p.get_content_type() == "image/png"]
    (decoded,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(images[0].get_content())))
    return str(decoded.text)


def book(page: Page, name: str, email: str, seats: int) -> None:
    """Fill in and submit the booking form on `page`."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("E-mail", exact=True).fill(email)
    page.get_by_label("Seats").select_option(str(seats))
    page.get_by_label("I agree").check()
    page.locator("main form button[type=submit]").click()
    expect(page.locator("h1")).to_contain_text(re.compile("inbox|e-mail", re.I))


def confirm(page: Page, link: str) -> None:
    """Open the mail's link, confirm, and expect the ticket."""
    page.goto(link)
    page.get_by_label("Yes, we are coming").check()
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/bookings/*")
    expect(page.locator("img[src*='qr.png']")).to_be_visible()


def log_in(page: Page, site: str, email: str, password: str) -> None:
    """Log in as staff."""
    page.goto(f"{site}/staff/login")
    page.get_by_label("E-mail", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name=re.compile("Log in|Accedi")).click()


def show_ticket(door: Page, code: str) -> Locator:
    """Type a ticket's code at the door; returns the verdict's element."""
    door.locator("[name=code]").first.fill(code)
    door.locator("[name=code]").first.press("Enter")
    return door.locator("[role=alert]").first
