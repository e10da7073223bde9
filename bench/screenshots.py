"""The pictures of the README, from the demonstration season.

    PORT=8001 make demo
    python -m bench.screenshots http://127.0.0.1:8001 PASSWORD [--dark]

PASSWORD is that of the account staff@theatre.example, which `make demo` prints. The site is shown in English and in the look
that it has; a booking is made on the way. docs/screenshots/ gets programme, show, ticket and back-office; the door's
picture is of a phone.
"""

import argparse
import re
import shutil
from io import BytesIO
from time import time
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from bench.door import BROWSERS
from bench.servers import ROOT

COMMAND = "python -m bench.screenshots"
FOLDER = ROOT / "docs" / "screenshots"
SCREEN, PHONE = (1280, 1040), (390, 960)
_COLOURS = 255  # posters and all: the pictures stay small


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("site")
    parser.add_argument("password")
    parser.add_argument("--dark", action="store_true", help="as dark screens show it")
    options = parser.parse_args()
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        _take(browser, options.site, options.password, "dark" if options.dark else "light")
        browser.close()


def _take(browser: Browser, site: str, password: str, scheme: Literal["light", "dark"]) -> None:
    def opened(size: tuple[int, int]) -> Page:
        shown: ViewportSize = {"width": size[0], "height": size[1]}
        return browser.new_page(viewport=shown, locale="en-GB", color_scheme=scheme)

    visitor = opened(SCREEN)
    visitor.goto(f"{site}/en/")
    _save(visitor, "programme")
    visitor.locator("h2 a[href*='/shows/']").first.click()
    visitor.wait_for_load_state("networkidle")
    _save(visitor, "show")
    staff = opened(SCREEN)
    staff.goto(f"{site}/staff/login")
    staff.get_by_label("E-mail").fill("staff@theatre.example")
    staff.get_by_label("Password", exact=True).fill(password)
    staff.get_by_role("button", name="Log in", exact=True).click()
    staff.wait_for_url("**/admin/")
    _save(staff, "back-office")
    phone = opened(PHONE)
    phone.goto(f"{site}/en/")
    phone.locator("a[href$='/book']").nth(1).click()
    phone.get_by_label("Name", exact=True).fill("Ada Rossi")
    phone.get_by_label("E-mail", exact=True).fill(f"ada{int(time())}@example.org")
    phone.get_by_label("I agree").check()
    phone.get_by_role("button", name="Book", exact=True).click()
    phone.wait_for_url("**/received*")
    staff.goto(f"{site}/admin/mails/")
    staff.locator("a[href*='/admin/mails/details/']").first.click()
    (link,) = set(re.findall(r"http\S+/bookings/confirm/[\w.~-]+", staff.inner_text("main")))
    phone.goto(link)
    phone.get_by_label("Yes, we are coming").check()
    phone.get_by_role("button", name="Confirm", exact=True).click()
    phone.wait_for_load_state("networkidle")
    _save(phone, "ticket")


def _save(page: Page, name: str) -> None:
    page.wait_for_timeout(1000)  # fonts
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    small = picture.quantize(_COLOURS, dither=Image.Dither.NONE)
    small.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
