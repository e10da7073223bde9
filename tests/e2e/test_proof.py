"""While a flood of bookings comes in, a browser proves its work by itself; one without scripts books as well."""

from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from azionelab.bookings import rules
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.factories import a_performance
from tests.support import journey

pytestmark = pytest.mark.usefixtures("in_app")


def read_holds(database: psycopg.Connection[tuple[str, bool]]) -> dict[str, bool]:
    """Whether each address's booking holds its seats."""
    rows = database.execute("SELECT email, holds_seats FROM reservation").fetchall()
    return {row[0]: row[1] for row in rows}


def test_a_browser_books_in_a_flood(
    start_site: Callable[..., Site],
    page: Page,
    browser: Browser,
    database: psycopg.Connection[tuple[str, bool]],
) -> None:
    site = start_site(PROOF_ABOVE_BOOKINGS="1")
    performance = a_performance(capacity=50)
    rules.reserve(performance.id, rules.Visitor("Nobody", "flood@example.org", "en", "::1"), 2)
    page.goto(f"{site.url}/performances/{performance.id}/book")
    expect(page.get_by_label("Leave this empty")).not_to_be_in_viewport()
    # At once, before the challenge is solved: the form waits for it.
    journey.book(page, "Ada Rossi", "ada@example.org", 2)
    expect(page.locator("main")).to_contain_text("We hold the seats until then")

    context = browser.new_context(java_script_enabled=False, locale="it-IT")
    plain = watched(context.new_page())
    plain.goto(f"{site.url}/performances/{performance.id}/book")
    plain.get_by_label("Nome", exact=True).fill("Grace Hopper")
    plain.get_by_label("E-mail", exact=True).fill("grace@example.org")
    plain.get_by_label("Posti").select_option("2")
    plain.get_by_label("Autorizzo").check()
    plain.locator("main form button[type=submit]").click()
    expect(plain.locator("main")).to_contain_text("non possiamo riservare i vostri posti")
    context.close()
    holds = read_holds(database)
    assert (holds["ada@example.org"], holds["grace@example.org"]) == (True, False)
