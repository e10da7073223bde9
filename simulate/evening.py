"""One evening, from the day on which booking opens to the curtain: everybody acts when their time has come."""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from azionelab.bookings import rules
from azionelab.bookings.door_notes import set_lateness
from azionelab.bookings.errors import BookingError
from azionelab.bookings.reminders.sending import reminder_hours, write_due
from azionelab.bookings.seats.holds import expire_lapsed_holds
from azionelab.checkin.no_shows import release_no_shows
from azionelab.checkin.scanning.scan_log import Actor
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.database import now
from azionelab.mail.models import MailKind
from azionelab.reports.no_show_model import Record
from azionelab.waitlist import offers
from azionelab.waitlist import rules as waitlist
from simulate.habits import Habits, Theatre
from simulate.loop import Loop
from simulate.people import Party
from simulate.world import World

_DOOR = Actor(door="Door")
_DAY = (
    24 * 60
)  # minutes, as every time here; they count from the curtain, and are negative before it
_LATE_SAID = 20  # before the curtain
_SAID_MINUTES = 10  # after it
_NEWS = """
SELECT mail.id, mail.kind, reservation.id, reservation.email
FROM mail JOIN reservation ON reservation.id = mail.reservation_id ORDER BY mail.created_at, mail.id
"""
_NEXT_DEADLINE = """
SELECT extract(epoch FROM min(moment) - now()) / 60 FROM (
    SELECT hold_expires_at FROM reservation WHERE state IN ('pending', 'waiting')
    UNION ALL SELECT offered_at FROM reservation WHERE state = 'pending'
) AS deadline (moment) WHERE moment > now()
"""
_CONFIRMED = "SELECT id, email, reference FROM reservation WHERE state = 'confirmed' AND NOT walk_in ORDER BY reference"
_BOOKED = (
    "SELECT coalesce(sum(seats), 0), coalesce(sum(admitted), 0) FROM reservation"
    " WHERE state = 'confirmed' AND NOT walk_in"
)
_PEOPLE = "SELECT coalesce(sum(admitted), 0) FROM reservation"


@dataclass
class Outcome:
    """What became of an evening, or of several: people, and mails by kind.

    Turned away were people who confirmed and came, or said that they come late (`kept`); others who came after the seats
    of no-shows were released (`late`); and those who waited at the door without a booking (`waiting`).
    """

    evenings: int = 0
    evenings_all_waiting_seated: int = 0
    seats: int = 0
    booked: int = 0
    absent: int = 0
    filled: int = 0
    waited: int = 0
    kept_turned_away: int = 0
    late_turned_away: int = 0
    waiting_turned_away: int = 0
    mails: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(**{name: mine + getattr(other, name) for name, mine in vars(self).items()})

    @property
    def record(self) -> Record:
        """What the model of no-shows learns of one evening."""
        return Record(self.booked, self.absent)


class Evening:
    """An evening of a world, with its people and the parts of the loop that there are."""

    def __init__(
        self, world: World, theatre: Theatre, habits: Habits, loop: Loop, no_show_rate: float
    ) -> None:
        self._world = world
        self._theatre = theatre
        self._habits = habits
        self._loop = loop
        self._rate = no_show_rate
        self._minute: float = -theatre.opens_days * _DAY
        self._plans: list[tuple[float, int, Callable[[], Any]]] = []
        self._numbers = itertools.count()
        self._parties: dict[str, Party] = {}
        self._stays_away: dict[str, bool] = {}
        self._unseated: dict[str, Party] = {}
        self._read: set[UUID] = set()
        self._jobs_at: float | None = None
        self._outcome = Outcome(evenings=1, seats=theatre.capacity)

    def play(
        self, parties: Sequence[Party], walk_ins: Sequence[int], advise: Callable[[int], int]
    ) -> Outcome:
        """Play it; `advise` says how many may wait at the door when so many people are booked."""
        self._world.open_evening(self._theatre.capacity, timedelta(minutes=-self._minute))
        for party in parties:
            self._parties[_address(party)] = party
            self._plan(-party.before / timedelta(minutes=1), self._wants_seats, party)
        for hours in reminder_hours(""):
            self._plan(-60 * hours + 1, self._run_jobs)
        self._plan(-30, self._open_doors)
        close = -self._theatre.release_minutes
        if self._loop.release:
            self._plan(close, release_no_shows, self._world.performance_id)
        self._plan(close + 1, self._let_others_in, walk_ins, advise)
        while self._plans:
            self._do_next()
        return self._count()

    def _plan(self, minute: float, act: Callable[..., Any], *arguments: Any) -> None:
        plan = (minute, next(self._numbers), lambda: act(*arguments))
        heapq.heappush(self._plans, plan)

    def _do_next(self) -> None:
        minute, _number, act = heapq.heappop(self._plans)
        if minute > self._minute:
            self._minute = minute
            self._world.pass_until(timedelta(minutes=-minute))
        act()
        if minute < 0:
            self._read_mails()
            self._plan_jobs()

    def _plan_jobs(self) -> None:
        """Let the worker's jobs run, which look every minute, in the minute after the next deadline."""
        left = self._world.rows(_NEXT_DEADLINE)[0][0]
        if left is None:
            return
        at = self._minute + float(left) + 1
        if at < 0 and (
            self._jobs_at is None or self._jobs_at <= self._minute or at < self._jobs_at
        ):
            self._jobs_at = at
            self._plan(at, self._run_jobs)

    def _run_jobs(self) -> None:
        expire_lapsed_holds()
        offers.settle()
        if self._loop.reminders:
            write_due(now())

    # What people do before the evening. They know what the site's answers and their mails tell.

    def _wants_seats(self, party: Party) -> None:
        visitor = _visitor(party)
        try:
            rules.reserve(self._world.performance_id, visitor, party.seats)
        except BookingError:
            self._unseated[_address(party)] = party
            if self._loop.waitlist and party.joins_line < self._habits.joins_line:
                try:
                    waitlist.join(self._world.performance_id, visitor, party.seats)
                except waitlist.SeatsAreFree:
                    self._wants_seats(party)

    def _read_mails(self) -> None:
        for mail_id, kind, reservation_id, address in self._world.rows(_NEWS):
            if mail_id not in self._read:
                self._read.add(mail_id)
                self._outcome.mails[kind] += 1
                self._react(kind, reservation_id, self._parties[address])

    def _react(self, kind: str, reservation_id: UUID, party: Party) -> None:
        soon = self._minute + self._habits.confirms_after * party.patience[0]
        confirms = party.confirms < self._habits.confirms
        if kind == MailKind.CONFIRM and confirms:
            self._plan(soon, self._confirm, reservation_id, party, self._rate)
        elif kind == MailKind.WAITLIST and confirms:
            self._plan(soon, self._attempt, waitlist.take_place, reservation_id)
        elif kind == MailKind.OFFER:
            self._answer_offer(reservation_id, party)
        elif kind == MailKind.REMINDER and self._stays_away[_address(party)]:
            self._think_again(reservation_id, party)

    def _answer_offer(self, reservation_id: UUID, party: Party) -> None:
        habits = self._habits
        is_late = self._minute > -_DAY
        at = self._minute + self._answer_takes(party)
        if party.takes_offer < (habits.takes_late_offer if is_late else habits.takes_offer):
            rate = self._rate * habits.stays_away_less
            self._plan(at, self._confirm, reservation_id, party, rate)
        elif party.refuses_offer < habits.refuses_offer:
            self._plan(at, self._attempt, waitlist.leave, reservation_id)

    def _think_again(self, reservation_id: UUID, party: Party) -> None:
        """A reminder reaches somebody who would stay away."""
        habits = self._habits
        if party.first_reminder < habits.comes_after_all:
            self._stays_away[_address(party)] = False
            return
        gives_back = party.first_reminder < habits.comes_after_all + habits.gives_back_first
        if self._minute > -_DAY:
            gives_back = party.second_reminder < habits.gives_back_second
        if gives_back:
            at = self._minute + self._answer_takes(party)
            self._plan(at, self._give_back, reservation_id, party)

    def _answer_takes(self, party: Party) -> float:
        habits = self._habits
        average = habits.answers_after if self._minute < -_DAY else habits.answers_after_late
        return average * party.patience[1]

    def _confirm(self, reservation_id: UUID, party: Party, rate: float) -> None:
        if not self._attempt(rules.confirm, reservation_id):
            self._unseated[_address(party)] = party
            return
        self._unseated.pop(_address(party), None)
        self._stays_away[_address(party)] = party.stays_away < rate
        if party.withdraws < self._habits.withdraws:
            at = self._minute * (1 - party.withdraws_at)
            self._plan(at, self._give_back, reservation_id, party)

    def _give_back(self, reservation_id: UUID, party: Party) -> None:
        if self._attempt(rules.cancel, reservation_id):
            self._stays_away[_address(party)] = True

    def _attempt(self, rule: Callable[[UUID], Any], reservation_id: UUID) -> bool:
        """Do what the visitor's page would; it may be too late."""
        try:
            rule(reservation_id)
        except BookingError:
            return False
        return True

    # What happens at the door.

    def _open_doors(self) -> None:
        for reservation_id, address, reference in self._world.rows(_CONFIRMED):
            party = self._parties[address]
            if self._stays_away[_address(party)]:
                continue
            says_late = False
            if party.arrives > -self._theatre.release_minutes:
                says_late = party.says_late < self._habits.says_late
            if says_late:
                self._plan(-_LATE_SAID, set_lateness, reservation_id, _SAID_MINUTES)
            self._plan(party.arrives, self._arrive, party, reference, says_late)

    def _arrive(self, party: Party, reference: str, says_late: bool) -> None:
        is_late = self._minute > -self._theatre.release_minutes
        verdict = admit(self._world.performance_id, reference, uuid4(), _DOOR, late=is_late)
        turned_away = party.seats - verdict.people
        if is_late and not says_late:
            self._outcome.late_turned_away += turned_away
        else:
            self._outcome.kept_turned_away += turned_away

    def _let_others_in(self, walk_ins: Sequence[int], advise: Callable[[int], int]) -> None:
        waiting = list(walk_ins)
        if self._loop.standby:
            booked, _came = self._world.rows(_BOOKED)[0]
            places = advise(booked) - sum(waiting)
            for party in self._unseated.values():
                if party.waits_at_door < self._habits.waits_at_door and party.seats <= places:
                    waiting.append(party.seats)
                    places -= party.seats
        for people in waiting:
            verdict = let_in_walk_ins(self._world.performance_id, people, uuid4(), _DOOR)
            self._outcome.waited += people
            self._outcome.waiting_turned_away += people - verdict.people

    def _count(self) -> Outcome:
        booked, came = self._world.rows(_BOOKED)[0]
        self._outcome.booked, self._outcome.absent = booked, booked - came
        self._outcome.evenings_all_waiting_seated = int(not self._outcome.waiting_turned_away)
        self._outcome.filled = self._world.rows(_PEOPLE)[0][0]
        return self._outcome


def _address(party: Party) -> str:
    return f"{party.name}@example.org"


def _visitor(party: Party) -> rules.Visitor:
    # Each books from a network of its own, as visitors at home do.
    number = int(party.name.rpartition("-")[2])
    network = f"10.{number // 256}.{number % 256}.0"
    return rules.Visitor(party.name, _address(party), "it", network)
