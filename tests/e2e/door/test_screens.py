"""Small screens and long words: what is needed is on the screen, whatever the phone and whoever comes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.stage import a_party, ticket_token
from tests.support.door import Phone, tonight

pytestmark = pytest.mark.usefixtures("in_app")
Phones = Callable[..., Phone]

LONG = "ada.rossi.della.compagnia.teatrale@esempio-lunghissimo.example"
NARROW = {"width": 360, "height": 740}
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
    phone.joins(performance)
    for party in (first, second):
        phone.scan(ticket_token(party))
        phone.told("Let 2 in")
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
