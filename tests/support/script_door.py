"""Who stands at a door of the evening by script: what they do with their phone, and write down of what it says."""

import re
from contextlib import suppress
from dataclasses import dataclass

from playwright.sync_api import Page, Route, expect

from tests.support.door import Phone

_API = "**/api/v1/checkin/**"
_LET_IN = re.compile(r"Let (\d+) in")
_ANSWERED = '#verdict [data-verdict]:not([data-verdict="checking"])'


@dataclass
class Word:
    """What a door said once: how many of a party are in by it, unless it took that back.

    `reference` is empty for walk-ins and for codes that name nobody of this evening.
    """

    door: str
    reference: str
    people: int
    undone: bool = False


class Door:
    """A phone that is a door, and who stands there."""

    def __init__(self, phone: Phone, name: str, log: list[Word]) -> None:
        self.phone = phone
        self.name = name
        self.log = log
        self.others: list[Phone] = []  # windows that are open besides
        self._fault = "online"

    def meets(self, fault: str) -> None:
        """From now on be online; away from any network; deaf to all answers; or told by each to come back."""
        self._fault = fault
        self.phone.context.set_offline(fault == "away")
        for window in self.windows:
            page = window.page
            page.unroute(_API)
            if fault == "deaf":
                page.route(_API, _lose)
            elif fault == "busy":
                page.route(_API, lambda route: route.fulfill(status=503, body="busy"))

    @property
    def windows(self) -> list[Phone]:
        """All in which this phone has the app open."""
        return [self.phone, *self.others]

    def is_killed(self) -> None:
        """Lose the page in the middle of whatever it does, and open the app again."""
        page = self.phone.context.new_page()
        self.phone.page.close()
        self._opens(page)

    def goes_on_in_another_window(self) -> None:
        """Leave the one of before open."""
        self._is_free()
        self.others.append(self.phone)
        self._opens(self.phone.context.new_page())

    def goes_back(self) -> None:
        """Go on in the window that was left open, if there is one."""
        self._is_free()
        if self.others:
            self.others, self.phone = [self.phone], self.others[0]

    def has_one_window(self) -> None:
        """Close the others."""
        for window in self.others:
            window.page.close()
        self.others = []

    def _opens(self, page: Page) -> None:
        self.phone = Phone(page, self.phone.site)
        self.meets(self._fault)
        self.phone.opens()
        expect(self.phone.count("inside")).to_be_visible()

    def shows(self, code: str) -> None:
        """Hold a code before it, and do not wait for what it says."""
        self._is_free()
        self.phone.scan(code)

    def seats(self, people: int) -> None:
        """Let in people without a booking, as far as there are places."""
        self._is_free()
        if people == 1:
            self.phone.press("Walk-in +1")
        else:
            self.phone.press("More")
            self.phone.press(f"Walk-in {people}")
        self.says("", 0, 0)

    def releases(self) -> None:
        """Give away the places of who is not there."""
        self._moves_places("Release places", "Release places")

    def holds_again(self) -> None:
        """Take that back, as far as places are left."""
        self._moves_places("Take it back")

    def is_told_that_it_was_revoked(self) -> None:
        """Find a network, tell what was done, and be no door any more."""
        self.meets("online")
        expect(self.phone.page.locator("h1:visible")).to_have_text("This phone was revoked")
        self.phone.keeps_nothing()

    def says(self, reference: str, all_the_same: int, fewer: int) -> Word:
        """Wait for the answer, and write it down.

        Of a ticket that is not on the list `all_the_same` people are let in, and of who comes after their places
        were released as many, as far as the door offers it. Of a party of which all were let in, `fewer` are
        found to have come.
        """
        kind, people = self._reads()
        if kind == "not_listed":
            if all_the_same:
                self.phone.press(f"Let in all the same {all_the_same}")
            else:
                self.phone.press("Send away")
            expect(self.phone.verdict.locator("h2")).to_have_text(
                f"Let {all_the_same} in" if all_the_same else "Sent away"
            )
            people = all_the_same
        assert kind not in {"refused", "no_answer"}, self.phone.verdict.inner_text()
        word = self._writes(reference, people)
        if kind == "released":
            return self._lets_in_late(word, all_the_same)
        if kind == "admitted" and 0 < fewer < people:
            self.phone.press(f"Fewer came: only {fewer}")
            expect(self.phone.verdict.locator("h2")).to_have_text(f"Let {fewer} in")
            word.undone = True
            word = self._writes(reference, fewer)
        return word

    def takes_back(self, word: Word) -> None:
        """Undo what was said just now."""
        if not word.people or not self.phone.verdict.get_by_role("button", name="Undo").count():
            return
        self.phone.press("Undo")
        expect(self.phone.verdict.locator('[data-verdict="undone"]')).to_be_visible()
        word.undone = True

    def _lets_in_late(self, word: Word, people: int) -> Word:
        """Of people whose places were released; it is another attempt."""
        button = self.phone.verdict.get_by_role("button", name=f"Let in, late {people}", exact=True)
        if not button.count():
            return word
        button.click()
        _kind, counted = self._reads()
        return self._writes(word.reference, counted)

    def _moves_places(self, *buttons: str) -> None:
        """It takes a network, and places to move: else the button cannot be pressed."""
        self.meets("online")
        self.phone.is_online()
        self._is_free()
        self.phone.press("More")
        if self.phone.page.get_by_role("button", name=buttons[0], exact=True).is_enabled():
            for button in buttons:
                self.phone.press(button)
            expect(self.phone.page.locator("[data-release-done]")).not_to_be_empty()
        self.phone.press("Close")

    def _writes(self, reference: str, people: int) -> Word:
        self.log.append(Word(self.name, reference, people))
        return self.log[-1]

    def _reads(self) -> tuple[str, int]:
        answered = self.phone.page.locator(_ANSWERED)
        expect(answered).to_be_visible()
        found = _LET_IN.match(answered.locator("h2").inner_text())
        return answered.get_attribute("data-verdict") or "", int(found[1]) if found else 0

    def _is_free(self) -> None:
        if self.phone.page.locator("#verdict .verdict").count():
            self.phone.press("Next")


def _lose(route: Route) -> None:
    # The page may be killed while its request is on the way.
    with suppress(Exception):
        route.fetch()
        route.abort()
