"""Bad input: strange codes, a browser without storage, a very long queue."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import expect

from azionelab.checkin.devices.registry import devices_of
from azionelab.database import now
from tests.factories import a_party, fresh, ticket_token
from tests.support.door import Phone, invitation, tonight

pytestmark = pytest.mark.usefixtures("in_app")

Scans = Callable[[], list[Any]]
QUEUE = 5_000
# Puts scans into the queue as if they had been made here, and says so as another tab would.
_ENQUEUE = """
async (done) => {
  const opened = indexedDB.open("azionelab-door");
  await new Promise((ready) => { opened.onsuccess = ready; });
  const writing = opened.result.transaction("waiting", "readwrite");
  for (const one of done) writing.objectStore("waiting").add(one);
  await new Promise((ready) => { writing.oncomplete = ready; });
  opened.result.close();
  new BroadcastChannel("azionelab-door").postMessage("waiting");
}
"""
_NO_DATABASE = """
IDBFactory.prototype.open = () => { throw new DOMException("private", "SecurityError"); };
"""
_DISK_FULL = """
() => {
  IDBObjectStore.prototype.add = IDBObjectStore.prototype.put = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
}
"""


def test_what_is_no_code_is_unknown_with_a_network_and_without(phone: Phone, scans: Scans) -> None:
    performance = tonight()
    token = ticket_token(a_party(performance, 2))
    codes = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.swapcase(),
        f"/{token[:-1]}",
        f"{token}/{'Q' * 43}",
        f"javascript:/{'-' * 43}",
        "/" * 20,
        "/" + "x" * 2_000,
        "/🎭🎭🎭🎭🎭🎭🎭🎭",
        "/<img src=x onerror=alert(1)>",
        "/' OR 1=1 --",
        "%00/%00",
    ]
    phone.join(performance)
    tokens = [code for code in codes if _is_token(code)]
    for code in codes:
        phone.type(code)
        if _is_token(code):
            phone.expect_verdict("Unknown", "No booking has this code.")
        else:
            phone.expect_text("Not one of our tickets")
    phone.go_offline()
    for code in tokens:
        phone.type(code)
        # It may be one of somebody who booked since.
        phone.expect_verdict("Not on the list")
        phone.press("Turn away")
        phone.expect_verdict("Turned away")
    phone.go_online()
    assert len(scans()) == 2 * len(tokens)
    assert {scan.people for scan in scans()} == {0}


def _is_token(code: str) -> bool:
    return re.fullmatch(r"(.*/)?[\w-]{43}/*", code, re.ASCII) is not None


def test_a_browser_that_keeps_nothing_is_a_door_with_a_network_only(
    phone: Phone, scans: Scans
) -> None:
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3)
    phone.page.add_init_script(_NO_DATABASE)
    phone.join(performance)
    told = phone.page.locator("[data-keeps-nothing]")
    expect(told).to_contain_text("This browser cannot store data")
    phone.scan(first.reference)
    phone.expect_verdict("Let 2 in")
    phone.go_offline()
    phone.scan(second.reference)
    phone.expect_verdict("No answer", "Not admitted yet.")
    expect(phone.page.locator(".verdict.good")).to_have_count(0)
    phone.press("Next")
    phone.press("Walk-in +1")
    phone.expect_verdict("No answer")
    assert len(scans()) == 1
    phone.context.set_offline(False)
    phone.press("Try again")
    phone.expect_verdict("Let 1 in")
    phone.scan(second.reference)
    phone.expect_verdict("Let 3 in")
    assert [scan.people for scan in scans()] == [2, 1, 3]


def test_a_disk_that_is_full_lets_nobody_in_unrecorded(phone: Phone, scans: Scans) -> None:
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3)
    phone.join(performance)
    phone.go_offline()
    phone.scan(first.reference)
    phone.expect_verdict("Let 2 in")
    phone.page.evaluate(_DISK_FULL)
    phone.scan(second.reference)
    phone.expect_verdict("No answer", "Not admitted yet.")
    expect(phone.page.locator("[data-keeps-nothing]")).to_contain_text("its storage is full")
    # What was kept before is sent, and the door goes on with the network.
    phone.press("Next")
    phone.go_online()
    phone.scan(second.reference)
    phone.expect_verdict("Let 3 in")
    assert [(scan.reference, scan.people) for scan in scans()] == [
        (first.reference, 2),
        (second.reference, 3),
    ]


def test_a_long_queue_is_sent_in_its_order_and_each_scan_once(
    phone: Phone, scans: Scans, database: psycopg.Connection[Any]
) -> None:
    performance = tonight(capacity=QUEUE)
    parties = [a_party(performance, 3) for _ in range(10)]
    phone.join(performance)
    # It was a door for so long: one that was enrolled just now has done less (tests/api/test_door_scan_rate.py).
    database.execute("UPDATE api_token SET created_at = created_at - interval '90 minutes'")
    phone.wait_until_installed()
    phone.go_offline()
    started = now() - timedelta(minutes=10)
    done = []
    for n in range(QUEUE):
        # Three of each come one by one; then somebody holds the ticket before the camera for good.
        party, is_in = parties[n % 10], n < 30
        at = (started + timedelta(seconds=n)).isoformat()
        verdict = "admitted" if is_in else "already_in"
        action = {
            "kind": "scan",
            "scan_id": str(uuid4()),
            "code": ticket_token(party),
            "offline": {"at": at, "verdict": verdict, "people": int(is_in)},
        }
        done.append(
            {"action": action, "reference": party.reference, "people": int(is_in), "at": at}
        )
    phone.page.evaluate(_ENQUEUE, done)
    expect(phone.state).to_contain_text(f"{QUEUE} scans waiting")
    expect(phone.count("inside")).to_have_text("30")

    # It is interrupted: of the second batch the answer is lost.
    answers = iter(["let through", "lose"])

    def meet(route: Any) -> None:
        answer = next(answers, "let through")
        if answer == "lose":
            route.fetch()
            route.abort()
        else:
            route.continue_()

    phone.page.route("**/sync", meet)
    phone.go_online()
    assert [scan.id for scan in scans()] == [one["action"]["scan_id"] for one in done]
    assert sum(scan.people for scan in scans()) == 30
    assert {fresh(party.id).admitted for party in parties} == {3}
    assert phone.read_databases()["waiting"] == []
    expect(phone.notices.locator("li")).to_have_count(0)


def test_one_that_the_server_will_not_take_stops_no_other(phone: Phone, scans: Scans) -> None:
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3)
    phone.join(performance)
    phone.wait_until_installed()
    phone.go_offline()
    phone.scan(first.reference)
    phone.expect_verdict("Let 2 in")
    broken = {"kind": "scan", "scan_id": "no-uuid", "code": second.reference}
    at = now().isoformat()
    phone.page.evaluate(
        _ENQUEUE, [{"action": broken, "reference": second.reference, "people": 1, "at": at}]
    )
    expect(phone.state).to_contain_text("2 scans waiting")
    phone.scan(second.reference)
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    phone.go_online()
    assert [(scan.reference, scan.people) for scan in scans()] == [
        (first.reference, 2),
        (second.reference, 2),
    ]
    # And it is not forgotten in silence.
    expect(phone.notices).to_contain_text("Not counted as shown here")
    expect(phone.notices).to_contain_text("1 admitted, 0 counted")
    phone.press("Seen")
    expect(phone.notices.locator("li")).to_have_count(0)


def test_a_name_that_is_no_name_is_shown_as_it_is(phone: Phone) -> None:
    performance = tonight()
    name = '<b>Ada</b> & "Co" {num} %s'
    party = a_party(performance, 2, name=name)
    phone.join(performance)
    phone.scan(party.reference)
    expect(phone.page.locator("#verdict .party b")).to_have_text(name)


@pytest.mark.parametrize("label", ["   ", "x" * 200])
def test_a_door_needs_a_name_that_fits(phone: Phone, label: str) -> None:
    performance = tonight()
    phone.page.goto(invitation(phone.site, performance))
    field = phone.page.get_by_label("Name of this door")
    field.fill(label)
    phone.press("Yes, open the door")
    if label.strip():
        phone.wait_until_synced()
        assert [len(device.label) for device in devices_of(performance.id)] == [60]
    else:
        expect(field).to_be_visible()
        assert devices_of(performance.id) == []
