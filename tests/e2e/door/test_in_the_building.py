"""The number of people in the building on every phone, online and offline."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from azionelab.checkin.devices import registry as devices
from azionelab.shows.models import Performance
from azionelab.staff.tokens import revoke_token
from tests.factories import a_party, ticket_token
from tests.support.door import Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")
Phones = Callable[..., Phone]


def is_revoked(performance: Performance, label: str) -> None:
    (device,) = (one for one in devices.devices_of(performance.id) if one.label == label)
    revoke_token(device.token_id)


def lets_in(phone: Phone, code: str, people: int) -> None:
    phone.scan(code)
    phone.expect_verdict(f"Let {people} in")
    phone.press("Next")


def test_conflicts_and_a_phone_that_was_revoked_offline_are_in_the_figure(
    make_phone: Phones,
) -> None:
    performance = tonight(capacity=40, party_limit=6)
    six, four, missing = (a_party(performance, seats) for seats in (6, 4, 4))
    first, second, lost = (make_phone() for _ in range(3))
    for phone, name in ((first, "Door A"), (second, "Door B"), (lost, "Door C")):
        phone.join(performance, name)
    first.wait_until_installed()
    for phone in (second, lost):
        phone.go_offline()
    for party in (six, four):
        lets_in(first, ticket_token(party), party.seats)
    expect(first.count("in_building")).to_have_text("10")
    lets_in(second, ticket_token(four), 4)
    second.scan("Q" * 43)
    second.press("Let in anyway 1")
    second.press("Next")
    # What it knows: its own five, of whom nobody else heard.
    expect(second.count("in_building")).to_have_text("5")
    lets_in(lost, ticket_token(missing), 4)
    is_revoked(performance, "Door C")
    second.go_online()
    lost.context.set_offline(False)
    lost.expect_text("This phone was revoked")
    for phone in (first, second):
        expect(phone.count("in_building")).to_have_text("19")
        expect(phone.count("inside")).to_have_text("10")
    known = first.page.locator("[data-known]")
    expect(known).to_contain_text("certain at")
    # Without a network it adds what it does itself, also when it was killed meanwhile.
    first.go_offline()
    known_at = known.inner_text()
    first.press("Walk-in +1")
    first.expect_verdict("Let 1 in")
    first.press("Next")
    expect(first.count("in_building")).to_have_text("20")
    first.open()
    expect(first.count("in_building")).to_have_text("20")
    expect(known).to_have_text(known_at)
    first.go_online()
    expect(first.count("in_building")).to_have_text("20")
    expect(second.count("in_building")).to_have_text("20")
