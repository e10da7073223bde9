"""Without a camera the app says what to do, and works by typing."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.e2e.door.conftest import PHONE
from tests.factories import a_party, fresh
from tests.support.camera import seen, ticket
from tests.support.door import Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")
TROUBLE = "[data-camera-trouble]"


def test_a_refused_camera_says_how_to_allow_it_and_typing_works(
    browser_with_camera: Browser, live_site: Site, show: Callable[..., None]
) -> None:
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3)
    show((seen(ticket(second)), 1))
    context = browser_with_camera.new_context(**PHONE)
    phone = Phone(watched(context.new_page()), live_site).join(performance)
    phone.start_camera()
    trouble = phone.page.locator(TROUBLE)
    expect(trouble).to_contain_text("The camera is blocked. Allow it in the address bar")
    expect(trouble).to_contain_text("You can also type the code.")
    phone.type(first.reference)
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    phone.press("Close")

    # Allowed now, as it was told.
    context.grant_permissions(["camera"])
    phone.start_camera()
    phone.expect_verdict("Let 3 in")
    expect(trouble).to_be_empty()
    context.close()


def test_a_phone_without_a_camera_offers_typing(phone: Phone) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    phone.context.grant_permissions(["camera"])
    phone.join(performance).start_camera()
    expect(phone.page.locator(TROUBLE)).to_contain_text(
        "No camera was found. Type the code instead."
    )
    phone.type(party.reference)
    phone.expect_verdict("Let 2 in")
    assert fresh(party.id).admitted == 2
    # It does not try by itself, and complain, each time that the page is opened.
    phone.page.reload()
    phone.wait_until_synced()
    expect(phone.page.locator(TROUBLE)).to_be_empty()


def test_a_camera_that_another_app_uses_is_told(phone: Phone) -> None:
    phone.page.add_init_script(
        """navigator.mediaDevices.getUserMedia = async () => {
          throw new DOMException("in use", "NotReadableError");
        }"""
    )
    phone.join(tonight()).start_camera()
    expect(phone.page.locator(TROUBLE)).to_contain_text("Another app may be using it.")
    expect(phone.page.get_by_role("button", name="Scan with the camera")).to_be_focused()
