"""Titles, names and addresses of one long word are broken: no page is wider than a phone."""

import pytest
from playwright.sync_api import Page

from azionelab.database import db, transaction
from tests.conftest import Site
from tests.e2e.test_journey import log_in
from tests.factories import a_party, a_performance, visitor_token

pytestmark = pytest.mark.usefixtures("in_app")

LONG = "Donaudampfschifffahrtsgesellschaftskapitänskajüte"


@pytest.mark.parametrize("width", [360, 900, 1440])
def test_no_page_is_wider_than_the_screen(live_site: Site, page: Page, width: int) -> None:
    performance = a_performance(capacity=40)
    full = a_performance(capacity=0)
    with transaction():
        for evening in (performance, full):
            db.session.add(evening)
            for text in ("title", "summary", "description"):
                setattr(evening.show, text, f"{LONG} {LONG}")
            evening.venue.address = LONG
            evening.venue.name += LONG
    confirmed = visitor_token(a_party(performance, 3, name=LONG * 2))
    pending = visitor_token(a_party(performance, confirmed=False, name=LONG * 2))
    log_in(page, live_site, f"door{width}@theatre.org", "door")
    page.set_viewport_size({"width": width, "height": 800})
    wide = []
    for address in (
        "/",
        f"/shows/{performance.show.slug}",
        f"/performances/{performance.id}/book",
        f"/performances/{full.id}/book",
        f"/performances/{performance.id}/received",
        f"/bookings/confirm/{pending}",
        f"/bookings/{confirmed}",
        f"/bookings/{confirmed}/cancel",
        "/checkin/",
        f"/checkin/performances/{performance.id}",
    ):
        page.goto(live_site.url + address)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(address)
    assert wide == []
