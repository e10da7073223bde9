"""Who stands at a door of the evening by script: what they do with their phone, and write down of what it says."""

import re
from contextlib import suppress

from playwright.sync_api import Page, Route, expect

from tests.support.door import Phone
from tests.support.spoken import Log, Word

_API = "**/api/v1/checkin/**"
_WENT = re.compile(r"Let (\d+) in|(\d+) (?:goes out|go out|in again)")
_ANSWERED = '#verdict [data-verdict]:not([data-verdict="checking"])'
# Which way people went by a verdict, and what is pressed when fewer of them did.
_WAYS = {"admitted": "in", "let_out": "out", "in_again": "again"}
_FEWER = {"in": "Fewer came", "out": "Fewer go out", "again": "Fewer came back"}


class Door:
    """A phone that is a door, and who stands there."""

    def __init__(self, phone: Phone, name: str, log: Log) -> None:
        self.phone = phone
        self.name = name
        self.log = log
        self.others: list[Phone] = []  # windows that are open besides
        self._fault = "online"
        self._way = "in"  # that was asked for last
        self._was_alone = False
        self._last: dict[Phone, Word] = {}  # who went through it last, by what each window says

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

    @property
    def is_alone(self) -> bool:
        """Whether it may know what nobody else does, or not know what they do."""
        return self.phone.state.text_content() != "Online"

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

    def faces(self, way: str) -> None:
        """Be an "Entrance" or an "Exit" from now on, as far as its phone knows of an interval."""
        self._is_free()
        button = self.phone.page.get_by_role("button", name=way, exact=True)
        if button.is_visible() and button.get_attribute("aria-pressed") == "false":
            button.click()
            expect(button).to_have_attribute("aria-pressed", "true")

    def shows(self, code: str) -> None:
        """Hold a code before it, and do not wait for what it says."""
        self._is_free()
        is_exit = self.phone.page.locator("main").get_attribute("data-way") == "out"
        self._asks("out" if is_exit else "in")
        self.phone.scan(code)

    def seats(self, people: int) -> None:
        """Let in people without a booking, as far as there are places."""
        self._is_free()
        self._asks("in")
        if people == 1:
            self.phone.press("Walk-in +1")
        else:
            self.phone.press("More")
            self.phone.press(f"Walk-in {people}")
        self.says("", 0, 0)

    def lets_through(self, people: int, way: str, fewer: int) -> None:
        """Let people without a ticket out, or in again, as far as its phone knows of an interval."""
        self._is_free()
        self.phone.press("More")
        name = f"{'Let out' if way == 'out' else 'In again'} {people}"
        button = self.phone.page.get_by_role("button", name=name, exact=True)
        if button.is_visible() and button.is_enabled():
            self._asks(way)
            button.click()
            self.says("", 0, fewer)
        else:
            self.phone.press("Close")

    def releases(self) -> None:
        """Give away the places of who is not there."""
        self._moves_places("Release seats", "Release seats")

    def holds_again(self) -> None:
        """Take that back, as far as places are left."""
        self._moves_places("Undo release")

    def is_told_that_it_was_revoked(self) -> None:
        """Find a network, tell what was done, and be no door any more."""
        self.meets("online")
        expect(self.phone.page.locator("h1:visible")).to_have_text("This phone was revoked")
        self.phone.keeps_nothing()
        self._last = {}

    def says(self, reference: str, all_the_same: int, fewer: int) -> Word:
        """Wait for the answer, and write it down.

        Of a ticket that is not on the list `all_the_same` people are let in, of who comes after their places
        were released as many, and of a party of which some are out as many come back, as far as the door offers it.
        Of a party of which all went through, `fewer` are found to have.
        """
        kind, people = self._reads()
        if kind == "not_listed":
            if all_the_same:
                self.phone.press(f"Let in anyway {all_the_same}")
            else:
                self.phone.press("Turn away")
            expect(self.phone.verdict.locator("h2")).to_have_text(
                f"Let {all_the_same} in" if all_the_same else "Turned away"
            )
            people = all_the_same
        assert kind not in {"refused", "no_answer"}, self.phone.verdict.inner_text()
        word = self._writes(reference, people, kind)
        if kind == "released":
            return self._goes_on(word, f"Let in, late {all_the_same}", "in")
        if kind == "some_out":
            return self._goes_on(word, f"In again {all_the_same}", "again")
        if kind in _WAYS and 0 < fewer < people:
            self.phone.press(f"{_FEWER[_WAYS[kind]]}: only {fewer}")
            expect(self.phone.verdict.locator("h2")).to_have_text(re.compile(rf"\b{fewer}\b"))
            word.undone, word.alone = True, word.alone or self.is_alone
            again, counted = self._reads()
            assert (again, counted) == (kind, fewer), self.phone.verdict.inner_text()
            word = self._writes(reference, fewer, kind)
        return word

    def takes_back(self, word: Word) -> None:
        """Undo what was said just now."""
        if not word.people or not self.phone.verdict.get_by_role("button", name="Undo").count():
            return
        self._undoes(word)

    def takes_back_last(self) -> None:
        """Undo what its window shows as the last, whatever happened at other doors since."""
        self._is_free()
        word = self._last.get(self.phone)
        if word is not None:
            word.undone_later = True
            self._undoes(word)

    def _undoes(self, word: Word) -> None:
        word.alone = word.alone or self.is_alone
        self.phone.press("Undo")
        expect(self.phone.verdict.locator('[data-verdict="undone"]')).to_be_visible()
        word.alone = word.alone or self.is_alone
        word.undone = True
        self._last.pop(self.phone, None)

    def _goes_on(self, word: Word, name: str, way: str) -> Word:
        """Press what the card offers, if it does; it is another attempt."""
        button = self.phone.verdict.get_by_role("button", name=name, exact=True)
        if not button.count():
            return word
        self._asks(way)
        button.click()
        kind, counted = self._reads()
        return self._writes(word.reference, counted, kind)

    def _asks(self, way: str) -> None:
        self._way, self._was_alone = way, self.is_alone

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

    def _writes(self, reference: str, people: int, kind: str) -> Word:
        way = _WAYS.get(kind, self._way)
        alone = self._was_alone or self.is_alone
        word = Word(self.name, reference, people, way, kind, alone)
        self.log.words.append(word)
        if people:
            self._last[self.phone] = word
        return word

    def _reads(self) -> tuple[str, int]:
        answered = self.phone.page.locator(_ANSWERED)
        expect(answered).to_be_visible()
        found = _WENT.match(answered.locator("h2").inner_text())
        return answered.get_attribute("data-verdict") or "", int(
            found[1] or found[2]
        ) if found else 0

    def _is_free(self) -> None:
        if self.phone.page.locator("#verdict .verdict").count():
            self.phone.press("Next")


def _lose(route: Route) -> None:
    # The page may be killed while its request is on the way.
    with suppress(Exception):
        route.fetch()
        route.abort()
