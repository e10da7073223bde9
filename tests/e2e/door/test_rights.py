"""A phone that may only scan shows only that, and stores no names."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from azionelab.checkin.devices.invitations import make_invitation
from azionelab.shows.models import Performance
from azionelab.staff.tokens import Scope
from tests.factories import a_party, ticket_token
from tests.support.door import Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")


def joins_to_scan(phone: Phone, performance: Performance) -> None:
    """Enrol a phone that may only scan."""
    invitation = make_invitation(performance.id, scope=Scope.SCAN)
    phone.page.goto(f"{phone.site.url}/checkin/app#join={invitation}")
    phone.expect_text("This phone will only scan")
    phone.press("Yes, open the door")
    phone.wait_until_synced()


def types(phone: Phone, code: str) -> None:
    if not phone.page.locator("#query").is_visible():
        phone.press("Type a reference")
    phone.page.get_by_role("textbox", name="Reference").fill(code)
    phone.press("Let in")


def test_it_shows_what_it_may_do(phone: Phone) -> None:
    performance = tonight()
    joins_to_scan(phone, performance)
    for name in ("Walk-in +1", "Type or find", "Find"):
        expect(phone.page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    phone.press("More")
    phone.expect_text("This phone only scans.")
    for name in ("Release seats", "Undo release", "Walk-in 2"):
        expect(phone.page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    phone.press("Close")
    # So it is after it was started anew.
    phone.open()
    phone.wait_until_synced()
    expect(phone.page.get_by_role("button", name="Walk-in +1")).to_have_count(0)


def test_it_lets_in_and_takes_back_without_a_name(phone: Phone) -> None:
    performance = tonight()
    party, other = (a_party(performance, 2, name=name) for name in ("Ada Rossi", "Bo Berg"))
    joins_to_scan(phone, performance)
    phone.scan(ticket_token(party))
    phone.expect_verdict("Let 2 in", party.reference)
    expect(phone.verdict).not_to_contain_text("Rossi")
    phone.press("Undo")
    phone.expect_verdict("Undone")
    phone.press("Next")
    types(phone, "Berg")
    phone.expect_text("This phone only scans. Type the whole booking reference")
    types(phone, other.reference)
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    expect(phone.page.locator("[data-last-words]")).to_contain_text(other.reference)


def test_without_a_network_too_and_its_list_holds_no_name(
    phone: Phone, scans: Callable[[], list[Any]]
) -> None:
    performance = tonight()
    party, other = (a_party(performance, 2, name="Ada Rossi") for _ in range(2))
    joins_to_scan(phone, performance)
    phone.wait_until_installed()
    kept = phone.read_databases()
    assert len(kept["parties"]) == 2
    assert "Rossi" not in str(kept)
    phone.go_offline()
    phone.scan(ticket_token(party))
    phone.expect_verdict("Let 2 in", "there is no network", party.reference)
    phone.press("Next")
    types(phone, other.reference)
    phone.expect_verdict("Let 2 in")
    phone.open()
    expect(phone.page.get_by_role("button", name="Type a reference")).to_be_visible()
    expect(phone.page.get_by_role("button", name="Walk-in +1")).to_have_count(0)
    phone.go_online()
    assert [row[1:4] for row in scans()] == [("admitted", 2, 2)] * 2


def test_a_phone_of_before_goes_on_when_it_is_refused(phone: Phone) -> None:
    """An old page that knows no rights shows every button: a refusal must not end its session."""
    performance = tonight()
    party = a_party(performance, 2)
    joins_to_scan(phone, performance)
    phone.page.locator("[data-do=walk-in]").first.evaluate("button => button.click()")
    phone.expect_verdict("The request failed", "This device can only scan tickets.")
    phone.press("Next")
    phone.scan(party.reference)
    phone.expect_verdict("Let 2 in")
