"""Visitors' pages with large text, wide text, forced colours, by keyboard alone, and as a screen reader gets them."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from azionelab.bookings.mails.my_bookings import MY_BOOKINGS
from azionelab.bookings.models import Reservation
from azionelab.bookings.people.own_data import MY_DATA
from azionelab.database import db, now
from azionelab.shows.models import Show
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.factories import a_party, a_performance, a_waiting_party, visitor_token

pytestmark = pytest.mark.usefixtures("in_app")

# What WCAG 1.4.12 says that readers may set.
SPACING = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }
"""
# Elements that cut off their own text, or text that begins or ends beyond the page's edge; but for what is hidden from
# eyes only.
CUT = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const found = wide > 0 ? [`the page is ${wide} too wide`] : [];
  const isHidden = element => element.closest('.visually-hidden, .skip, [hidden], [aria-hidden=true], option');
  for (const element of document.body.querySelectorAll('*')) {
    if (isHidden(element) || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    const cuts = style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1
      || style.overflowY !== 'visible' && element.scrollHeight > element.clientHeight + 1;
    const outside = box.width > 0 && (box.left < -1 || box.right > innerWidth + 1);
    const text = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (text && (cuts || outside) || element.matches('input, button, select, a') && outside)
      found.push(`${element.tagName}.${element.className}: ${element.textContent.trim().slice(0, 40)}`);
  }
  return found;
}"""
# What cannot be seen where a system's colours replace the page's: a control without a border, a focus without a frame.
UNSEEN = """() => {
  const found = [];
  for (const element of document.querySelectorAll('button, .button, input:not([type=hidden]), select')) {
    if (!element.checkVisibility() || element.closest('.visually-hidden')) continue;
    const style = getComputedStyle(element);
    if (element.type !== 'checkbox' && (style.borderTopStyle === 'none' || parseFloat(style.borderTopWidth) < 1))
      found.push(`no border: ${element.outerHTML.slice(0, 80)}`);
  }
  for (const element of document.querySelectorAll('a[href], button, input:not([type=hidden]), select')) {
    if (!element.checkVisibility() || element.closest('.visually-hidden') || element.tabIndex < 0) continue;
    element.focus({focusVisible: true});
    const style = getComputedStyle(element);
    if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2)
      found.push(`no focus: ${element.outerHTML.slice(0, 80)}`);
  }
  return found;
}"""


def pages_of_visitors(site: Site) -> list[str]:
    """An address of each page that a visitor may meet, with long words on it."""
    title = "Donaudampfschifffahrtsgesellschaftskapitän e le sue sorelle"
    show = Show(slug="capitano", title=title, summary="Una sera a teatro", published=True)
    performance = a_performance(capacity=20, show=show)
    a_performance(
        show=show, starts_at=now() + timedelta(days=3), booking_opens_at=now() + timedelta(days=2)
    )
    a_performance(cancelled_at=now(), moved_from=now() + timedelta(days=2))
    full = a_performance(capacity=2)
    a_party(full)
    party = a_party(performance)
    paths = [
        "/",
        "/?view=calendar",
        f"/shows/{show.slug}",
        f"/performances/{performance.id}/book",
        f"/performances/{full.id}/book",
        f"/performances/{performance.id}/received",
        f"/performances/{full.id}/waitlist",
        f"/waitlist/{visitor_token(a_waiting_party(full.id))}",
        f"/bookings/confirm/{visitor_token(a_party(performance, confirmed=False))}",
        f"/bookings/{visitor_token(party)}",
        f"/bookings/{visitor_token(party)}/cancel",
        f"/my-bookings/{MY_BOOKINGS.make_token(party)}",
        f"/my-data/{MY_DATA.make_token(party)}",
        "/my-bookings",
        "/accessibility",
        "/privacy",
        "/embed",
        "/nothing",
    ]
    return [f"{site.url}/it{path}" for path in paths]


def test_large_wide_or_recoloured_text_loses_nothing(live_site: Site, browser: Browser) -> None:
    addresses = pages_of_visitors(live_site)
    # 400 % of a window of 1280 pixels (WCAG 1.4.10). The style of a reader is no style of the page.
    zoomed = browser.new_context(
        viewport={"width": 320, "height": 256}, locale="it-IT", bypass_csp=True
    )
    recoloured = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="it-IT", forced_colors="active"
    )
    large, forced = watched(zoomed.new_page()), watched(recoloured.new_page())
    found: dict[str, list[str]] = {}
    for address in addresses:
        large.goto(address)
        found[f"zoomed {address}"] = large.evaluate(CUT)
        large.add_style_tag(content=SPACING)
        found[f"spaced {address}"] = large.evaluate(CUT)
        forced.goto(address)
        found[f"forced {address}"] = forced.evaluate(UNSEEN)
    zoomed.close()
    recoloured.close()
    assert {where: what for where, what in found.items() if what} == {}


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of a name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        control = page.locator(":focus")
        label = control.evaluate("e => (e.labels?.[0] ?? e).textContent.trim()")
        if label.startswith(name):
            return
    pytest.fail(f"no control {name!r} can be reached")


def test_a_party_books_by_keyboard_alone(live_site: Site, page: Page) -> None:
    performance = a_performance()
    page.goto(f"{live_site.url}/en/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    tab_to(page, f"Book {performance.show.title}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Book your seats")
    tab_to(page, "Name")
    page.keyboard.type("Ada Rossi")
    tab_to(page, "E-mail")
    page.keyboard.type("ada@")
    page.keyboard.press("Enter")
    # The errors have the focus, and lead to their fields.
    expect(page.locator(":focus")).to_have_role("alert")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("E-mail", exact=True)).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("ada@example.org")
    tab_to(page, "Seats")
    page.keyboard.type("3")
    tab_to(page, "I agree")
    page.keyboard.press("Space")
    tab_to(page, "Book")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    db.session.rollback()
    booked = db.session.scalars(select(Reservation)).one()
    assert (booked.name, booked.email, booked.seats) == ("Ada Rossi", "ada@example.org", 3)
    page.goto(f"{live_site.url}/en/bookings/confirm/{visitor_token(booked)}")
    tab_to(page, "Yes, we are coming")
    page.keyboard.press("Space")
    tab_to(page, "Confirm")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_url(re.compile(rf"/en/bookings/{re.escape(visitor_token(booked))}"))
    tab_to(page, "Cancel")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/cancel$"))


def test_a_screen_reader_gets_names_roles_and_errors(live_site: Site, page: Page) -> None:
    first = a_performance(capacity=3)
    full = a_performance(capacity=1)
    a_party(full, 1)
    page.goto(f"{live_site.url}/en/")
    for landmark in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("What is on")
    expect(page.get_by_role("navigation", name="Site")).to_be_visible()
    # Each link names its evening, out of its place, too.
    names = [link.inner_text() for link in page.get_by_role("main").get_by_role("link").all()]
    for name in names:
        if name.startswith(("Book", "Waitlist")):
            assert re.search(r"Show \d+, \w+, \d+ \w+ \d{4}", " ".join(name.split())), name
    expect(page.get_by_role("link", name=re.compile(f"^Book {first.show.title}, "))).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Waitlist "))).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("2 performances")
    region = page.get_by_role("region", name=first.show.title)
    expect(region.get_by_role("listitem")).to_contain_text("Only 3 seats left")

    page.goto(f"{live_site.url}/en/performances/{first.id}/book")
    name, email = (
        page.get_by_role("textbox", name="Name"),
        page.get_by_role("textbox", name="E-mail"),
    )
    consent = page.get_by_role("checkbox", name=re.compile("^I agree"))
    expect(page.get_by_role("combobox", name="Seats")).to_be_visible()
    expect(email).to_have_accessible_description("We will send your ticket to this address.")
    for control in (name, email, consent):
        expect(control).not_to_have_attribute("aria-invalid", "true")
    assert "Leave this empty" not in page.get_by_role("main").aria_snapshot(), "a trap is not read"
    email.fill("ada@")
    page.get_by_role("button", name="Book").click()
    alert = page.get_by_role("alert")
    expect(alert).to_be_focused()
    expect(alert).to_have_accessible_name("3 entries need correcting")
    assert page.title().startswith("Error:")
    for control, control_id in ((name, "name"), (email, "email"), (consent, "consent")):
        expect(control).to_have_attribute("aria-invalid", "true")
        told = page.locator(f"#{control_id}-error").inner_text()
        expect(control).to_have_accessible_description(re.compile(re.escape(told)))
        expect(alert.get_by_role("link", name=told)).to_have_attribute("href", f"#{control_id}")
    expect(email).to_have_value("ada@")


def test_the_form_follows_the_seats_and_keeps_what_was_entered(live_site: Site, page: Page) -> None:
    performance = a_performance(capacity=5)
    page.clock.install()
    page.goto(f"{live_site.url}/it/performances/{performance.id}/book")
    name, email = page.get_by_label("Nome", exact=True), page.get_by_label("E-mail", exact=True)
    name.fill("Ada Rossi")
    email.fill("ada@")
    email.blur()
    seats = page.get_by_role("combobox", name="Posti")
    seats.select_option("3")
    expect(email).to_have_accessible_description(re.compile("Questo indirizzo e-mail non è valido"))
    email.fill("ada@example.org")
    expect(page.locator(".field-error")).to_have_count(0)
    told = page.get_by_role("complementary").get_by_role("status")
    expect(told).to_have_text("Solo 5 posti liberi")
    a_party(performance, 3)
    page.clock.fast_forward(21_000)
    expect(told).to_have_text("Solo 2 posti liberi")
    expect(seats.get_by_role("option", disabled=True)).to_have_text(["4 posti", "5 posti"])
    a_party(performance, 2)
    page.clock.fast_forward(21_000)
    expect(told).to_contain_text("esaurit")
    expect(name).to_have_value("Ada Rossi")
    expect(email).to_have_value("ada@example.org")
    expect(seats).to_have_value("3")
