"""From a sold-out evening over the waitlist to the ticket, in a browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from azionelab.bookings import rules
from azionelab.bookings.models import Reservation
from azionelab.database import db, now
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.factories import a_party, a_performance, fresh, mails, visitor_token

pytestmark = pytest.mark.usefixtures("in_app")

TEXTS = {
    "en-GB": {
        "join": "Join the waitlist", "name": "Name", "email": "E-mail", "consent": "I agree",
        "inbox": "Check your inbox", "wait": "Yes, we want to wait", "place": "Take my place",
        "position": "Your position: 1", "coming": "Yes, we are coming", "take": "Take 2 seats",
    },
    "it-IT": {
        "join": "Entra in lista d'attesa", "name": "Nome", "email": "E-mail", "consent": "Autorizzo",
        "inbox": "Controllate la posta", "wait": "Sì, vogliamo aspettare", "place": "Entra in lista",
        "position": "La vostra posizione: 1", "coming": "Sì, veniamo", "take": "Accetta 2 posti",
    },
}  # fmt: skip


def fits(page: Page, *, scripts: bool) -> None:
    if scripts:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize(("locale", "scripts"), [("en-GB", True), ("it-IT", False)])
def test_who_waits_gets_the_seats_that_come_free(
    live_site: Site, browser: Browser, locale: str, scripts: bool
) -> None:
    texts = TEXTS[locale]
    # So near that an offer is told at once, also at night.
    curtain = now() + timedelta(hours=2)
    evening = a_performance(2, starts_at=curtain)
    party = a_party(evening, 2)
    phone = browser.new_context(
        viewport={"width": 360, "height": 780}, locale=locale, java_script_enabled=scripts
    )
    page = watched(phone.new_page())
    page.goto(f"{live_site.url}/performances/{evening.id}/book")
    page.get_by_role("link", name=texts["join"]).click()
    page.get_by_label(texts["name"], exact=True).fill("Ada Rossi")
    page.get_by_label(texts["email"], exact=True).fill("ada@")
    page.get_by_label(texts["name"], exact=True).focus()
    expect(page.locator("#email-error")).to_have_count(1 if scripts else 0)
    page.get_by_label(texts["email"], exact=True).fill("ada@example.org")
    expect(page.locator("#email-error")).to_have_count(0)
    page.get_by_label(texts["consent"]).check()
    fits(page, scripts=scripts)
    page.get_by_role("button", name=texts["join"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(texts["inbox"])
    db.session.rollback()
    entry = db.session.scalars(select(Reservation).where(Reservation.state == "waiting")).one()

    page.goto(f"{live_site.url}/waitlist/{visitor_token(entry)}")
    page.get_by_label(texts["wait"]).check()
    page.get_by_role("button", name=texts["place"]).click()
    expect(page.get_by_role("main")).to_contain_text(texts["position"])
    rules.cancel(party.id)
    assert mails(entry) == ["waitlist", "offer"]
    page.reload()
    page.get_by_label(texts["coming"]).check()
    fits(page, scripts=scripts)
    page.get_by_role("button", name=texts["take"]).click()
    expect(page.locator("a[href$='/ticket.pdf']").first).to_be_visible()
    assert fresh(entry.id).state == "confirmed"
    phone.close()
