"""An evening at the doors by script: who comes, what goes wrong, and the log of what the doors said.

All of it is drawn from one seed. The doors are real pages of the app. Whoever stands at one writes down what
it says; at the end that log, the books and the phones' own counts have to be equal.
"""

import random
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from playwright.sync_api import Route, expect

from azionelab.bookings import rules
from azionelab.bookings.errors import BookingClosed, PartyInside, ReservationEnded, SoldOut
from azionelab.bookings.models import Reservation
from azionelab.bookings.signed_tickets import DIGITS, TAIL, write_ticket
from azionelab.checkin.devices import devices_of
from azionelab.extensions import db
from azionelab.shows.models import Performance
from azionelab.staff.tokens import revoke_token
from tests.stage import a_party, change_capacity, ticket_token
from tests.support.door import Phone

_API = "**/api/v1/checkin/**"
_LET_IN = re.compile(r"Let (\d+) in")
_ANSWERED = '#verdict [data-verdict]:not([data-verdict="checking"])'
_FORGED = "1" * (DIGITS - TAIL) + "/" + "2" * TAIL
T = TypeVar("T")
_FAULTS = ["online", "online", "away", "deaf", "busy"]


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
        self._fault = "online"

    def meets(self, fault: str) -> None:
        """From now on be online; away from any network; deaf to all answers; or told by each to come back."""
        self._fault = fault
        page = self.phone.page
        page.unroute(_API)
        self.phone.context.set_offline(fault == "away")
        if fault == "deaf":
            page.route(_API, _lose)
        elif fault == "busy":
            page.route(_API, lambda route: route.fulfill(status=503, body="busy"))

    def is_killed(self) -> None:
        """Lose the page in the middle of whatever it does, and open the app again."""
        page = self.phone.context.new_page()
        self.phone.page.close()
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


def _kept(row: T) -> T:
    """A row as it is now: to read it later begins no transaction."""
    db.session.refresh(row)
    db.session.expunge(row)
    db.session.rollback()
    return row


class Evening:
    """The parties of a performance, the doors that they come to, and the log."""

    def __init__(
        self, performance: Performance, other: Performance, parties: int, seed: int
    ) -> None:
        self.performance = _kept(performance)
        self.log: list[Word] = []
        self.doors: list[Door] = []
        self._chance = random.Random(seed)
        self._parties = [self._books() for _ in range(parties)]
        # Nearly sold out: walk-ins meet a full house, unless they come where there is no network.
        booked = sum(party.seats for party in self._parties)
        change_capacity(performance.id, booked + 2 + parties // 8)
        self._queue = list(self._parties)
        self._chance.shuffle(self._queue)
        self._stranger = _kept(a_party(other, 2))

    def goes_on(self) -> None:
        """One thing after the other, until everybody has come; then all doors have a network again."""
        num = len(self._queue)
        turns = {num // 2: self._revokes, num // 3: self._releases, num // 6: self._holds_again}
        while self._queue:
            # Once each: late bookings make the queue longer again.
            turns.pop(len(self._queue), lambda: None)()
            self._next()
            # One that is idle while doors talk is ended by the database.
            db.session.rollback()
        for door in self.doors:
            door.meets("online")
            door.phone.is_online()

    def _revokes(self) -> None:
        """A phone is revoked that has no network: it goes on, and becomes a door again when it has heard of it."""
        door = self._chance.choice(self.doors)
        # What it asked for and was not answered would be in the books already.
        door.meets("online")
        door.phone.is_online()
        door.meets("away")
        self._some_arrive(door)
        (token_id,) = (
            one.token_id
            for one in devices_of(self.performance.id)
            if one.label == door.name and one.revoked_at is None
        )
        revoke_token(token_id)
        self._some_arrive(door)
        door.seats(2)
        door.is_told_that_it_was_revoked()
        door.phone.joins(self.performance, door.name)

    def _some_arrive(self, door: Door) -> None:
        for _ in range(2):
            self._arrives(door, self._chance.choice(self._parties))

    def _releases(self) -> None:
        self._chance.choice(self.doors).releases()

    def _holds_again(self) -> None:
        self._chance.choice(self.doors).holds_again()

    def _next(self) -> None:
        # All is drawn before it is looked at what comes of it: a seed gives the same evening each time.
        chance = self._chance
        draw = chance.random()
        door, another = chance.sample(self.doors, 2)
        steps: list[tuple[float, Callable[[], None]]] = [
            (0.10, lambda: door.meets(fault)),
            (0.12, door.is_killed),
            (0.18, lambda: door.seats(walk_ins)),
            (0.22, self._books_late),
            (0.25, self._cancels),
            (0.27, lambda: self._shown(door, "no ticket at all", "")),
            (0.29, lambda: self._shown(door, _FORGED, "")),
            (0.31, lambda: self._shown(door, write_ticket(self._stranger), "")),
            (0.38, lambda: self._together(door, another, chance.choice(self._parties))),
            (0.45, lambda: self._arrives(door, chance.choice(self._parties))),
        ]
        fault = chance.choice(_FAULTS)
        walk_ins = chance.choice([1, 1, 3, 6])
        for until, step in steps:
            if draw < until:
                step()
                return
        self._arrives(door, self._queue.pop())

    def _arrives(self, door: Door, party: Reservation) -> None:
        self._shown(door, self._code(party), party.reference)

    def _shown(self, door: Door, code: str, reference: str) -> None:
        all_the_same, fewer = self._draws()
        is_undone = self._chance.random() < 0.08
        door.shows(code)
        word = door.says(reference, all_the_same, fewer)
        if is_undone:
            door.takes_back(word)

    def _together(self, door: Door, another: Door, party: Reservation) -> None:
        """The same party at two doors at the same time."""
        for one in (door, another):
            one.shows(self._code(party))
        for one in (door, another):
            one.says(party.reference, *self._draws())

    def _draws(self) -> tuple[int, int]:
        all_the_same = self._chance.choice([0, 1, 2, 3])
        fewer = self._chance.choice([0, 0, 0, 0, 1, 2])
        return all_the_same, fewer

    def _code(self, party: Reservation) -> str:
        # Tickets sent before 0.4 are good for ever.
        ticket, of_before = write_ticket(party), ticket_token(party)
        return self._chance.choice([ticket, ticket, of_before, party.reference])

    def _books(self) -> Reservation:
        return _kept(a_party(self.performance, self._chance.choice([1, 2, 2, 2, 3, 4, 5])))

    def _books_late(self) -> None:
        # Releasing places closes booking.
        with suppress(SoldOut, BookingClosed):
            self._parties.append(self._books())
            self._queue.append(self._parties[-1])

    def _cancels(self) -> None:
        party = self._chance.choice(self._parties)
        with suppress(PartyInside, ReservationEnded):
            rules.cancel(party.id)
