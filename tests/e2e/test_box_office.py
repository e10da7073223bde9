"""The box office in a real browser: booked by keyboard alone, doubles, and what axe finds."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from azionelab.bookings.box_office.house_seats import keep_back
from azionelab.bookings.models import Reservation
from azionelab.database import db
from azionelab.shows.models import Performance
from tests.conftest import Site
from tests.e2e.test_back_office import in_office
from tests.factories import a_party, a_performance
from tests.support.axe import violations

pytestmark = pytest.mark.usefixtures("in_app")


def parties(performance: Performance) -> list[tuple[str, str, int]]:
    """Name, address and seats of all that was booked, the newest last."""
    db.session.rollback()
    found = db.session.scalars(
        select(Reservation)
        .where(Reservation.performance_id == performance.id)
        .order_by(Reservation.created_at)
    )
    return [(party.name, party.email, party.seats) for party in found]


def test_a_caller_is_booked_by_keyboard_alone(live_site: Site, browser: Browser) -> None:
    performance = a_performance(capacity=20)
    a_party(a_performance(), name="Maria Rossi", email="maria@example.org")
    page = in_office(browser, live_site, "keys", "box_office")
    page.goto(f"{live_site.url}/admin/book/?performance={performance.id}")
    name = page.get_by_role("combobox", name="Name")
    expect(name).to_be_focused()

    # Somebody new, without an address: name, Enter, seats, Enter.
    page.keyboard.type("Gino Bartali", delay=60)
    page.keyboard.press("Enter")
    expect(page.get_by_role("spinbutton", name="Seats")).to_be_focused()
    page.keyboard.type("3", delay=60)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Seats booked", exact=True)).to_be_visible()
    expect(name).to_be_focused()

    # Somebody who booked before: a few letters, arrow, Enter.
    page.keyboard.type("ros", delay=60)
    expect(page.locator("#customers [role=option]")).to_have_count(1)
    expect(name).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#customers [aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_label("E-mail (if they have one)")).to_have_value("maria@example.org")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.get_by_text("maria@example.org")).to_be_visible()
    assert parties(performance) == [
        ("Gino Bartali", "", 3),
        ("Maria Rossi", "maria@example.org", 2),
    ]

    # And taken back.
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_text("the seats are free again")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_a_double_and_the_other_pages_are_usable(
    live_site: Site, browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    performance = a_performance(capacity=20)
    a_party(performance, 2, name="Ada Rossi", email="ada@example.org")
    keep_back(performance.id, "Press", 4)
    page = in_office(browser, live_site, "desk", "box_office", width=width)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    here = f"{live_site.url}/admin/evenings/{performance.id}"

    def looks_right(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert violations(page) == [], name

    page.goto(f"{here}/book")
    page.get_by_text("Group, note, house seats, language").click()
    page.get_by_label("Held until …").check()
    expect(page.get_by_label("Held until", exact=True)).to_be_visible()
    page.get_by_label("Walk-ins at the desk").check()
    expect(page.get_by_label("Name", exact=True)).to_be_hidden()
    page.get_by_label("Confirmed at once").check()
    page.get_by_label("Name", exact=True).press_sequentially("ad")
    expect(page.locator("#customers [role=option]")).to_have_count(1)
    looks_right("suggestions")
    page.locator("#customers [role=option]").click()
    page.get_by_role("spinbutton", name="Seats").press("Enter")
    expect(page.get_by_text("This address has a booking for this evening.")).to_be_visible()
    looks_right("double")
    page.get_by_role("button", name="Add the seats to that booking").click()
    expect(page.get_by_role("heading", name="Seats added")).to_be_visible()
    assert parties(performance)[0] == ("Ada Rossi", "ada@example.org", 4)
    looks_right("added")
    page.get_by_role("link", name="Show the ticket").click()
    expect(page.get_by_role("img", name="QR code of the ticket")).to_be_visible()
    looks_right("ticket")
    page.goto(f"{here}/house-seats")
    looks_right("house-seats")
    page.get_by_role("link", name="Give").click()
    expect(page.get_by_label("Seats from")).to_contain_text("house: Press (4)")
    page.context.close()


def test_it_works_without_scripts(live_site: Site, browser: Browser) -> None:
    performance = a_performance(capacity=20)
    signed_in = in_office(browser, live_site, "plain", "box_office")
    state = signed_in.context.storage_state()
    signed_in.context.close()
    context = browser.new_context(java_script_enabled=False, storage_state=state, locale="en-GB")
    page = context.new_page()
    page.goto(f"{live_site.url}/admin/evenings/{performance.id}/book")
    page.get_by_label("Name", exact=True).fill("Gino Bartali")
    page.get_by_role("spinbutton", name="Seats").fill("8")
    page.get_by_role("button", name="Book").click()
    expect(page.get_by_text("A party has at most 6 seats here.")).to_be_visible()
    page.get_by_label("Reason for so many seats").fill("family")
    page.get_by_role("button", name="Book").click()
    expect(page.get_by_role("heading", name="Seats booked", exact=True)).to_be_visible()
    assert parties(performance) == [("Gino Bartali", "", 8)]
    context.close()
