"""Simulates the doors of a performance: who comes, which faults occur, and a log of all verdicts.

Everything is drawn from one seed. The doors are real pages of the app. The simulation records each verdict; at the end
the log, the database and the phones' counts must agree. A verdict may contradict the log only where docs/door-app.md
allows it: see `_check_verdict`.
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
from tests.support.door_log import Log, Report
from tests.support.people import press
from tests.support.simulated_door import SimulatedDoor

_UNKNOWN = "Q" * 43  # in the format of tickets before 0.4
_FORGED = "1" * (DIGITS - TAIL) + "/" + "2" * TAIL
T = TypeVar("T")
_FAULTS = ["online", "online", "away", "deaf", "busy"]


def _detached(row: T) -> T:
    """Detach a row, so that reading it later begins no transaction."""
    db.session.refresh(row)
    db.session.expunge(row)
    db.session.rollback()
    return row


class DoorSimulation:
    """The parties of a performance, its doors, and the log."""

    def __init__(
        self,
        performance: Performance,
        other: Performance,
        parties: int,
        seed: int,
        staff: FlaskClient,
    ) -> None:
        self.performance = _detached(performance)
        self.log = Log()
        self.doors: list[SimulatedDoor] = []
        self._staff = staff
        self._is_interval = False
        # Parties shown at an entrance, and at an exit, whatever the verdict.
        self._came: list[Reservation] = []
        self._left: list[Reservation] = []
        self._chance = random.Random(seed)
        self._parties = [self._book() for _ in range(parties)]
        # Nearly sold out, so that walk-ins at online doors meet a full house.
        booked = sum(party.seats for party in self._parties)
        change_capacity(performance.id, booked + 2 + parties // 8)
        self._queue = list(self._parties)
        self._chance.shuffle(self._queue)
        self._stranger = _detached(a_party(other, 2))

    def run(self) -> None:
        """Run steps until everybody has come; then bring all doors online."""
        num = len(self._queue)
        turns = {
            5 * num // 6: self._open_second_window,
            2 * num // 3: self._begin_interval,
            num // 2: self._revoke_phone,
            num // 3: self._release_seats,
            num // 6: self._undo_release,
        }
        while self._queue:
            # Each only once, since late bookings lengthen the queue again.
            turns.pop(len(self._queue), lambda: None)()
            self._next_step()
            # The database would end a transaction that is idle meanwhile.
            db.session.rollback()
        for door in self.doors:
            door.set_network("online")
            for window in door.windows:
                window.wait_until_synced()
        self._end_interval()

    def _begin_interval(self) -> None:
        self._set_reentry("yes")
        self._is_interval = True

    def _end_interval(self) -> None:
        """End the interval; some people who are out still come back."""
        self._set_reentry("no")
        for door in self.doors:
            for window in door.windows:
                expect(window.page.locator("[data-ways]")).to_be_hidden()
            self._arrive(door, self._chance.choice(self._left or self._came))
            door.phone.wait_until_synced()

    def _set_reentry(self, reentry: str) -> None:
        page = f"/admin/evenings/{self.performance.id}"
        assert press(self._staff, f"{page}/reentry", page, allowed=reentry).status_code == 200
        db.session.rollback()

    def _open_second_window(self) -> None:
        self._chance.choice(self.doors).open_another_window()

    def _revoke_phone(self) -> None:
        """Revoke an offline phone: it goes on until it learns of it, and then joins again."""
        door = self._chance.choice(self.doors)
        # Go online first: an unanswered request may already be in the database.
        door.close_other_windows()
        door.set_network("online")
        door.phone.wait_until_synced()
        door.set_network("away")
        self._some_arrive(door)
        (token_id,) = (
            one.token_id
            for one in devices_of(self.performance.id)
            if one.label == door.name and one.revoked_at is None
        )
        revoke_token(token_id)
        self._some_arrive(door)
        self._leave(door, self._chance.choice(self._came))
        door.admit_walk_ins(2)
        door.expect_revoked()
        door.phone.join(self.performance, door.name)

    def _some_arrive(self, door: SimulatedDoor) -> None:
        for _ in range(2):
            self._arrive(door, self._chance.choice(self._parties))

    def _release_seats(self) -> None:
        self._chance.choice(self.doors).release_seats()

    def _undo_release(self) -> None:
        self._chance.choice(self.doors).undo_release()

    def _next_step(self) -> None:
        # Draw everything before any step runs, so that a seed always gives the same simulation.
        chance = self._chance
        draw = chance.random()
        door, other_door = chance.sample(self.doors, 2)
        steps: list[tuple[float, Callable[[], None]]] = [
            (0.10, lambda: door.set_network(fault)),
            (0.12, door.kill_page),
            (0.15, door.switch_back),
            (0.18, lambda: door.admit_walk_ins(walk_ins)),
            (0.22, self._book_late),
            (0.25, self._cancel),
            # Shows a verdict, but is not an attempt.
            (0.26, lambda: door.scan("no ticket at all")),
            (0.27, lambda: self._show_ticket(door, _UNKNOWN, "")),
            (0.29, lambda: self._show_ticket(door, _FORGED, "")),
            (0.31, lambda: self._show_ticket(door, write_ticket(self._stranger), "")),
            (0.38, lambda: self._show_at_two_doors(door, other_door, chance.choice(self._parties))),
            (0.45, lambda: self._arrive(door, chance.choice(self._parties))),
        ]
        fault = chance.choice(_FAULTS)
        walk_ins = chance.choice([1, 1, 3, 6])
        if self._is_interval and chance.random() < 0.3:
            self._pass_in_interval(door, other_door)
            return
        for until, step in steps:
            if draw < until:
                step()
                return
        self._arrive(door, self._queue.pop())

    def _pass_in_interval(self, door: SimulatedDoor, other_door: SimulatedDoor) -> None:
        chance = self._chance
        draw = chance.random()
        leaving, coming_back = chance.choice(self._came), chance.choice(self._left or self._came)
        people, fewer = chance.choice([1, 1, 2, 4]), chance.choice([0, 0, 1])
        if draw < 0.36:
            self._leave(door, leaving)
        elif draw < 0.74:
            self._arrive(door, coming_back)
        elif draw < 0.80:
            self._leave_at_two_doors(door, other_door, leaving)
        elif draw < 0.88:
            door.let_through(people, "out", fewer)
        elif draw < 0.94:
            door.let_through(people, "again", fewer)
        else:
            door.undo_last()

    def _arrive(self, door: SimulatedDoor, party: Reservation) -> None:
        self._came.append(party)
        door.choose_way("Entrance")
        self._show_ticket(door, self._code(party), party.reference)

    def _leave(self, door: SimulatedDoor, party: Reservation) -> None:
        self._left.append(party)
        door.choose_way("Exit")
        self._show_ticket(door, self._code(party), party.reference)

    def _leave_at_two_doors(
        self, door: SimulatedDoor, other_door: SimulatedDoor, party: Reservation
    ) -> None:
        self._left.append(party)
        for one in (door, other_door):
            one.choose_way("Exit")
        self._show_at_two_doors(door, other_door, party)

    def _show_ticket(self, door: SimulatedDoor, code: str, reference: str) -> None:
        all_the_same, fewer = self._draw_answers()
        is_undone = self._chance.random() < 0.08
        alone = self._unsynced_doors()
        door.scan(code)
        said = len(self.log.reports)
        report = door.read_verdict(reference, all_the_same, fewer)
        self._check_verdict(self.log.reports[said], alone)
        if is_undone:
            door.undo(report)

    def _show_at_two_doors(
        self, door: SimulatedDoor, other_door: SimulatedDoor, party: Reservation
    ) -> None:
        """Show the same party at two doors at the same time."""
        for one in (door, other_door):
            one.scan(self._code(party))
        for one in (door, other_door):
            one.read_verdict(party.reference, *self._draw_answers())

    def _unsynced_doors(self) -> set[str]:
        """The doors that may have unsent reports, or may not know others'."""
        return {door.name for door in self.doors if door.is_alone}

    def _check_verdict(self, report: Report, alone: set[str]) -> None:
        """Assert that a verdict agrees with the log, except for what the door cannot know.

        A door does not know what an offline door has not sent yet, and an offline door does not know what others did:
        it says "Already in" about people who were let out elsewhere. Where the database could not count a report, or
        its phone was revoked, a door says what the database says.
        """
        seats = {party.reference: party.seats for party in self._parties}
        if not report.reference or not self.log.contradicts(report, seats[report.reference]):
            return
        unsynced = alone | self._unsynced_doors()
        if report.alone or unsynced & self.log.reporting_doors(report.reference):
            return
        claims = select(func.count()).select_from(Scan).join(Reservation)
        beyond = Reservation.reference == report.reference, Scan.claimed > Scan.people
        is_beyond = db.session.scalar(claims.where(*beyond))
        db.session.rollback()
        assert is_beyond or self.log.is_ambiguous(report.reference), (
            report,
            self.log.of(report.reference),
        )

    def _draw_answers(self) -> tuple[int, int]:
        all_the_same = self._chance.choice([0, 1, 2, 3])
        fewer = self._chance.choice([0, 0, 0, 0, 1, 2])
        return all_the_same, fewer

    def _code(self, party: Reservation) -> str:
        # Tickets sent before 0.4 stay valid.
        ticket, of_before = write_ticket(party), ticket_token(party)
        return self._chance.choice([ticket, ticket, of_before, party.reference])

    def _book(self) -> Reservation:
        return _detached(a_party(self.performance, self._chance.choice([1, 2, 2, 2, 3, 4, 5])))

    def _book_late(self) -> None:
        # Releasing seats closes booking.
        with suppress(SoldOut, BookingClosed):
            self._parties.append(self._book())
            self._queue.append(self._parties[-1])

    def _cancel(self) -> None:
        party = self._chance.choice(self._parties)
        with suppress(PartyInside, ReservationEnded):
            rules.cancel(party.id)
