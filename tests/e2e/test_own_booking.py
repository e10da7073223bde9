"""What visitors change on the page of their booking, in a browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from azionelab.database import now
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.factories import a_party, a_performance, fresh, mails, visitor_token

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.mark.parametrize(("locale", "scripts"), [("en-GB", True), ("it-IT", False)])
def test_a_party_grows_and_comes_on_another_evening(
    live_site: Site, browser: Browser, locale: str, scripts: bool
) -> None:
    texts = {
        "en-GB": ("We need", "Change the seats", "Another evening", "Change the evening", "Done:"),
        "it-IT": ("Ci servono", "Cambia i posti", "Un'altra replica", "Cambia replica", "Fatto:"),
    }
    need, change_seats, another, change_evening, done = texts[locale]
    performance = a_performance()
    there = a_performance(show=performance.show, starts_at=now() + timedelta(days=3))
    party = a_party(performance, 2, locale=locale[:2])
    phone = browser.new_context(
        viewport={"width": 360, "height": 780}, locale=locale, java_script_enabled=scripts
    )
    page = watched(phone.new_page())
    page.goto(f"{live_site.url}/bookings/{visitor_token(party)}")
    page.get_by_label(need).select_option("3")
    page.get_by_role("button", name=change_seats).click()
    expect(page.get_by_role("status")).to_contain_text(done)
    assert fresh(party.id).seats == 3
    page.get_by_label(another, exact=True).select_option(str(there.id))
    page.get_by_role("button", name=change_evening).click()
    expect(page.get_by_role("status")).to_contain_text(done)
    assert (fresh(party.id).performance_id, fresh(party.id).seats) == (there.id, 3)
    assert mails(party) == ["confirm", "ticket", "changed", "changed"]
    width = page.evaluate("document.documentElement.scrollWidth") if scripts else 360
    assert width <= 360
    phone.close()
