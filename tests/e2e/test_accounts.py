"""Staff's accounts in a real browser: invited, with a second step, asked for the password again."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from azionelab.database import now
from azionelab.staff.second_factor.totp import code_at, read_secret, step_at
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.e2e.test_journey import log_in
from tests.support import journey
from tests.support.axe import violations
from tests.support.people import PASSWORD
from tests.support.processes import free_port

pytestmark = pytest.mark.usefixtures("in_app")
PASSPHRASE = "violet curtains and a wooden horse"


def a_page(browser: Browser, width: int = 1440) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, locale="en-GB", bypass_csp=True
    )
    return watched(context.new_page())


def faults(page: Page) -> list[str]:
    """What axe finds on the page, and whether it scrolls sideways."""
    found = violations(page)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*found, *(["scrolls sideways"] if wide else [])]


def test_a_colleague_is_invited_and_secures_the_account(
    start_site: Callable[..., Site], browser: Browser, tmp_path: Path
) -> None:
    site = start_site(MAIL_SERVER="", SECOND_FACTOR_REQUIRED="staff")
    admin, anna = a_page(browser), a_page(browser, 360)
    log_in(admin, site, "ada@theatre.org", "admin")
    admin.goto(f"{site.url}/admin/accounts/")
    admin.get_by_role("link", name="Invite somebody").click()
    admin.get_by_label("E-mail").fill("anna@theatre.org")
    admin.get_by_label("Name").fill("Anna")
    admin.get_by_label("Role").select_option("staff")
    assert faults(admin) == []
    admin.get_by_role("button", name="Invite").click()
    link = admin.locator("pre code").inner_text()
    assert faults(admin) == []

    anna.goto(link)
    assert faults(anna) == []
    anna.get_by_label("New password").fill(PASSPHRASE)
    anna.get_by_label("The same password again").fill(PASSPHRASE)
    anna.get_by_role("button", name="Set the password").click()
    expect(anna.get_by_text("Your password is set.")).to_be_visible()
    journey.log_in(anna, site.url, "anna@theatre.org", PASSPHRASE)

    expect(anna.get_by_text("Your role needs a second step")).to_be_visible()
    assert faults(anna) == []
    anna.get_by_role("link", name="Set up").click()
    assert faults(anna) == []
    anna.get_by_text("Cannot scan?").click()
    secret = read_secret(anna.locator("code.key").inner_text())
    assert secret
    anna.get_by_label("Code that the app shows").fill(code_at(secret, step_at(now())))
    anna.screenshot(path=tmp_path / "authenticator.png", full_page=True)
    anna.get_by_role("button", name="Set up").click()
    expect(anna.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert faults(anna) == []
    codes = anna.locator("ol code").all_inner_texts()
    anna.get_by_role("link", name="I have kept them").click()
    assert faults(anna) == []
    anna.screenshot(path=tmp_path / "account.png", full_page=True)
    anna.goto(f"{site.url}/admin/")
    expect(anna).to_have_url(re.compile("/admin/$"))

    other = a_page(browser)
    journey.log_in(other, site.url, "anna@theatre.org", PASSPHRASE)
    expect(other.get_by_role("heading", name="One more step")).to_be_visible()
    assert faults(other) == []
    other.get_by_label("Code").fill(code_at(secret, step_at(now()) + 1))
    other.get_by_role("button", name="Log in").click()
    expect(other).to_have_url(re.compile("/admin/$"))
    other.goto(f"{site.url}/staff/account")
    other.get_by_role("button", name="Log out all other devices").click()
    anna.goto(f"{site.url}/admin/")
    expect(anna.get_by_role("heading", name="Log in")).to_be_visible()
    journey.log_in(anna, site.url, "anna@theatre.org", PASSPHRASE)
    anna.get_by_label("Code").fill(codes[0])
    anna.get_by_role("button", name="Log in").click()
    expect(anna.get_by_text("You have used a recovery code; 9 are left.")).to_be_visible()
    for page in (admin, anna, other):
        page.context.close()


def test_a_dangerous_form_is_kept_while_the_password_is_asked(
    live_site: Site, browser: Browser, tmp_path: Path
) -> None:
    page = a_page(browser, 360)
    log_in(page, live_site, "ada@theatre.org", "admin")
    page.goto(f"{live_site.url}/admin/accounts/new/")
    page.get_by_label("E-mail").fill("bea@theatre.org")
    page.get_by_label("Role").select_option("door")
    # The form was open for long.
    age_session(page, live_site)
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    assert faults(page) == []
    page.screenshot(path=tmp_path / "confirm.png", full_page=True)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("The invitation is on its way.")).to_be_visible()
    expect(page.get_by_text("bea@theatre.org").first).to_be_visible()
    page.context.close()


def age_session(page: Page, site: Site) -> None:
    """Sign the session's cookie anew, with a login of an hour ago."""
    from flask import current_app
    from flask.sessions import SecureCookieSessionInterface

    serializer = SecureCookieSessionInterface().get_signing_serializer(current_app)
    assert serializer
    cookie = next(one for one in page.context.cookies() if one["name"] == "session")
    session = serializer.loads(cookie["value"])
    session["logged_in_at"] -= 3600
    page.context.add_cookies(
        [{"name": "session", "value": serializer.dumps(session), "url": site.url}]
    )


def with_authenticator(page: Page) -> None:
    """Give the page's browser a virtual device that makes passkeys, and whose owner agrees to everything."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_logs_in_without_a_password(
    start_site: Callable[..., Site], browser: Browser, tmp_path: Path
) -> None:
    # Passkeys belong to a host name, not to an address.
    site = start_site(
        SITE_BASE_URL=f"http://localhost:{free_port()}", SECOND_FACTOR_REQUIRED="staff"
    )
    page = a_page(browser, 360)
    with_authenticator(page)
    log_in(page, site, "anna@theatre.org", "staff")
    page.get_by_role("link", name="Add a passkey").click()
    assert faults(page) == []
    page.screenshot(path=tmp_path / "passkey.png", full_page=True)
    page.get_by_label("Name").fill("My phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("strong", has_text="My phone")).to_be_visible()
    assert faults(page) == []
    page.screenshot(path=tmp_path / "account.png", full_page=True)

    # The device does not make a second one for the same account.
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("No passkey was made")).to_be_visible()

    page.context.clear_cookies(name="session")
    page.goto(f"{site.url}/staff/login")
    assert faults(page) == []
    page.screenshot(path=tmp_path / "login.png", full_page=True)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/admin/$"))

    # After the password it is the second step.
    page.context.clear_cookies(name="session")
    journey.log_in(page, site.url, "anna@theatre.org", PASSWORD)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/admin/$"))

    # Somebody else's browser has none.
    other = a_page(browser)
    other.goto(f"{site.url}/staff/login")
    with_authenticator(other)
    other.get_by_role("button", name="Use a passkey").click()
    expect(other.get_by_text("No passkey was used")).to_be_visible()
    for one in (page, other):
        one.context.close()
