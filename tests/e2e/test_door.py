"""The door app in a real browser: enrolling, scans with and without a network, names."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from azionelab.checkin.devices import invitation_url, make_invitation
from azionelab.database import now
from azionelab.shows.models import Performance
from tests.conftest import Site
from tests.stage import a_party, a_performance, fresh, ticket_token

pytestmark = pytest.mark.usefixtures("in_app")


def tonight(**facts: object) -> Performance:
    """A performance whose doors are open."""
    curtain = now() + timedelta(minutes=25)
    return a_performance(
        starts_at=curtain, booking_closes_at=curtain - timedelta(minutes=5), **facts
    )


def open_door(site: Site, page: Page, performance: Performance, name: str = "Door A") -> None:
    """Make the page's phone a door device, as somebody who scanned the staff's QR."""
    invitation = invitation_url(make_invitation(performance.id))
    page.goto(
        site.url + invitation.partition("/checkin/")[1] + invitation.partition("/checkin/")[2]
    )
    page.get_by_label("Name of this door").fill(name)
    page.get_by_role("button", name="Yes, open the door").click()
    expect(page.locator("[data-state]")).to_have_text("Online")


def scan(page: Page, code: str) -> None:
    """A hand scanner: fast, wherever the focus is, with Enter at the end."""
    page.keyboard.type(code, delay=1)
    page.keyboard.press("Enter")


def test_a_phone_becomes_a_door_and_the_invitation_leaves_the_address(
    live_site: Site, page: Page
) -> None:
    performance = tonight()
    page.goto(f"{live_site.url}/checkin/app")
    expect(page.locator("body")).to_contain_text("This phone is not at any door yet.")
    open_door(live_site, page, performance)
    expect(page.locator("h1:visible")).to_have_text(performance.show.title)
    assert page.url == f"{live_site.url}/checkin/app"


def test_an_invitation_that_is_none_is_told(live_site: Site, page: Page) -> None:
    page.goto(f"{live_site.url}/checkin/app#join=forged")
    page.get_by_role("button", name="Yes, open the door").click()
    expect(page.locator("[data-join-trouble]")).to_contain_text("This QR is not valid.")


def test_without_a_network_the_list_decides_and_what_was_done_is_sent_later(
    live_site: Site, context: BrowserContext, page: Page
) -> None:
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3)
    open_door(live_site, page, performance)
    verdict, state = page.locator("#verdict"), page.locator("[data-state]")
    scan(page, first.reference)
    expect(verdict).to_contain_text("Let 2 in")

    context.set_offline(True)
    scan(page, f"{live_site.url}/checkin/ticket/{ticket_token(second)}")
    expect(verdict).to_contain_text("Let 3 in")
    expect(verdict).to_contain_text("there is no network")
    scan(page, first.reference)
    expect(verdict).to_contain_text("Already in")
    assert fresh(second.id).admitted == 0

    page.reload()
    expect(state).to_contain_text("No network since")
    expect(state).to_contain_text("2 scans waiting")
    scan(page, second.reference)
    expect(verdict).to_contain_text("Already in")

    context.set_offline(False)
    expect(state).to_have_text("Online", timeout=10_000)
    assert fresh(second.id).admitted == 3
    assert fresh(first.id).admitted == 2


def test_a_ticket_that_is_not_on_the_list_is_for_a_person_to_decide(
    live_site: Site, context: BrowserContext, page: Page
) -> None:
    performance = tonight()
    open_door(live_site, page, performance)
    context.set_offline(True)
    late = a_party(performance, 2)
    verdict = page.locator("#verdict")
    scan(page, ticket_token(late))
    expect(verdict).to_contain_text("Not on my list")
    page.get_by_role("button", name="Let in all the same 2").click()
    expect(verdict).to_contain_text("Let 2 in")
    context.set_offline(False)
    expect(page.locator("[data-state]")).to_have_text("Online", timeout=10_000)
    assert fresh(late.id).admitted == 2


def test_while_the_door_asks_the_verdict_before_is_gone(live_site: Site, page: Page) -> None:
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3)
    open_door(live_site, page, performance)
    verdict = page.locator("#verdict")
    scan(page, first.reference)
    expect(verdict).to_contain_text("Let 2 in")

    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/scans", hold)
    scan(page, second.reference)
    expect(verdict).to_have_text(re.compile(r"\s*Checking…\s*"))
    held[0].continue_()
    expect(verdict).to_contain_text("Let 3 in")


def test_who_looks_for_names_goes_on_among_them(live_site: Site, page: Page) -> None:
    performance = tonight()
    party = a_party(performance, 2, name="Zoë Nguyen")
    open_door(live_site, page, performance)
    page.get_by_role("button", name="Type or find").click()
    query, found = page.locator("#query"), page.locator("[data-found]")
    expect(query).to_be_focused()
    query.fill("zoe")
    query.press("Enter")
    expect(found).to_contain_text(party.reference)
    expect(found).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_contain_text("Let 2 in")
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(query).to_be_focused()
    assert fresh(party.id).admitted == 2
