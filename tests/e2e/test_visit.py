"""A visitor's whole way by the links of real mails, in both languages, with scripts and without any."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from babel.support import Translations
from playwright.sync_api import Browser, Page, expect

from azionelab.bookings.performance_changes import cancel_performance
from azionelab.database import now
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.factories import a_party, a_performance, fresh, move
from tests.support.processes import ROOT, eventually
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app", "worker")
Mailed = Callable[[str, str], str]
Text = Callable[[str], str]
ADA, BEA = "ada@example.org", "bea@example.org"


@pytest.fixture
def mailed(live_site: Site, smtp_server: SmtpServer) -> Mailed:
    """A function that waits for a link to the site in a mail to an address; the path is a regular expression."""

    def wait(to: str, path: str) -> str:
        link = re.compile(rf"{re.escape(live_site.url)}{path}(?=\s)")

        def found() -> str:
            mails = "\n".join(mail.text() for mail in smtp_server.wait_for(to=to))
            return next(iter(link.findall(mails)), "")

        return eventually(found, f"a mail to {to} with {path}")

    return wait


@pytest.fixture
def visitor(browser: Browser, locale: str, scripts: bool) -> tuple[Page, Text]:
    """A phone, and what the texts are in its language."""
    phone = browser.new_context(
        viewport={"width": 360, "height": 780}, locale=locale, java_script_enabled=scripts
    )
    texts = Translations.load(ROOT / "azionelab" / "translations", [locale[:2]])
    return watched(phone.new_page()), texts.gettext


@pytest.mark.parametrize(("locale", "scripts"), [("en-GB", True), ("it-IT", False)])
def test_a_booking_changes_goes_to_a_friend_and_is_erased(
    live_site: Site, mailed: Mailed, visitor: tuple[Page, Text], locale: str
) -> None:
    page, text = visitor
    language = f"/{locale[:2]}"
    performance = a_performance(capacity=20)

    page.goto(live_site.url)
    page.get_by_role("link", name=performance.show.title).first.click()
    page.locator(f"a[href*='/performances/{performance.id}/book']").first.click()
    fill(page, {text("Name"): "Ada Rossi", text("E-mail"): ADA})
    page.get_by_label(text("Seats")).select_option("3")
    page.get_by_role("checkbox").check()
    page.locator("main form button[type=submit]").click()
    page.goto(mailed(ADA, rf"{language}/bookings/confirm/\S+"))
    page.get_by_role("checkbox").check()
    page.locator("main form button[type=submit]").first.click()

    page.get_by_label(text("We need")).select_option("2")
    press(page, text("Change the seats"))
    friend = {text("Your friend's name"): "Bea Verdi", text("Your friend's e-mail"): BEA}
    fill(page, friend)
    press(page, text("Offer the seats"))
    expect(page.get_by_role("status")).to_contain_text(BEA)

    page.goto(mailed(BEA, rf"{language}/hand-over/\S+"))
    fill(page, {text("Name"): "Bea Verdi"})
    page.get_by_role("checkbox").first.check()
    press(page, text("Accept the seats"))
    expect(page.locator("img[src*='qr.png']")).to_be_visible()

    page.goto(f"{live_site.url}/my-bookings")
    fill(page, {text("E-mail"): BEA})
    page.locator("main form button[type=submit]").click()
    page.goto(mailed(BEA, rf"{language}/my-bookings/\S+"))
    expect(page.get_by_role("heading", name=performance.show.title)).to_be_visible()

    page.goto(f"{live_site.url}/my-data")
    fill(page, {text("E-mail"): BEA})
    page.locator("main form button[type=submit]").click()
    page.goto(mailed(BEA, rf"{language}/my-data/\S+"))
    expect(page.get_by_role("main")).to_contain_text("Bea Verdi")
    page.get_by_role("link", name=text("Erase my data")).click()
    page.get_by_label(text("Your bookings to come")).select_option("cancel")
    page.get_by_role("checkbox").check()
    press(page, text("Erase my data"))
    expect(page.get_by_role("main")).not_to_contain_text("Bea Verdi")
    page.context.close()


@pytest.mark.parametrize(("locale", "scripts"), [("en-GB", False), ("it-IT", True)])
def test_what_becomes_of_an_evening_is_answered_by_a_press(
    mailed: Mailed, visitor: tuple[Page, Text], locale: str
) -> None:
    page, text = visitor
    language = locale[:2]
    tomorrow = a_performance(starts_at=now() + timedelta(days=1))
    curtain = now() + timedelta(minutes=40)
    soon = a_performance(show=tomorrow.show, starts_at=curtain, booking_closes_at=curtain)
    party = a_party(tomorrow, 2, email=ADA, locale=language)

    move(tomorrow.id, tomorrow.starts_at + timedelta(hours=1))
    page.goto(mailed(ADA, rf"/{language}/bookings/\S+/coming"))
    press(page, text("Yes, we are coming"))
    expect(page.get_by_role("status")).to_contain_text(text("Thank you: we are expecting you."))

    cancel_performance(tomorrow.id)
    page.goto(mailed(ADA, rf"/{language}/bookings/\S+#evening"))
    page.reload()  # by the fragment alone it would stay the page from before
    page.get_by_label(text("Another evening"), exact=True).select_option(str(soon.id))
    press(page, text("Change the evening"))
    expect(page.locator("img[src*='qr.png']")).to_be_visible()

    page.locator("button[name=minutes]").first.click()
    expect(page.get_by_role("status")).to_be_visible()
    assert fresh(party.id).late_at
    page.context.close()


def fill(page: Page, fields: dict[str, str]) -> None:
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
