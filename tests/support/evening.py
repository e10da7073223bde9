"""An evening at the doors by script: who comes, what goes wrong, and the log of what the doors said.

All of it is drawn from one seed. The doors are real pages of the app. Whoever stands at one writes down what
it says; at the end that log, the books and the phones' own counts have to be equal. Of what a door says meanwhile, the
log before it may only say otherwise where docs/door-app.md allows it: see `_agrees`.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from flask.testing import FlaskClient
from playwright.sync_api import expect
from sqlalchemy import func, select

from azionelab.bookings import rules
from azionelab.bookings.errors import BookingClosed, PartyInside, ReservationEnded, SoldOut
from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.signing import DIGITS, TAIL, write_ticket
from azionelab.checkin.devices.registry import devices_of
from azionelab.checkin.models import Scan
from azionelab.database import db
from azionelab.shows.models import Performance
from azionelab.staff.tokens import revoke_token
from tests.factories import a_party, change_capacity, ticket_token
from tests.support.people import press
from tests.support.script_door import Door
from tests.support.spoken import Log, Word

_OF_NOBODY = "Q" * 43  # as tickets were before 0.4
_FORGED = "1" * (DIGITS - TAIL) + "/" + "2" * TAIL
T = TypeVar("T")
_FAULTS = ["online", "online", "away", "deaf", "busy"]


def _kept(row: T) -> T:
    """A row as it is now: to read it later begins no transaction."""
    db.session.refresh(row)
    db.session.expunge(row)
    db.session.rollback()
    return row


class Evening:
    """The parties of a performance, the doors that they come to, and the log."""

    def __init__(
        self,
        performance: Performance,
        other: Performance,
        parties: int,
        seed: int,
        staff: FlaskClient,
    ) -> None:
        self.performance = _kept(performance)
        self.log = Log()
        self.doors: list[Door] = []
        self._staff = staff
        self._is_interval = False
        # Parties that were shown at an entrance, and at an exit, whatever came of it.
        self._came: list[Reservation] = []
        self._left: list[Reservation] = []
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
        turns = {
            5 * num // 6: self._has_two_windows,
            2 * num // 3: self._begins_interval,
            num // 2: self._revokes,
            num // 3: self._releases,
            num // 6: self._holds_again,
        }
        while self._queue:
            # Once each: late bookings make the queue longer again.
            turns.pop(len(self._queue), lambda: None)()
            self._next()
            # One that is idle while doors talk is ended by the database.
            db.session.rollback()
        for door in self.doors:
            door.meets("online")
            for window in door.windows:
                window.is_online()
        self._ends_interval()

    def _begins_interval(self) -> None:
        self._allows("yes")
        self._is_interval = True

    def _ends_interval(self) -> None:
        """Nobody goes out any more; of who is out some come back all the same."""
        self._allows("no")
        for door in self.doors:
            for window in door.windows:
                expect(window.page.locator("[data-ways]")).to_be_hidden()
            self._arrives(door, self._chance.choice(self._left or self._came))
            door.phone.is_online()

    def _allows(self, reentry: str) -> None:
        page = f"/admin/evenings/{self.performance.id}"
        assert press(self._staff, f"{page}/reentry", page, allowed=reentry).status_code == 200
        db.session.rollback()

    def _has_two_windows(self) -> None:
        self._chance.choice(self.doors).goes_on_in_another_window()

    def _revokes(self) -> None:
        """A phone is revoked that has no network: it goes on, and becomes a door again when it has heard of it."""
        door = self._chance.choice(self.doors)
        # What it asked for and was not answered would be in the books already.
        door.has_one_window()
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
        self._leaves(door, self._chance.choice(self._came))
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
            (0.15, door.goes_back),
            (0.18, lambda: door.seats(walk_ins)),
            (0.22, self._books_late),
            (0.25, self._cancels),
            # Told in passing, and no attempt.
            (0.26, lambda: door.shows("no ticket at all")),
            (0.27, lambda: self._shown(door, _OF_NOBODY, "")),
            (0.29, lambda: self._shown(door, _FORGED, "")),
            (0.31, lambda: self._shown(door, write_ticket(self._stranger), "")),
            (0.38, lambda: self._together(door, another, chance.choice(self._parties))),
            (0.45, lambda: self._arrives(door, chance.choice(self._parties))),
        ]
        fault = chance.choice(_FAULTS)
        walk_ins = chance.choice([1, 1, 3, 6])
        if self._is_interval and chance.random() < 0.3:
            self._goes_out_or_in(door, another)
            return
        for until, step in steps:
            if draw < until:
                step()
                return
        self._arrives(door, self._queue.pop())

    def _goes_out_or_in(self, door: Door, another: Door) -> None:
        chance = self._chance
        draw = chance.random()
        leaving, coming_back = chance.choice(self._came), chance.choice(self._left or self._came)
        people, fewer = chance.choice([1, 1, 2, 4]), chance.choice([0, 0, 1])
        if draw < 0.36:
            self._leaves(door, leaving)
        elif draw < 0.74:
            self._arrives(door, coming_back)
        elif draw < 0.80:
            self._leave_together(door, another, leaving)
        elif draw < 0.88:
            door.lets_through(people, "out", fewer)
        elif draw < 0.94:
            door.lets_through(people, "again", fewer)
        else:
            door.takes_back_last()

    def _arrives(self, door: Door, party: Reservation) -> None:
        self._came.append(party)
        door.faces("Entrance")
        self._shown(door, self._code(party), party.reference)

    def _leaves(self, door: Door, party: Reservation) -> None:
        self._left.append(party)
        door.faces("Exit")
        self._shown(door, self._code(party), party.reference)

    def _leave_together(self, door: Door, another: Door, party: Reservation) -> None:
        self._left.append(party)
        for one in (door, another):
            one.faces("Exit")
        self._together(door, another, party)

    def _shown(self, door: Door, code: str, reference: str) -> None:
        all_the_same, fewer = self._draws()
        is_undone = self._chance.random() < 0.08
        alone = self._alone()
        door.shows(code)
        said = len(self.log.words)
        word = door.says(reference, all_the_same, fewer)
        self._agrees(self.log.words[said], alone)
        if is_undone:
            door.takes_back(word)

    def _together(self, door: Door, another: Door, party: Reservation) -> None:
        """The same party at two doors at the same time."""
        for one in (door, another):
            one.shows(self._code(party))
        for one in (door, another):
            one.says(party.reference, *self._draws())

    def _alone(self) -> set[str]:
        """The doors whose word nobody may know, or that may not know others'."""
        return {door.name for door in self.doors if door.is_alone}

    def _agrees(self, word: Word, alone: set[str]) -> None:
        """What a door says of a party agrees with the log before it, but for what it cannot know.

        That is what a door without a network has not told yet; at such a door what others did. So it says "Already
        in" of who was let out there, for as long as that lasts. And where the books do not hold what was said, for it
        could not be, or its phone had been revoked, it says what the books say.
        """
        seats = {party.reference: party.seats for party in self._parties}
        if not word.reference or not self.log.contradicts(word, seats[word.reference]):
            return
        ignorant = alone | self._alone()
        if word.alone or ignorant & self.log.speakers(word.reference):
            return
        told = select(func.count()).select_from(Scan).join(Reservation)
        beyond = Reservation.reference == word.reference, Scan.claimed > Scan.people
        is_beyond = db.session.scalar(told.where(*beyond))
        db.session.rollback()
        assert is_beyond or self.log.is_tangled(word.reference), (word, self.log.of(word.reference))

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
