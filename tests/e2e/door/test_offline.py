"""Offline the door works by itself, says so, and sends everything later."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from azionelab.bookings.tickets.files import ticket_url
from azionelab.database import now
from azionelab.web.dates import format_time
from tests.conftest import Site
from tests.e2e.conftest import watched
from tests.factories import a_party, a_performance, fresh, ticket_token
from tests.support.door import HeldRequests, Phone, invitation, tonight

pytestmark = pytest.mark.usefixtures("in_app")
Phones = Callable[..., Phone]
Scans = Callable[[], list[Any]]
_WITHOUT_ED25519 = """
const importKey = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (...asked) {
  if (asked[2]?.name !== "Ed25519") return importKey.apply(this, asked);
  return Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));
};
"""


def test_in_mid_evening_the_list_goes_on_and_what_was_done_is_told(
    phone: Phone, scans: Scans
) -> None:
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3, name="Bruno")
    phone.join(performance)
    phone.scan(first.reference)
    phone.expect_verdict("Let 2 in")

    phone.go_offline()
    phone.scan(ticket_url(second))
    phone.expect_verdict("Let 3 in", "Bruno", "According to the list of", "there is no network")
    phone.scan(second.reference)
    phone.expect_verdict("Already in", "on this phone")
    phone.scan(first.reference)
    phone.expect_verdict("Already in")
    phone.scan("no-such-ticket")
    phone.expect_text("Not one of our tickets")
    expect(phone.state).to_contain_text("No network since")
    expect(phone.state).to_contain_text("3 scans waiting")
    expect(phone.count("inside")).to_have_text("5")
    assert fresh(second.id).admitted == 0

    phone.go_online()
    assert [(scan.verdict, scan.people, scan.claimed) for scan in scans()] == [
        ("admitted", 2, None),
        ("admitted", 3, 3),
        ("already_in", 0, 0),
        ("already_in", 0, 0),
    ]
    assert fresh(second.id).admitted == 3
    expect(phone.count("inside")).to_have_text("5")
    expect(phone.notices.locator("li")).to_have_count(0)


def test_the_app_starts_without_a_network_and_knows_what_it_did(phone: Phone, scans: Scans) -> None:
    performance = tonight()
    first, second = a_party(performance, 2, name="Ada"), a_party(performance, 3, name="Bruno")
    phone.join(performance)
    phone.wait_until_installed()
    phone.go_offline()
    phone.scan(first.reference)
    phone.expect_verdict("Let 2 in")

    phone.page.reload()
    expect(phone.page.locator("h1:visible")).to_have_text(performance.show.title)
    expect(phone.state).to_contain_text("No network since")
    expect(phone.state).to_contain_text("1 scan waiting")
    phone.scan(first.reference)
    phone.expect_verdict("Already in", "on this phone")
    phone.scan(ticket_token(second))
    phone.expect_verdict("Let 3 in")
    # By name, from the list alone.
    phone.type("bru")
    expect(phone.page.locator("[data-found]")).to_contain_text(second.reference)

    phone.go_online()
    assert [(scan.verdict, scan.reference) for scan in scans()] == [
        ("admitted", first.reference),
        ("already_in", first.reference),
        ("admitted", second.reference),
    ]


def test_an_address_with_an_invitation_starts_without_a_network(phone: Phone) -> None:
    phone.join(tonight())
    phone.wait_until_installed()
    phone.go_offline()
    phone.page.goto("about:blank")
    phone.page.goto(f"{phone.site.url}/checkin/app?lang=it#join=whatever")
    expect(phone.page.locator("h1:visible")).to_have_text("Open the door here?")


def test_another_language_is_the_servers_and_the_door_stays_a_door(phone: Phone) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    phone.join(performance)
    phone.wait_until_installed()
    phone.press("More")
    phone.page.get_by_role("link", name="Italiano").click()
    html = phone.page.locator("html")
    expect(html).to_have_attribute("lang", "it")
    expect(phone.page.locator("h1:visible")).to_have_text(performance.show.title)
    phone.scan(party.reference)
    phone.expect_verdict("Entrano 2 persone")
    phone.press("Avanti")
    # Without a network it speaks as it is kept, and offers nothing else.
    phone.go_offline()
    phone.page.reload()
    expect(html).to_have_attribute("lang", "en")
    phone.scan(party.reference)
    phone.expect_verdict("Already in")
    phone.press("Next")
    expect(phone.state).to_contain_text("No network since")
    phone.press("More")
    expect(phone.page.get_by_role("link", name="Italiano")).to_have_count(0)


def test_a_server_that_is_stopped_is_no_network(
    start_site: Callable[..., Site], make_phone: Phones, scans: Scans
) -> None:
    site = start_site()
    performance = tonight()
    party = a_party(performance, 2)
    phone = make_phone(site).join(performance)
    site.program.stop()
    phone.scan(party.reference)
    phone.expect_verdict("Let 2 in", "there is no network")
    expect(phone.state).to_contain_text("1 scan waiting")
    start_site(SITE_BASE_URL=site.url)
    phone.wait_until_synced()
    assert [(scan.verdict, scan.people) for scan in scans()] == [("admitted", 2)]


def test_a_request_that_hangs_is_no_answer(phone: Phone, scans: Scans) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    phone.join(performance)
    scan, sync = HeldRequests(phone.page, "**/scans"), HeldRequests(phone.page, "**/sync")
    phone.scan(party.reference)
    phone.expect_verdict("Checking…")
    phone.expect_verdict("Let 2 in", "there is no network")
    assert len(scan.routes) == 1
    sync.release()
    phone.wait_until_synced()
    # It was slow, and not lost: now it arrives as well.
    assert scan.routes[0].fetch().json()["replayed"]
    assert [(scan.verdict, scan.people) for scan in scans()] == [("admitted", 2)]
    assert fresh(party.id).admitted == 2


def test_an_answer_that_got_lost_is_counted_once(phone: Phone, scans: Scans) -> None:
    performance = tonight()
    party = a_party(performance, 3)
    phone.join(performance)

    def lose(route: Route) -> None:
        assert route.fetch().status == 200
        route.abort("connectionreset")

    # The server let them in; its answer does not arrive, and nor does that to the sync that follows.
    phone.page.route("**/scans", lose, times=1)
    phone.page.route("**/sync", lose, times=2)
    phone.scan(party.reference)
    phone.expect_verdict("Let 3 in", "there is no network")
    phone.wait_until_synced()
    assert [(scan.verdict, scan.people, scan.claimed) for scan in scans()] == [("admitted", 3, 3)]
    assert fresh(party.id).admitted == 3
    expect(phone.notices.locator("li")).to_have_count(0)
    expect(phone.count("inside")).to_have_text("3")


def test_undoing_what_got_no_answer_leaves_nobody_in(phone: Phone, scans: Scans) -> None:
    performance = tonight()
    party = a_party(performance, 3)
    phone.join(performance)
    phone.page.route("**/scans", lambda route: (route.fetch(), route.abort()), times=1)
    sync = HeldRequests(phone.page, "**/sync")
    phone.scan(party.reference)
    phone.expect_verdict("Let 3 in")
    phone.press("Undo")
    phone.expect_verdict("Undone")
    sync.release()
    phone.wait_until_synced()
    assert [(scan.verdict, scan.undone) for scan in scans()] == [("admitted", True)]
    assert fresh(party.id).admitted == 0


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 503, "body": "busy"},
        {"status": 429, "body": "{}"},
        {
            "status": 200,
            "content_type": "text/html",
            "body": "<h1>Welcome to the hotel's Wi-Fi</h1>",
        },
        {"status": 302, "headers": {"Location": "/staff/login"}},
    ],
    ids=["busy", "too many", "a hotel's page", "a redirect"],
)
def test_an_answer_of_somebody_else_is_no_answer(
    phone: Phone, scans: Scans, answer: dict[str, Any]
) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    phone.join(performance)
    phone.page.route("**/api/v1/checkin/**", lambda route: route.fulfill(**answer))
    phone.scan(party.reference)
    phone.expect_verdict("Let 2 in", "there is no network")
    phone.page.unroute("**/api/v1/checkin/**")
    phone.wait_until_synced()
    assert [(scan.verdict, scan.people) for scan in scans()] == [("admitted", 2)]


def test_a_booking_made_since_is_for_a_person_to_decide(phone: Phone, scans: Scans) -> None:
    performance = tonight()
    phone.join(performance)
    known_until = format_time(now())
    phone.go_offline()
    come, sent_away = a_party(performance, 4), a_party(performance, 2)
    phone.scan(ticket_url(come))
    asked = f"Booked after {known_until}?"
    phone.expect_verdict(
        asked, "A genuine ticket for this performance", "Check the ticket and decide."
    )
    expect(phone.page.locator(".verdict.good, .verdict.bad")).to_have_count(0)
    # Neither a press too many nor the next ticket's scan decides for the person.
    phone.scan(ticket_url(sent_away))
    phone.expect_verdict(asked)
    phone.press("Let in anyway 4")
    phone.expect_verdict("Let 4 in", "The server will be informed.")
    # The ticket says the reference: whichever of them is shown, they are in.
    phone.scan(come.reference)
    phone.expect_verdict("Already in", "on this phone")

    phone.scan(ticket_url(sent_away))
    phone.expect_verdict(asked)
    phone.press("Turn away")
    phone.expect_verdict("Turned away")
    phone.press("Next")
    expect(phone.count("inside")).to_have_text("4")

    phone.go_online()
    assert [(scan.reference, scan.verdict, scan.people, scan.claimed) for scan in scans()] == [
        (come.reference, "admitted", 4, 4),
        (come.reference, "already_in", 0, 0),
        (sent_away.reference, "not_listed", 0, 0),
    ]
    assert (fresh(come.id).admitted, fresh(sent_away.id).admitted) == (4, 0)
    # The one who was sent away and waited is on the list now.
    phone.scan(ticket_url(sent_away))
    phone.expect_verdict("Let 2 in")


@pytest.fixture(params=["by the browser", "by the library"])
def checking_phone(request: pytest.FixtureRequest, phone: Phone) -> Phone:
    """A phone with Ed25519 in its browser, and one without, like Chrome before 2025."""
    if request.param == "by the library":
        phone.context.add_init_script(_WITHOUT_ED25519)
    return phone


def test_without_a_network_a_phone_knows_forged_tickets_and_those_of_other_evenings(
    checking_phone: Phone, scans: Scans
) -> None:
    phone, performance = checking_phone, tonight()
    other = a_party(a_performance(starts_at=now() + timedelta(days=3)), 2)
    phone.join(performance)
    phone.wait_until_installed()
    phone.go_offline()
    late = a_party(performance, 2, name="Bruno")
    phone.scan(ticket_url(other))
    phone.expect_verdict("Another performance", "A genuine ticket for another performance")
    # Of this evening, by the look of it: but nobody has signed that.
    forged = ticket_url(late)
    forged = forged[:-1] + str((int(forged[-1]) + 1) % 10)
    phone.scan(forged)
    phone.expect_verdict("Unknown", "Not a genuine ticket")
    expect(phone.page.get_by_text("Let in anyway")).to_have_count(0)
    phone.scan(ticket_url(late))
    phone.expect_verdict("Booked after", "A genuine ticket for this performance")
    phone.press("Let in anyway 2")
    # One before signatures, as anybody could make it up.
    phone.scan("Q" * 43)
    phone.expect_verdict("Not on the list", "An older kind of ticket")
    phone.press("Turn away")
    phone.expect_verdict("Turned away")

    # The keys are kept with the list: a phone that starts anew without a network knows as much.
    phone.open()
    phone.scan(ticket_url(other))
    phone.expect_verdict("Another performance")
    phone.scan(ticket_url(late))
    phone.expect_verdict("Already in", "on this phone")

    phone.go_online()
    assert [(scan.reference, scan.verdict, scan.people) for scan in scans()] == [
        (other.reference, "wrong_performance", 0),
        (None, "unknown", 0),
        (late.reference, "admitted", 2),
        (None, "not_listed", 0),
        (other.reference, "wrong_performance", 0),
        (late.reference, "already_in", 0),
    ]


def test_a_ticket_that_was_mailed_before_signatures_goes_on_working(phone: Phone) -> None:
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3)
    phone.join(performance)
    phone.scan(f"{phone.site.url}/checkin/ticket/{ticket_token(first)}")
    phone.expect_verdict("Let 2 in")
    phone.go_offline()
    phone.scan(f"{phone.site.url}/checkin/ticket/{ticket_token(second)}")
    phone.expect_verdict("Let 3 in", "there is no network")


def test_a_ticket_of_nobody_that_was_let_in_is_told_to_the_door(phone: Phone, scans: Scans) -> None:
    phone.join(tonight())
    phone.go_offline()
    phone.scan("Q" * 43)
    phone.press("Let in anyway 2")
    phone.go_online()
    assert [(scan.verdict, scan.people, scan.claimed) for scan in scans()] == [("unknown", 0, 2)]
    expect(phone.notices).to_contain_text("2 people too many")
    expect(phone.notices).to_contain_text("Unknown ticket: admitted at")


def test_what_needs_the_network_says_so(phone: Phone) -> None:
    performance = tonight()
    a_party(performance, 2)
    phone.join(performance)
    phone.go_offline()
    phone.press("More")
    phone.press("Release seats")
    phone.press("Release seats")
    expect(phone.page.locator("[data-release-trouble]")).to_have_text("This needs the network.")
    phone.press("Close")
    phone.type("ada@example.org")
    expect(phone.page.locator("[data-found-none]")).to_contain_text(
        "E-mail addresses need the network."
    )


def test_two_tabs_of_one_phone_send_one_queue(phone: Phone, scans: Scans) -> None:
    performance = tonight()
    first, second = a_party(performance, 2), a_party(performance, 3)
    phone.join(performance)
    phone.wait_until_installed()
    other = Phone(watched(phone.context.new_page()), phone.site)
    other.open().wait_until_synced()
    phone.go_offline()
    phone.scan(first.reference)
    phone.expect_verdict("Let 2 in")
    other.scan(first.reference)
    other.expect_verdict("Already in")
    other.scan(second.reference)
    other.expect_verdict("Let 3 in")
    expect(phone.state).to_contain_text("3 scans waiting")
    phone.go_online()
    other.wait_until_synced()
    assert [(scan.verdict, scan.people) for scan in scans()] == [
        ("admitted", 2),
        ("already_in", 0),
        ("admitted", 3),
    ]


def test_without_a_list_and_without_an_answer_nobody_is_let_in(phone: Phone, scans: Scans) -> None:
    performance = tonight()
    party = a_party(performance, 2)
    # The network went away between the invitation and the list.
    sync = HeldRequests(phone.page, "**/sync")
    phone.page.goto(invitation(phone.site, performance))
    phone.press("Yes, open the door")
    sync.wait()
    scan = HeldRequests(phone.page, "**/scans")
    phone.scan(party.reference)
    phone.expect_verdict("No answer", "Not admitted yet. Try again: it counts only once.")
    expect(phone.page.locator(".verdict.good")).to_have_count(0)
    scan.release()
    phone.press("Try again")
    phone.expect_verdict("Let 2 in")
    sync.release()
    phone.wait_until_synced()
    assert [(scan.verdict, scan.people) for scan in scans()] == [("admitted", 2)]
