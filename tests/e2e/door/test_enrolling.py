"""Enrolling a phone: by the QR that staff show, or by the button for logged-in staff."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Request, Route, expect

from azionelab.checkin.devices import invitations
from azionelab.checkin.devices.invitations import invitation_url, make_invitation
from azionelab.checkin.devices.registry import devices_of
from azionelab.database import now
from azionelab.staff.tokens import revoke_token
from azionelab.web.dates import format_time
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.e2e.test_journey import log_in
from tests.factories import a_party, a_performance, fresh
from tests.support.door import Phone, has_a_scan_to_send, invitation, tonight

pytestmark = pytest.mark.usefixtures("in_app")
Phones = Callable[..., Phone]


def test_the_invitation_is_told_to_no_address(
    start_site: Callable[..., Site], make_phone: Phones
) -> None:
    site = start_site(LOG_FORMAT="json")
    phone = make_phone(site)
    performance = tonight()
    sent: list[Request] = []

    def note(request: Request) -> None:
        sent.append(request)

    phone.context.on("request", note)
    secret = make_invitation(performance.id)
    phone.page.goto(f"{site.url}/checkin/app#join={secret}")
    expect(phone.page.locator("h1:visible")).to_have_text("Open the door here?")
    assert devices_of(performance.id) == []

    phone.press("Yes, open the door")
    phone.wait_until_synced()
    assert phone.page.url == f"{site.url}/checkin/app"
    assert phone.page.evaluate("history.length") <= 2
    told = [request for request in sent if secret in (request.post_data or "")]
    assert [request.url for request in told] == [
        f"{site.url}/api/v1/checkin/{what}" for what in ("invitations", "devices")
    ]
    assert not [request.url for request in sent if secret in request.url or "#" in request.url]
    assert not [r for r in sent if secret in json.dumps(r.all_headers())]
    assert "/checkin/devices" in site.program.output
    assert secret not in site.program.output
    assert [device.label for device in devices_of(performance.id)] == ["Door"]


def test_the_qr_of_the_staff_opens_the_app(phone: Phone) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    phone.page.goto(invitation_url(make_invitation(performance.id)))
    evening = phone.page.locator("[data-join-evening]")
    expect(evening).to_contain_text(performance.show.title)
    expect(evening).to_contain_text(
        f"{format_time(performance.starts_at)}, {performance.venue.name}"
    )
    assert devices_of(performance.id) == []
    phone.page.get_by_label("Name of this door").fill("Gallery")
    phone.page.keyboard.press("Enter")
    phone.wait_until_synced()
    expect(phone.page.locator("h1:visible")).to_have_text(performance.show.title)
    phone.scan(party.reference)
    phone.expect_verdict("Let 2 in")
    (device,) = devices_of(performance.id)
    assert (device.label, device.scans, device.people) == ("Gallery", 1, 2)


def test_a_phone_that_was_invited_nowhere_says_what_to_do(phone: Phone) -> None:
    phone.open()
    expect(phone.page.locator("h1:visible")).to_have_text("The door")
    phone.expect_text("This phone is not set up for a door yet.")
    phone.expect_text("Ask staff for the QR code of the performance.")
    phone.page.get_by_role("link", name="I have an account").click()
    expect(phone.page.get_by_label("Password", exact=True)).to_be_visible()


@pytest.mark.parametrize("forged", ["forged", "%", "%E0%A4%A", "x" * 5_000, "<script>"])
def test_what_is_no_invitation_is_told(phone: Phone, forged: str) -> None:
    phone.page.goto(f"{phone.site.url}/checkin/app#join={forged}")
    told = "This QR code is not valid. Ask staff for a new one."
    expect(phone.page.locator("[data-join-evening]")).to_have_text(told)
    phone.press("Yes, open the door")
    expect(phone.page.locator("[data-join-trouble]")).to_have_text(told)


def test_a_name_of_spaces_is_told_by_the_field(phone: Phone) -> None:
    performance = tonight()
    phone.page.goto(invitation(phone.site, performance))
    expect(phone.page.locator("[data-join-now]")).to_be_hidden()
    label = phone.page.get_by_label("Name of this door")
    label.fill("   ")
    phone.press("Yes, open the door")
    expect(label).to_be_focused()
    assert label.evaluate("(field) => field.validity.valueMissing")
    assert devices_of(performance.id) == []
    label.fill("  Gallery ")
    phone.press("Yes, open the door")
    phone.wait_until_synced()
    assert [device.label for device in devices_of(performance.id)] == ["Gallery"]


def test_an_old_invitation_is_told_and_a_new_one_works(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = tonight()
    made_at = now() - timedelta(minutes=16)
    with monkeypatch.context() as earlier:
        earlier.setattr(invitations, "now", lambda: made_at)
        old = invitation(phone.site, performance)
    phone.page.goto(old)
    evening = phone.page.locator("[data-join-evening]")
    expect(evening).to_contain_text("This QR code was already used, or has expired")
    phone.press("Yes, open the door")
    trouble = phone.page.locator("[data-join-trouble]")
    expect(trouble).to_contain_text("or has expired: it is valid for a quarter of an hour.")
    assert devices_of(performance.id) == []
    # In the same page: only what is behind the # is another.
    phone.page.goto(invitation(phone.site, performance))
    expect(evening).to_contain_text(performance.show.title)
    phone.press("Yes, open the door")
    phone.wait_until_synced()


def test_an_invitation_to_what_is_over_is_told(phone: Phone) -> None:
    past = a_performance(starts_at=now() - timedelta(hours=3))
    phone.page.goto(invitation(phone.site, past))
    phone.press("Yes, open the door")
    expect(phone.page.locator("[data-join-trouble]")).to_contain_text("or has expired")


def test_without_a_network_it_is_told_and_can_be_tried_again(phone: Phone) -> None:
    performance = tonight()
    phone.page.goto(invitation(phone.site, performance))
    phone.go_offline()
    phone.press("Yes, open the door")
    expect(phone.page.locator("[data-join-trouble]")).to_contain_text("No answer.")
    phone.context.set_offline(False)
    phone.press("Yes, open the door")
    phone.wait_until_synced()
    assert len(devices_of(performance.id)) == 1


@pytest.mark.parametrize("is_killed", [False, True], ids=["pressed again", "opened again"])
def test_a_lost_answer_costs_no_invitation(phone: Phone, is_killed: bool) -> None:
    performance = tonight()
    address = invitation(phone.site, performance)
    phone.page.goto(address)

    def lose_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    phone.page.route("**/checkin/devices", lose_answer, times=1)
    phone.press("Yes, open the door")
    expect(phone.page.locator("[data-join-trouble]")).to_contain_text("No answer.")
    (made,) = devices_of(performance.id)
    if is_killed:
        phone.page.goto("about:blank")
        phone.page.goto(address)
        expect(phone.page.locator("[data-join-evening]")).to_contain_text(performance.show.title)
    phone.press("Yes, open the door")
    phone.wait_until_synced()
    assert [device.token_id for device in devices_of(performance.id)] == [made.token_id]
    # It names this one enrolment: the phone's next one is another.
    phone.page.goto(invitation(phone.site, performance))
    phone.press("Yes, open the door")
    expect(phone.page.get_by_label("Name of this door")).to_be_hidden()
    assert len(devices_of(performance.id)) == 2


def test_who_has_an_account_opens_the_door_by_a_button(phone: Phone) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    log_in(phone.page, phone.site, "anna@theatre.org", "door")
    phone.page.goto(f"{phone.site.url}/checkin/performances/{performance.id}")
    phone.press("Open on this phone")
    phone.press("Yes, open the door")
    phone.wait_until_synced()
    phone.scan(party.reference)
    phone.expect_verdict("Let 2 in")
    assert [device.label for device in devices_of(performance.id)] == ["Door"]


def test_a_phone_of_one_evening_becomes_one_of_another(
    phone: Phone, database: psycopg.Connection[Any]
) -> None:
    first, second = tonight(), tonight()
    there, here = a_party(first, name="Bruno"), a_party(second, 3, name="Ada")
    phone.join(first)
    expect(phone.count("expected")).to_have_text("2")
    phone.join(second, "Door B")
    expect(phone.page.locator("h1:visible")).to_have_text(second.show.title)
    expect(phone.count("expected")).to_have_text("3")
    assert [party["name"] for party in phone.read_databases()["parties"]] == ["Ada"]
    phone.scan(here.reference)
    phone.expect_verdict("Let 3 in")
    phone.scan(there.reference)
    phone.expect_verdict("Another performance", first.show.title)
    # The name that was typed last is offered for the next evening, and which one it would leave is told.
    phone.page.goto(invitation(phone.site, first))
    is_door = phone.page.locator("[data-join-now]")
    expect(is_door).to_contain_text(f"This phone is set up for {second.show.title}, ")
    expect(is_door).to_contain_text(format_time(second.starts_at))
    expect(phone.page.get_by_label("Name of this door")).to_have_value("Door B")


def test_scans_of_the_evening_before_are_not_forgotten_in_silence(
    phone: Phone,
) -> None:
    party, second = has_a_scan_to_send(phone), tonight()
    phone.page.goto(invitation(phone.site, second))
    expect(phone.page.locator("[data-join-trouble]")).to_contain_text(
        "1 earlier scan has not been sent"
    )
    # Who changes their mind opens the app again, and the scan is sent.
    phone.open()
    phone.go_online()
    assert fresh(party.id).admitted == 2


def test_scans_of_the_evening_before_are_sent_before_the_phone_is_another_door(
    phone: Phone,
) -> None:
    party, second = has_a_scan_to_send(phone), tonight()
    # Closed and not just left: a page that is still on its way out may find the network and send.
    phone.page.close()
    phone.context.set_offline(False)
    phone = Phone(watched(phone.context.new_page()), phone.site)
    phone.page.goto(invitation(phone.site, second))
    expect(phone.page.locator("[data-join-sent]")).to_have_text("1 earlier scan was sent.")
    assert fresh(party.id).admitted == 2
    phone.press("Yes, open the door")
    expect(phone.page.locator("h1:visible")).to_have_text(second.show.title)
    phone.wait_until_synced()


def test_a_photographed_invitation_opens_no_second_door(phone: Phone, make_phone: Phones) -> None:
    performance = tonight()
    shown = invitation(phone.site, performance)
    photographer = make_phone()
    for one in (phone, photographer):
        one.page.goto(shown)
        expect(one.page.locator("[data-join-evening]")).to_contain_text(performance.show.title)
    phone.press("Yes, open the door")
    phone.wait_until_synced()
    photographer.press("Yes, open the door")
    expect(photographer.page.locator("[data-join-trouble]")).to_contain_text("already")
    assert len(devices_of(performance.id)) == 1


def test_a_phone_that_may_opens_the_next_evening_by_itself(phone: Phone) -> None:
    matinee, other = tonight(), tonight()
    party = a_party(other, 2)
    secret = make_invitation(matinee.id, serves_days=3)
    phone.page.goto(f"{phone.site.url}/checkin/app#join={secret}")
    phone.press("Yes, open the door")
    phone.wait_until_synced()
    phone.press("More")
    offered = phone.page.locator("dialog [data-evenings] a")
    expect(offered).to_have_count(1)
    offered.click()
    phone.expect_text("Open the door here?", other.show.title)
    phone.press("Yes, open the door")
    phone.wait_until_synced()
    expect(phone.page.locator("h1:visible")).to_have_text(other.show.title)
    phone.scan(party.reference)
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    # Who is refused there is out of all of them.
    revoke_token(devices_of(other.id)[0].token_id)
    phone.expect_text("This phone was revoked")
    expect(phone.page.locator("[data-evenings] a")).to_have_count(0)
    assert all(seen.revoked_at for seen in devices_of(matinee.id))


def test_when_its_evening_is_over_it_is_offered_the_next(
    phone: Phone, database: psycopg.Connection[Any]
) -> None:
    matinee, other = tonight(), tonight()
    secret = make_invitation(matinee.id, serves_days=3)
    phone.page.goto(f"{phone.site.url}/checkin/app#join={secret}")
    phone.press("Yes, open the door")
    phone.wait_until_synced()
    past = now() - timedelta(hours=3)
    database.execute("UPDATE performance SET starts_at = %s WHERE id = %s", [past, matinee.id])
    phone.expect_text("This performance is over", "Open another door")
    phone.expect_empty_databases()
    phone.open()
    phone.expect_text("This phone is not set up for a door yet.")
    phone.page.locator("[data-evenings]:visible a").click()
    phone.press("Yes, open the door")
    phone.wait_until_synced()
    expect(phone.page.locator("h1:visible")).to_have_text(other.show.title)
