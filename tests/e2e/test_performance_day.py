"""The page of a performance's day in a real browser: it updates itself without disturbing who works on it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from azionelab.bookings.seats import no_show_seats
from azionelab.checkin.devices import invitations
from azionelab.checkin.scanning.scan_log import Actor, Claim, record_revoked_scan
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.staff.tokens import revoke_token
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.e2e.test_journey import log_in
from tests.factories import DOOR_A, DOOR_B, a_party, a_performance
from tests.support.axe import violations

pytestmark = pytest.mark.usefixtures("in_app")
# The words in what a selector finds that go on in another line.
_BROKEN = """
(selector) => [...document.querySelectorAll(selector)].flatMap((part) => {
  const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  const broken = [];
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    for (const { 0: word, index } of text.data.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      if (new Set([...range.getClientRects()].map(({ top }) => top)).size > 1) broken.push(word);
    }
  }
  return broken;
})
"""


@pytest.fixture
def performance() -> Performance:
    """An evening whose curtain is near."""
    curtain = now() + timedelta(minutes=20)
    return a_performance(capacity=50, starts_at=curtain, booking_closes_at=curtain)


def a_device(performance: Performance, label: str) -> Actor:
    token, _text = invitations.enrol(invitations.make_invitation(performance.id), label)
    return Actor(door=label, token_id=token.id, label=label)


def test_it_keeps_itself_fresh_and_leaves_who_works_alone(
    live_site: Site,
    page: Page,
    performance: Performance,
    database: psycopg.Connection[Any],
) -> None:
    parties = [a_party(performance, 3, name="Ada Rossi") for _ in range(2)]
    a_device(performance, "North")
    # No newcomer any more: one of these is refused by one press.
    database.execute("UPDATE api_token SET created_at = created_at - interval '20 minutes'")
    admit(performance.id, parties[0].reference, uuid4(), DOOR_A)
    log_in(page, live_site, "anna@theatre.org", "staff")
    page.goto(f"{live_site.url}/admin/evenings/{performance.id}")
    expect(page.locator("#counts")).to_contain_text("3 of 6 expected")
    page.locator(".figures > summary").click()
    page.get_by_text("As a table").click()
    question = page.locator("summary", has_text="Revoke … North")
    question.press("Enter")
    button = page.get_by_role("button", name="Revoke now North")
    button.focus()
    page.evaluate("window.wasNotLoadedAgain = true")
    height = page.evaluate("scrollY")

    twice = parties[1].reference
    admit(performance.id, twice, uuid4(), DOOR_A)
    admit(performance.id, twice, uuid4(), DOOR_B, claim=Claim(now(), VerdictKind.ADMITTED, 2))
    a_device(performance, "South")
    expect(page.locator("#counts")).to_contain_text("6 of 6 expected")
    expect(page.locator("#conflicts")).to_contain_text("2 people too many")
    expect(page.locator("#devices")).to_contain_text("South")
    expect(page.locator("#doors")).to_contain_text("Door B")
    expect(button).to_be_focused()
    expect(page.locator("#arrivals details")).to_have_attribute("open", "")
    assert page.evaluate("window.wasNotLoadedAgain")
    assert abs(page.evaluate("scrollY") - height) < 400

    button.press("Enter")
    expect(page.get_by_text("North has been revoked")).to_be_visible()
    expect(question).to_have_count(0)


def test_without_a_network_it_says_so_and_goes_on_by_itself(
    live_site: Site, context: BrowserContext, page: Page, performance: Performance
) -> None:
    log_in(page, live_site, "anna@theatre.org", "staff")
    page.goto(f"{live_site.url}/admin/evenings/{performance.id}")
    stale = page.locator("[data-stale]")
    expect(stale).to_be_hidden()
    context.set_offline(True)
    expect(stale).to_be_visible()
    context.set_offline(False)
    expect(stale).to_be_hidden()


def test_a_phone_that_was_let_in_appears_beside_the_code(
    live_site: Site, page: Page, performance: Performance
) -> None:
    log_in(page, live_site, "anna@theatre.org", "staff")
    page.goto(f"{live_site.url}/admin/evenings/{performance.id}")
    page.get_by_role("link", name="Open the door with a phone").click()
    address = page.get_by_label("The same code as a link to send")
    shown = address.input_value()
    invitations.enrol(shown.partition("#join=")[2], "Marta’s phone")
    expect(page.locator("#devices")).to_contain_text("Marta’s phone")
    # The code is used up, and the next one is there for the next phone.
    expect(address).not_to_have_value(shown)


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A page in a browser that runs no scripts."""
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    yield watched(context.new_page())
    context.close()


def test_no_shows_are_released_and_taken_back_without_a_script(
    live_site: Site, plain_page: Page, performance: Performance
) -> None:
    a_party(performance, 4)
    log_in(plain_page, live_site, "anna@theatre.org", "staff")
    plain_page.goto(f"{live_site.url}/admin/evenings/{performance.id}")
    plain_page.get_by_role("link", name="Release no-shows").click()
    expect(plain_page.locator("main")).to_contain_text("This would release 4 seats of 1 party")
    plain_page.get_by_role("button", name="Release seats").click()
    expect(plain_page.locator("main")).to_contain_text("Released: 4 seats of 1 party.")
    plain_page.get_by_role("link", name="Undo …").click()
    plain_page.get_by_role("button", name="Hold the seats again").click()
    expect(plain_page.locator("main")).to_contain_text("Held again: 4 seats of 1 party.")


@pytest.mark.parametrize("width", [360, 1440])
def test_no_word_of_ours_is_broken_in_mid_word(
    live_site: Site, context: BrowserContext, page: Page, performance: Performance, width: int
) -> None:
    party = a_party(performance, 3, name="Bevilacqua" * 10)
    admit(performance.id, party.reference, uuid4(), DOOR_A)
    admit(performance.id, party.reference, uuid4(), DOOR_B)
    log_in(page, live_site, f"berta{width}@theatre.org", "staff")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{live_site.url}/admin/evenings/{performance.id}?lang=it")
    page.locator("#arrivals summary").evaluate("(summary) => (summary.parentElement.open = true)")
    page.locator("details.figures").evaluate("(figures) => (figures.open = true)")
    assert page.evaluate(_BROKEN, ".panel thead th, .tiles dt") == []
    # Nor does the list of parties reach over the figures beside it.
    edges = page.locator(".parties, .party-list").evaluate_all(
        "(both) => both.map((one) => one.getBoundingClientRect().right)"
    )
    assert edges[1] <= edges[0] + 1


def test_all_numbers_of_an_evening_are_seen_on_a_phone(
    live_site: Site, page: Page, performance: Performance
) -> None:
    a_party(performance, 3)
    log_in(page, live_site, "carla@theatre.org", "staff")
    page.set_viewport_size({"width": 360, "height": 800})
    for language in ("it", "en"):
        page.goto(f"{live_site.url}/admin/?lang={language}")
        # Nor a time of 20:47, nor a show of that number.
        # Today's stands above the table of the next ones.
        numbers = ".house dd, .evenings td.text-right"
        free = page.locator(numbers, has_text=re.compile(r"^\s*47\s*$"))
        expect(free).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.evaluate(_BROKEN, numbers) == []


@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    live_site: Site, browser: Browser, performance: Performance, width: int
) -> None:
    phone = a_device(performance, "Telefono di Maria Antonietta, porta nord " * 2)
    party = a_party(performance, 3, name="Bevilacqua" * 10)
    for actor in (DOOR_A, phone):
        admit(performance.id, party.reference, uuid4(), actor)
    admit(performance.id, party.reference, uuid4(), DOOR_B, claim=Claim(now(), VerdictKind.FULL, 2))
    a_party(performance, 2)
    no_show_seats.release_no_shows(performance.id)
    lost = a_device(performance, "Lost")
    revoke_token(lost.token_id or 0)
    record_revoked_scan(performance.id, party.reference, uuid4(), lost, None)
    context = browser.new_context(
        viewport={"width": width, "height": 800}, locale="en-GB", bypass_csp=True
    )
    page = watched(context.new_page())
    log_in(page, live_site, f"anna{width}@theatre.org", "staff")
    evening = f"/admin/evenings/{performance.id}"
    found = {}
    for address in ("/admin/", evening, f"{evening}/invitation", f"{evening}/no-shows"):
        page.goto(live_site.url + address)
        found[address] = violations(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[address].append("wider than the screen")
    context.close()
    assert not {address: ids for address, ids in found.items() if ids}
