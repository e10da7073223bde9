"""Small screens and long names: everything needed is visible."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, expect

from azionelab.checkin.scanning.scan_log import Actor
from azionelab.checkin.scanning.scans import admit
from azionelab.shows.models import Show
from tests.factories import a_party, ticket_token
from tests.support.door import Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")
Phones = Callable[..., Phone]

LONG = "ada.rossi.della.compagnia.teatrale@esempio-lunghissimo.example"
NARROW = {"width": 360, "height": 740}
SIDEWAYS = {"width": 740, "height": 360}
_LINES = """
(part) => {
  const text = document.createRange();
  text.selectNodeContents(part);
  return new Set([...text.getClientRects()].map(({ top }) => Math.round(top))).size;
}
"""
_INSIDE = """
(part) => {
  const { left, right, top, bottom } = part.getBoundingClientRect();
  return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
}
"""


def is_on_screen(*parts: Locator) -> None:
    """All of it, without scrolling."""
    for part in parts:
        expect(part).to_be_visible()
        assert part.evaluate(_INSIDE), f"{part} is cut off: {part.bounding_box()}"


def test_a_name_that_cannot_be_broken_pushes_nothing_off_a_narrow_screen(
    make_phone: Phones,
) -> None:
    phone = make_phone(viewport=NARROW)
    performance = tonight(capacity=40)
    first, second = a_party(performance, 2, name=LONG), a_party(performance, 2, name="W" * 40)
    phone.join(performance)
    for party in (first, second):
        phone.scan(ticket_token(party))
        phone.expect_verdict("Let 2 in")
        is_on_screen(
            phone.verdict.locator(".party b"),
            phone.verdict.get_by_role("button", name="Undo"),
            phone.verdict.get_by_role("button", name="Next"),
        )
        # Names are broken where they must be, and words of ours are not.
        assert phone.verdict.get_by_role("button", name="Undo").evaluate(_LINES) == 1
        assert phone.verdict.locator(".party b").evaluate("(b) => b.scrollWidth <= b.clientWidth")
    phone.type("rossi")
    find = phone.page.locator(".find")
    is_on_screen(
        find.get_by_role("button", name="Find", exact=True),
        find.get_by_role("button", name="Close"),
        find.locator(".parties b").first,
    )
    assert find.evaluate("(part) => part.scrollWidth <= part.clientWidth")


@pytest.mark.parametrize(
    "size", [SIDEWAYS, {"width": 932, "height": 430}], ids=lambda size: str(size["width"])
)
def test_a_phone_held_sideways_shows_what_is_pressed_and_counted(
    make_phone: Phones, size: dict[str, int]
) -> None:
    phone = make_phone(viewport=size)
    performance = tonight(capacity=40, party_limit=8)
    party = a_party(performance, 8, name="Ada Rossi")
    phone.join(performance)
    page, verdict = phone.page, phone.verdict
    is_on_screen(
        *page.locator(".counts dt").all(),
        *page.locator(".counts dd").all(),
        *(page.get_by_role("button", name=name) for name in ("Type or find", "Walk-in +1", "More")),
        page.get_by_role("button", name="Scan with the camera"),
    )
    phone.scan(ticket_token(party))
    phone.expect_verdict("Let 8 in")
    is_on_screen(
        verdict.locator("h2"),
        verdict.locator(".party"),
        verdict.get_by_role("button", name="Only some came: 7"),
        verdict.get_by_role("button", name="Undo"),
        verdict.get_by_role("button", name="Next"),
    )
    phone.press("Next")
    phone.scan(ticket_token(party))
    phone.expect_verdict("Already in")
    is_on_screen(verdict.get_by_role("button", name="Next"))
    phone.press("Next")
    phone.go_offline()
    phone.scan("Q" * 43)
    phone.expect_verdict("Not on the list")
    is_on_screen(
        verdict.locator("h2"),
        verdict.get_by_role("button", name="Let in anyway 6"),
        verdict.get_by_role("button", name="Turn away"),
    )
    phone.press("Turn away")
    phone.press("Next")


@pytest.mark.parametrize(
    "size",
    [NARROW, {"width": 390, "height": 844}, SIDEWAYS, {"width": 1280, "height": 800}],
    ids=lambda size: str(size["width"]),
)
@pytest.mark.parametrize(
    "title",
    ["Sei personaggi in cerca d'autore", "W" * 120],
    ids=["long", "without a space"],
)
def test_a_long_title_pushes_nothing_off_the_screen(
    make_phone: Phones, size: dict[str, int], title: str
) -> None:
    phone = make_phone(viewport=size)
    performance = tonight(show=Show(slug=f"show-{uuid4()}", title=title, published=True))
    party = a_party(performance, 2, name="Ada Rossi")
    phone.join(performance)
    phone.go_offline()
    phone.scan(ticket_token(party))
    phone.expect_verdict("Let 2 in")
    phone.press("Next")
    admit(performance.id, party.reference, uuid4(), Actor(door="Door B"))
    phone.go_online()
    page = phone.page
    expect(phone.notices).to_contain_text("Ada Rossi was admitted twice")
    is_on_screen(
        page.locator("[data-title]"),
        phone.state,
        *page.locator(".counts dt").all(),
        *page.locator(".counts dd").all(),
        phone.notices.locator("p"),
        phone.notices.get_by_role("button", name="Seen"),
    )
    top = page.locator(".top")
    assert top.evaluate("(top) => top.scrollWidth <= top.clientWidth")
    assert top.evaluate("(top) => top.scrollHeight <= top.clientHeight")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_app_whose_scripts_do_not_come_tells_what_to_do(phone: Phone) -> None:
    phone.page.route("**/*.js", lambda route: None)
    phone.page.goto(f"{phone.site.url}/checkin/app", wait_until="commit")
    phone.expect_text("The app is taking long to start.")
    plain = phone.page.get_by_role("link", name="All performances").locator("visible=true")
    expect(plain).to_have_attribute("href", "/checkin/")
