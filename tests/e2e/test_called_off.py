"""An evening falls through, in a real browser: house seats are changed, it is cancelled, its parties are moved."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from azionelab.bookings.box_office.house_seats import keep_back
from azionelab.database import now
from tests.conftest import Site
from tests.e2e.test_back_office import in_office
from tests.factories import a_party, a_performance, fresh, mails, seats_held

pytestmark = pytest.mark.usefixtures("in_app")


def picture(page: Page, path: Path) -> None:
    """A picture of the page, which is no wider than the phone."""
    page.screenshot(path=path, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_an_evening_is_cancelled_and_its_parties_are_moved(
    live_site: Site, browser: Browser, tmp_path: Path
) -> None:
    friday = a_performance(20, starts_at=now() + timedelta(hours=5))
    saturday = a_performance(5, show=friday.show, starts_at=now() + timedelta(days=1))
    fits, too_many = a_party(friday, 4, name="Ada Rossi"), a_party(friday, 3, name="Bruno Neri")
    a_party(friday, 1, name="Carla Verdi", confirmed=False)
    kept = keep_back(saturday.id, "Press", 1)
    page = in_office(browser, live_site, "anna", width=360)
    admin = f"{live_site.url}/admin"

    # House seats give way: their number is never lowered unseen.
    page.goto(f"{admin}/evenings/{saturday.id}/house-seats")
    page.get_by_role("link", name="Change").click()
    page.get_by_label("For whom").fill("Radio")
    page.get_by_label("Seats", exact=True).fill("6")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_text("Only 4 seats are free.")).to_be_visible()
    expect(page.get_by_label("For whom")).to_have_value("Radio")
    page.get_by_label("Seats", exact=True).fill("1")
    picture(page, tmp_path / "house.png")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_text("For whom: Press → Radio")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. Nobody was written to.")).to_be_visible()
    assert fresh(kept.id).name == "Radio"
    page.get_by_text("Undo the last change …").click()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("The change has been undone.")).to_be_visible()

    page.goto(f"{admin}/performances/cancel/?id={friday.id}")
    page.get_by_role("button", name="Cancel the performance").click()
    expect(page.get_by_text("Cancelled.", exact=False).first).to_be_visible()
    page.goto(f"{admin}/evenings/{friday.id}")
    page.get_by_role("link", name="Move its parties to another performance").click()
    # Who had not confirmed is not moved unless somebody says so.
    expect(page.get_by_label("Carla Verdi")).not_to_be_checked()
    page.get_by_label("Move to").select_option(str(saturday.id))
    picture(page, tmp_path / "choose.png")
    page.get_by_role("button", name="Show what happens").click()
    expect(page.get_by_role("heading", name="1 party cannot be moved")).to_be_visible()
    expect(page.get_by_text("3 seats: There is no free seat.")).to_be_visible()
    picture(page, tmp_path / "preview.png")
    page.get_by_role("button", name="Back, nothing is saved").click()
    expect(page.get_by_label("Bruno Neri")).to_be_checked()
    page.get_by_role("button", name="Show what happens").click()
    page.get_by_role("button", name="Move them").press("Enter")
    expect(page.get_by_text("1 party has been moved. 1 e-mail is on its way.")).to_be_visible()
    expect(page.get_by_label("Bruno Neri")).to_be_visible()
    expect(page.get_by_label("Ada Rossi")).to_have_count(0)
    assert (fresh(fits.id).state, fresh(fits.id).performance_id) == ("confirmed", saturday.id)
    assert (fresh(too_many.id).state, mails(fits)[-1]) == ("cancelled", "changed")
    assert seats_held(saturday.id) == (5, 5)
    page.context.close()
