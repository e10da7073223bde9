"""Staff change, move, split and undo on the page of a reservation, in a real browser."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from azionelab.bookings.tickets.signing import write_ticket
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import now
from tests.conftest import Site
from tests.e2e.test_back_office import in_office
from tests.factories import DOOR_A, a_party, a_performance, fresh, mails
from tests.support.axe import violations

pytestmark = pytest.mark.usefixtures("in_app")


def check(page: Page, width: int, picture: Path) -> None:
    """No scrolling sideways, and nothing that axe finds."""
    page.screenshot(path=picture, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []


@pytest.mark.parametrize("width", [360, 1440])
def test_a_caller_s_party_is_changed_moved_and_set_back(
    live_site: Site, browser: Browser, tmp_path: Path, width: int
) -> None:
    curtain = now() + timedelta(hours=2)
    friday = a_performance(30, starts_at=curtain)
    saturday = a_performance(9, show=friday.show, starts_at=curtain + timedelta(days=1))
    party = a_party(friday, 4, name="Ana Rosi", email="ana@example.org")
    a_party(friday, 2, name="Bruno Neri")
    ticket = write_ticket(fresh(party.id))
    page = in_office(browser, live_site, "anna", role="box_office", width=width)
    page.goto(f"{live_site.url}/admin/reservations/details/?id={party.id}")
    check(page, width, tmp_path / f"page-{width}.png")

    page.get_by_label("Name", exact=True).fill("Anna Rossi")
    page.get_by_label("Seats", exact=True).fill("7")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_text("More than 6 seats need a reason")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Anna Rossi")
    check(page, width, tmp_path / f"refused-{width}.png")
    page.get_by_label("Seats", exact=True).fill("5")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_text("Seats: 4 → 5. Then 23 seats are free.")).to_be_visible()
    page.get_by_text("ana@example.org gets an e-mail").click()
    expect(page.get_by_text("You now have 5 seats (before: 4).")).to_be_visible()
    check(page, width, tmp_path / f"preview-{width}.png")
    page.get_by_role("button", name="Back, nothing is saved").click()
    expect(page.get_by_label("Seats", exact=True)).to_have_value("5")
    page.get_by_role("button", name="Show what changes").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("An e-mail is on its way to ana@example.org")).to_be_visible()
    assert (fresh(party.id).seats, mails(party)[-1]) == (5, "changed")

    page.get_by_text("Move to another performance …").click()
    choice = page.get_by_label("Move to")
    choice.select_option(str(saturday.id))
    check(page, width, tmp_path / f"move-{width}.png")
    choice.press("Tab")
    page.keyboard.press("Enter")  # the button that follows
    expect(page.get_by_text("Then 4 seats are free.")).to_be_visible()
    page.get_by_label("Write to them").uncheck()
    check(page, width, tmp_path / f"move-preview-{width}.png")
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_text("Nobody was written to, as you chose.")).to_be_visible()
    assert fresh(party.id).performance_id == saturday.id
    assert admit(friday.id, ticket, uuid4(), DOOR_A).kind is VerdictKind.WRONG_PERFORMANCE

    page.get_by_text("Undo the last change …").click()
    # They were not written to, so there is nothing to take back.
    expect(page.get_by_label("Write to them that it was undone")).not_to_be_checked()
    check(page, width, tmp_path / f"undo-{width}.png")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("The change has been undone.")).to_be_visible()
    assert fresh(party.id).performance_id == friday.id

    page.get_by_text("Split the party …").click()
    page.get_by_label("People in the new reservation").fill("2")
    page.get_by_label("Their name").fill("Carla Verdi")
    page.locator("details[open]").get_by_role("button", name="Show what happens").click()
    expect(page.get_by_text("keeps 3 of 5 seats")).to_be_visible()
    check(page, width, tmp_path / f"split-{width}.png")
    page.get_by_role("button", name="Split", exact=True).click()
    expect(page.get_by_text("The party has been split.")).to_be_visible()

    page.get_by_text("Merge another reservation into this one …").click()
    page.get_by_label("Merge in").select_option(
        label=page.locator("#other option").nth(1).inner_text()
    )
    page.locator("details[open]").get_by_role("button", name="Show what happens").click()
    expect(page.get_by_text("3 → 5 seats")).to_be_visible()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_text("The two reservations are one now.")).to_be_visible()

    page.get_by_text("Cancel …").click()
    page.locator("details[open]").get_by_role("button", name="Show what happens").click()
    page.get_by_role("button", name="Cancel the reservation").click()
    expect(page.get_by_text("The reservation is cancelled.")).to_be_visible()
    page.get_by_text("Take back …").click()
    page.locator("details[open]").get_by_role("button", name="Show what happens").click()
    check(page, width, tmp_path / f"take-back-{width}.png")
    page.get_by_role("button", name="Take back", exact=True).click()
    expect(page.get_by_text("The reservation is valid again.")).to_be_visible()
    assert (fresh(party.id).state, fresh(party.id).seats) == ("confirmed", 5)
    page.context.close()
