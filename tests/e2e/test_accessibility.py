"""axe looks at the pages as WCAG 2.2 AA asks, in light and dark."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from azionelab.bookings.hand_over.mail import make_friend_token
from azionelab.bookings.hand_over.rules import accept
from azionelab.bookings.mails.my_bookings import MY_BOOKINGS
from azionelab.bookings.pages.consent import Consent
from azionelab.bookings.people.own_data import MY_DATA
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.reminders.unsubscribing import make_unsubscribe_token
from azionelab.database import now
from azionelab.queue import lines
from azionelab.queue.advance import advance
from azionelab.queue.lines import Pace
from azionelab.queue.places import place_token
from azionelab.shows.models import Show
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.e2e.test_journey import log_in
from tests.factories import (
    a_party,
    a_performance,
    a_waiting_party,
    an_entry,
    an_offer,
    fresh,
    visitor_token,
)
from tests.queue.test_line import join_all, line_of
from tests.support.axe import violations

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.mark.parametrize(
    ("scheme", "language", "width"), [("light", "en-GB", 390), ("dark", "it-IT", 360)]
)
def test_axe_finds_nothing_on_any_page(
    live_site: Site, browser: Browser, scheme: str, language: str, width: int
) -> None:
    story = "# The house\n\nFour sisters.\n\n#### The garden\n\n- [A link](https://example.org)"
    told = Show(slug="told", title="Told", published=True, description=story)
    performance = a_performance(capacity=20, show=told, wheelchair_places=1)
    a_performance(capacity=0)
    a_performance(show=performance.show, starts_at=now() + timedelta(days=3))
    party = a_party(performance)
    confirmed = visitor_token(party)
    pending = visitor_token(a_party(performance, confirmed=False))
    full = a_performance(capacity=2)
    a_party(full)
    entry, waiting = an_entry(full.id), a_waiting_party(full.id)
    curtain = now() + timedelta(minutes=40)
    tonight = a_performance(capacity=2, starts_at=curtain, booking_closes_at=curtain)
    late = visitor_token(a_party(tonight))
    near = visitor_token(a_waiting_party(tonight.id))
    given = a_party(performance)
    offer = an_offer(given, "bea@example.org")
    accept(offer.id, "Bea Verdi", language[:2], Consent.BOOKING, fresh(given.id).changed_in)
    later = a_performance(booking_opens_at=now() + timedelta(hours=1))
    cancelled = a_performance()
    off = visitor_token(a_party(cancelled))
    cancel_performance(cancelled.id)
    past = a_performance(starts_at=now() - timedelta(days=1))
    line = line_of(lines.open_line(full.show_id, now() - timedelta(hours=1), Pace(per_minute=6)))
    let_in, in_line = join_all(line, 2)
    advance(line.id, now())
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        locale=language,
        color_scheme=scheme,
        bypass_csp=True,
    )
    page = watched(context.new_page())
    addresses = [
        "/",
        "/?view=calendar",
        f"/shows/{performance.show.slug}",
        f"/performances/{performance.id}/book",
        *(f"/performances/{one.id}/book" for one in (later, cancelled, past)),
        f"/shows/{past.show.slug}",
        f"/performances/{performance.id}/received",
        f"/bookings/confirm/{pending}",
        f"/bookings/{confirmed}",
        f"/bookings/{confirmed}/cancel",
        f"/bookings/{confirmed}/coming",
        f"/bookings/{make_unsubscribe_token(party)}/unsubscribe",
        "/my-bookings",
        f"/my-bookings/{MY_BOOKINGS.make_token(party)}",
        f"/my-data/{MY_DATA.make_token(party)}",
        f"/my-data/{MY_DATA.make_token(party)}/erase",
        f"/hand-over/{make_friend_token(an_offer(party).id)}",
        f"/performances/{full.id}/waitlist",
        f"/waitlist/{visitor_token(entry)}",
        f"/waitlist/{visitor_token(waiting)}",
        f"/waitlist/{visitor_token(waiting)}/leave",
        f"/bookings/{late}",
        f"/bookings/{off}",
        f"/bookings/{visitor_token(given)}",
        f"/waitlist/{near}",
        f"/queue/{line.id}?performance={full.id}",
        f"/queue/place/{place_token(in_line)}?performance={full.id}",
        f"/queue/place/{place_token(let_in)}",
        "/embed",
        "/privacy",
        "/accessibility",
        "/nothing",
        "/staff/login",
    ]
    found = {}
    for address in addresses:
        page.goto(live_site.url + address)
        found[address] = violations(page)
    page.goto(f"{live_site.url}/performances/{performance.id}/book")
    page.locator("main form button").click()
    page.locator("[aria-invalid=true]").first.wait_for()
    found["errors"] = violations(page)
    log_in(page, live_site, f"{scheme}@theatre.org", "door")
    of_staff = ("/checkin/", f"/checkin/performances/{performance.id}", "/staff/account")
    for address in of_staff:
        page.goto(live_site.url + address)
        found[address] = violations(page)
    context.close()
    assert not {address: ids for address, ids in found.items() if ids}
