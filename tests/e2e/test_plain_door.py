"""The door's plain page on a phone: what was decided is what is seen."""

import pytest
from playwright.sync_api import Browser, expect

from azionelab.checkin.scanning.interval import allow_reentry
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.e2e.test_journey import log_in
from tests.factories import a_party, a_performance

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_verdict_is_not_scrolled_away(live_site: Site, browser: Browser, scripts: bool) -> None:
    performance = a_performance()
    party = a_party(performance, 2)
    phone = browser.new_context(
        viewport={"width": 360, "height": 640}, locale="en-GB", java_script_enabled=scripts
    )
    page = watched(phone.new_page())
    log_in(page, live_site, "anna@theatre.org", "door")
    page.goto(f"{live_site.url}/checkin/performances/{performance.id}")
    code = page.get_by_label("Ticket code or reference")
    expect(code).to_be_focused()
    for typed, told in ((party.reference, "Let 2 in"), ("ZZZZZZZZ", "Unknown")):
        code.fill(typed)
        code.press("Enter")
        expect(page.get_by_role("heading", name=told)).to_be_in_viewport()
        if scripts:
            # The next one can be typed, or read by a hand scanner, at once.
            expect(code).to_be_focused()
    page.get_by_label("Name, e-mail or reference").fill(party.name)
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#parties").get_by_text(party.reference)).to_be_in_viewport()
    phone.close()


def test_in_the_interval_all_ways_through_the_door_are_buttons_of_one_size(
    live_site: Site, browser: Browser
) -> None:
    performance = a_performance()
    allow_reentry(performance.id, allowed=True)
    phone = browser.new_context(viewport={"width": 360, "height": 740}, locale="en-GB")
    page = watched(phone.new_page())
    log_in(page, live_site, "anna@theatre.org", "door")
    # Their words are the longer ones.
    page.goto(f"{live_site.url}/checkin/performances/{performance.id}?lang=it")
    for form in page.locator("form.scan-form").filter(has=page.locator("[name=way]")).all():
        boxes = [button.bounding_box() for button in form.locator("[name=way]").all()]
        assert (
            len(
                {
                    tuple(round(box[side]) for side in ("y", "width", "height"))
                    for box in boxes
                    if box
                }
            )
            == 1
        ), boxes
        assert all(box and box["x"] + box["width"] <= 360 for box in boxes)
    phone.close()
