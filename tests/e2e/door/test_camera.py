"""Scanning with the camera."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from playwright.sync_api import expect

from azionelab.bookings.models import Reservation
from azionelab.checkin.scanning.scan_log import Actor
from azionelab.checkin.scanning.scans import admit
from azionelab.database import now
from azionelab.staff.accounts import create_account
from azionelab.web.dates import format_time
from tests.factories import a_party, a_performance, fresh
from tests.support.camera import (
    blurred,
    code,
    covered,
    dark,
    foyer,
    rotated,
    seen,
    stripes,
    table,
    ticket,
)
from tests.support.door import Phone, tonight, until

pytestmark = pytest.mark.usefixtures("in_app")

Show = Callable[..., None]
Scans = Callable[[], list[Any]]
VIEWS: dict[str, Callable[[Reservation], Image.Image]] = {
    "as it should": lambda party: seen(ticket(party)),
    "small": lambda party: seen(ticket(party, 130)),
    "at the edge": lambda party: seen(ticket(party, 180), at=[(95, 385)]),
    "askew": lambda party: seen(rotated(ticket(party), 33)),
    "upside down": lambda party: seen(rotated(ticket(party), 180)),
    "blurred": lambda party: blurred(seen(ticket(party)), 2),
    "in the dark": lambda party: dark(seen(ticket(party)), 0.25),
    "in a dark foyer": lambda party: foyer(seen(ticket(party)), 0.05),
    "under a thumb": lambda party: seen(covered(ticket(party), 0.25)),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_ticket_is_read_as_people_hold_it(scanner: Phone, show: Show, view: str) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    show((VIEWS[view](party), 1))
    scanner.join(performance).start_camera()
    scanner.expect_verdict("Let 2 in", "Ada Rossi")
    assert fresh(party.id).admitted == 2


def test_a_picture_without_a_qr_gives_no_verdict(scanner: Phone, show: Show, scans: Scans) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    # A thumb over two of the corners that a QR is found by: nobody could read it.
    hidden = seen(covered(ticket(party), 0.8))
    show((stripes(), 0.7), (hidden, 0.7), (table(), 0.4))
    scanner.join(performance)
    noted = scanner.record_verdicts()
    scanner.start_camera()
    scanner.wait_for_frames(80)
    assert noted() == []
    assert scans() == []

    # The same camera, and something to read.
    scanner.press("Camera off")
    show((stripes(), 0.5), (seen(ticket(party)), 1))
    scanner.start_camera()
    scanner.expect_verdict("Let 2 in")
    assert noted() == ["admitted"]


def test_of_two_tickets_in_view_each_gets_one_verdict(
    scanner: Phone, show: Show, scans: Scans
) -> None:
    performance = tonight()
    held, other = a_party(performance, 2, name="Ada"), a_party(performance, 3, name="Bruno")
    view = seen(ticket(other, 190), ticket(held, 260), at=[(105, 240), (370, 240)])
    show((view, 1))
    scanner.join(performance)
    noted = scanner.record_verdicts()
    scanner.start_camera()
    # The one in the middle first; the other when whoever holds the phone had time to look.
    scanner.expect_verdict("Let 2 in", "Ada")
    scanner.expect_verdict("Let 3 in", "Bruno")
    scanner.wait_for_frames(90)
    assert noted() == ["admitted", "admitted"]
    assert [scan.reference for scan in scans()] == [held.reference, other.reference]


@pytest.mark.parametrize("text", ["https://example.org/menu", "WIFI:S:Teatro;;", "è 🎭", "0"])
def test_a_foreign_qr_stops_nobody(scanner: Phone, show: Show, scans: Scans, text: str) -> None:
    performance = tonight()
    show((seen(code(text)), 1), (seen(ticket(a_party(performance, 2))), 1))
    scanner.join(performance)
    noted = scanner.record_verdicts()
    scanner.start_camera()
    scanner.expect_text("Not one of our tickets")
    scanner.expect_verdict("Let 2 in")
    expect(scanner.page.locator("[data-foreign]")).to_be_hidden()
    assert noted()[0] == "admitted"
    assert "unknown" not in {scan.verdict for scan in scans()}


def test_a_ticket_of_another_performance_says_of_which(scanner: Phone, show: Show) -> None:
    other = a_performance(starts_at=now() + timedelta(days=3))
    party = a_party(other)
    show((seen(ticket(party)), 1))
    scanner.join(tonight()).start_camera()
    scanner.expect_verdict(
        "Another performance", other.show.title, other.venue.name, format_time(other.starts_at)
    )
    assert fresh(party.id).admitted == 0


def test_the_same_ticket_again_says_when_where_and_by_whom(scanner: Phone, show: Show) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    anna = create_account("anna@theatre.org", "door", "correct horse battery staple", name="Anna")
    at = now()
    admit(performance.id, party.reference, uuid4(), Actor(door="Stalls", user_id=anna.id))
    show((seen(ticket(party)), 1))
    scanner.join(performance).start_camera()
    scanner.expect_verdict("Already in", f"At {format_time(at)} by Anna, Stalls.")
    assert fresh(party.id).admitted == 2


def test_a_ticket_that_is_held_too_long_is_not_taken_for_a_second_one(
    scanner: Phone, show: Show, scans: Scans
) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    # Hands tremble: now and then it is out of the picture for a moment.
    show((seen(ticket(party)), 1), (table(), 0.3))
    scanner.join(performance)
    noted = scanner.record_verdicts()
    scanner.start_camera()
    scanner.expect_verdict("Let 2 in")
    scanner.wait_for_frames(100)
    assert noted() == ["admitted"]
    assert len(scans()) == 1


def test_a_ticket_that_comes_back_is_already_in(scanner: Phone, show: Show) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    show((seen(ticket(party)), 0.6), (table(), 3))
    scanner.join(performance)
    noted = scanner.record_verdicts()
    scanner.start_camera()
    scanner.expect_verdict("Let 2 in")
    scanner.expect_verdict("Already in", f"At {format_time(now())} by Door A.")
    assert noted() == ["admitted", "already_in"]


def test_a_refusal_stays_until_somebody_has_seen_it(
    scanner: Phone, show: Show, scans: Scans
) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    show((seen(code("ZZZZZZZZ")), 0.8), (seen(ticket(party)), 0.8))
    scanner.join(performance)
    noted = scanner.record_verdicts()
    scanner.start_camera()
    until(
        scanner.page,
        lambda: "unknown" in {scan.verdict for scan in scans()},
        "the code that nobody has",
    )
    scanner.expect_verdict("Unknown")
    before = len(scans())
    scanner.wait_for_frames(100)
    scanner.expect_verdict("Unknown")
    assert len(scans()) == before
    assert noted().count("unknown") == 1


def test_people_walk_on_and_the_next_ticket_needs_no_press(
    scanner: Phone, show: Show, scans: Scans
) -> None:
    performance = tonight(capacity=20)
    parties = [a_party(performance, n, name=f"Party {n}") for n in (1, 2, 3)]
    show(*((seen(ticket(party)), 2) for party in parties), (table(), 1))
    scanner.join(performance).start_camera()
    until(scanner.page, lambda: len(scans()) >= 3, "all three parties")
    assert {scan.reference for scan in scans()} == {party.reference for party in parties}
    assert [fresh(party.id).admitted for party in parties] == [1, 2, 3]


def test_a_phone_that_was_in_a_pocket_sees_again(scanner: Phone, show: Show) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    picture = scanner.page.locator("[data-camera-picture]")
    show((table(), 1))
    scanner.join(performance).start_camera()
    scanner.wait_for_frames(3)
    scanner.hide()
    expect(picture).to_have_js_property("srcObject", None)
    show((seen(ticket(party)), 1))
    scanner.show()
    scanner.expect_verdict("Let 2 in")


def test_a_camera_that_the_system_takes_away_can_be_turned_on_again(
    scanner: Phone, show: Show
) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    show((table(), 1))
    scanner.join(performance).start_camera()
    scanner.wait_for_frames(3)
    show((seen(ticket(party)), 1))
    # As Chromium does it for a phone call; a page that stops a track is not told.
    scanner.page.evaluate(
        """() => {
          const [track] = document.querySelector("[data-camera-picture]").srcObject.getTracks();
          track.stop();
          track.dispatchEvent(new Event("ended"));
        }"""
    )
    scanner.start_camera()
    scanner.expect_verdict("Let 2 in")


def test_a_camera_that_was_on_is_on_after_a_reload(scanner: Phone, show: Show) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    show((table(), 1))
    scanner.join(performance).start_camera()
    scanner.wait_for_frames(3)
    show((seen(ticket(party)), 1))
    scanner.page.reload()
    scanner.expect_verdict("Let 2 in")


def test_a_dark_foyer_is_named_with_the_light_beside_it(scanner: Phone, show: Show) -> None:
    show((foyer(table(), 0.05), 3), (table(), 3))
    # Chromium's fake camera has no light.
    scanner.page.add_init_script(
        """MediaStreamTrack.prototype.getCapabilities = () => ({ torch: true });
        MediaStreamTrack.prototype.applyConstraints = async () => undefined;"""
    )
    scanner.join(tonight()).start_camera()
    said = scanner.page.locator("[data-camera-dark]")
    expect(said).to_have_text("Too dark to read a code. Turn the light on:")
    expect(scanner.page.get_by_role("button", name="Light", exact=True)).to_be_visible()
    expect(said).to_be_empty()


def test_the_camera_reads_without_a_network(scanner: Phone, show: Show) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    show((table(), 1))
    scanner.join(performance)
    scanner.wait_until_installed()
    scanner.wait_until_reader_cached()
    scanner.go_offline()
    scanner.page.reload()
    # Dark as well: what tries harder is kept here too.
    show((foyer(seen(ticket(party)), 0.05), 1))
    scanner.start_camera()
    scanner.expect_verdict("Let 2 in", "there is no network")
    scanner.go_online()
    assert fresh(party.id).admitted == 2
