"""One evening, from the day on which booking opens to the curtain: everybody acts when their time has come."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from azionelab.bookings import rules
from azionelab.bookings.errors import BookingError
from azionelab.bookings.reminders.answers import answer_coming
from azionelab.bookings.reminders.confirming import release_unanswered, write_questions
from azionelab.bookings.reminders.moments import ASKED_BEFORE
from azionelab.bookings.reminders.sending import reminder_hours, write_due
from azionelab.bookings.seats.holds import expire_lapsed_holds
from azionelab.database import now
from azionelab.mail.models import MailKind
from azionelab.shows.limits import CLOSES_BEFORE
from azionelab.waitlist import near_mails, offers
from azionelab.waitlist import rules as waitlist
from azionelab.waitlist.near import OPEN_FROM
from simulate.door import IN_LINE, Door
from simulate.habits import Habits, Theatre
from simulate.loop import Loop
from simulate.outcome import Outcome
from simulate.people import Party
from simulate.scene import DAY, Scene, address, attempt, visitor_of
from simulate.world import World

_NEWS = """
SELECT mail.id, mail.kind, reservation.id, reservation.email, reservation.near_minutes IS NOT NULL,
    reservation.ended_by = 'no_answer'
FROM mail JOIN reservation ON reservation.id = mail.reservation_id ORDER BY mail.created_at, mail.id
"""
_NEXT_DEADLINE = """
SELECT extract(epoch FROM min(moment) - now()) / 60 FROM (
    SELECT hold_expires_at FROM reservation WHERE state IN ('pending', 'waiting')
    UNION ALL SELECT offered_at FROM reservation WHERE state = 'pending'
) AS deadline (moment) WHERE moment > now()
"""


class _News(NamedTuple):
    """A mail, and what its reader knows of the booking: an offer to who is near, seats lost for want of an answer."""

    mail_id: UUID
    kind: str
    reservation_id: UUID
    email: str
    is_near: bool
    is_lost: bool | None


class Evening:
    """An evening of a world, with its people and the parts of the loop that there are."""

    def __init__(
        self, world: World, theatre: Theatre, habits: Habits, loop: Loop, no_show_rate: float
    ) -> None:
        opens = -theatre.opens_days * DAY
        outcome = Outcome(evenings=1, seats=theatre.capacity)
        self._scene = Scene(world, theatre, habits, loop, no_show_rate, opens, outcome)
        self._habits = habits
        self._loop = loop
        self._read: set[UUID] = set()
        self._jobs_at: float | None = None

    def play(
        self, parties: Sequence[Party], walk_ins: Sequence[int], advise: Callable[[int], int]
    ) -> Outcome:
        """Play it; `advise` says how many may wait at the door when so many people are booked."""
        scene, theatre = self._scene, self._scene.theatre
        again_hours = theatre.confirm_again_hours if self._loop.again else 0
        before = timedelta(minutes=-scene.minute)
        scene.world.open_evening(theatre.capacity, before, confirm_again_hours=again_hours)
        for party in parties:
            scene.parties[address(party)] = party
            scene.plan(-party.before / timedelta(minutes=1), self._wants_seats, party)
            if party.looks_again < self._habits.looks_again:
                scene.plan(party.looks_again_at, self._looks_again, party)
        asked = (again_hours, again_hours + ASKED_BEFORE // timedelta(hours=1))
        for hours in (*reminder_hours(""), *(asked if again_hours else ())):
            scene.plan(-60 * hours + 1, self._remind)
        if self._loop.near:
            scene.plan(1 - OPEN_FROM // timedelta(minutes=1), self._ask_who_is_near)
        self._door = Door(scene, walk_ins, advise)
        self._door.plan()
        while plan := scene.next_plan():
            self._do(*plan)
        self._door.count()
        return scene.outcome

    def _do(self, minute: float, act: Callable[[], Any]) -> None:
        scene = self._scene
        if minute > scene.minute:
            scene.minute = minute
            scene.world.pass_until(timedelta(minutes=-minute))
        act()
        if minute < 0:
            self._read_mails()
            self._plan_jobs()

    def _plan_jobs(self) -> None:
        """Let the worker's jobs run, which look every minute, in the minute after the next deadline."""
        left = self._scene.world.rows(_NEXT_DEADLINE)[0][0]
        if left is None:
            return
        minute = self._scene.minute
        at = minute + float(left) + 1
        if at < 0 and (self._jobs_at is None or self._jobs_at <= minute or at < self._jobs_at):
            self._jobs_at = at
            self._scene.plan(at, self._run_jobs)

    def _run_jobs(self) -> None:
        expire_lapsed_holds()
        offers.settle()

    def _remind(self) -> None:
        # None of these moments is at night.
        if self._loop.again:
            release_unanswered(now())
            write_questions(now())
        if self._loop.reminders:
            write_due(now())

    def _ask_who_is_near(self) -> None:
        near_mails.write_due(now())

    # What people do before the evening. They know what the site's answers and their mails tell.

    def _wants_seats(self, party: Party) -> None:
        performance_id, visitor = self._scene.world.performance_id, visitor_of(party)
        try:
            rules.reserve(performance_id, visitor, party.seats)
        except BookingError:
            self._scene.unseated[address(party)] = party
            if self._loop.waitlist and party.joins_line < self._habits.joins_line:
                try:
                    waitlist.join(performance_id, visitor, party.seats)
                except waitlist.SeatsAreFree:
                    self._wants_seats(party)
                except BookingError:
                    pass  # booking is closed

    def _looks_again(self, party: Party) -> None:
        """On the last day, who found a full house and does not wait in line looks whether seats have come free."""
        email = address(party)
        if email in self._scene.unseated and email not in dict(self._scene.world.rows(IN_LINE)):
            self._wants_seats(party)

    def _read_mails(self) -> None:
        world = self._scene.world
        world.deliver_mails()
        for news in map(_News._make, world.rows(_NEWS)):
            if news.mail_id not in self._read:
                self._read.add(news.mail_id)
                self._scene.outcome.mails[news.kind] += 1
                self._react(news, self._scene.parties[news.email])

    def _react(self, news: _News, party: Party) -> None:
        scene, kind, reservation_id = self._scene, news.kind, news.reservation_id
        soon = scene.minute + self._habits.confirms_after * party.patience[0]
        confirms = party.confirms < self._habits.confirms
        if kind == MailKind.CONFIRM and confirms:
            scene.plan(soon, self._confirm, reservation_id, party, scene.no_show_rate)
        elif kind == MailKind.WAITLIST and confirms:
            scene.plan(soon, self._take_place, reservation_id, party)
        elif kind == MailKind.OFFER and news.is_near:
            self._door.answer_offer(reservation_id, party)
        elif kind == MailKind.OFFER:
            self._answer_offer(reservation_id, party)
        elif kind in (MailKind.REMINDER, MailKind.QUESTION):
            self._answer_reminder(kind, reservation_id, party)
        elif kind == MailKind.CANCELLED and news.is_lost:
            self._lose_seats(party)

    def _take_place(self, reservation_id: UUID, party: Party) -> None:
        """The page shows the place; in the last hour it was wanted for seats of the last minutes."""
        closed = self._scene.minute > -CLOSES_BEFORE / timedelta(minutes=1)
        if attempt(waitlist.take_place, reservation_id) and closed:
            self._door.say_near(reservation_id, party)

    def _answer_offer(self, reservation_id: UUID, party: Party) -> None:
        habits, scene = self._habits, self._scene
        is_late = scene.minute > -DAY
        at = scene.minute + self._answer_takes(party)
        if party.takes_offer < (habits.takes_late_offer if is_late else habits.takes_offer):
            rate = scene.no_show_rate * habits.stays_away_less
            scene.plan(at, self._confirm, reservation_id, party, rate)
        elif party.refuses_offer < habits.refuses_offer:
            scene.plan(at, attempt, waitlist.leave, reservation_id)
            scene.unseated.pop(address(party), None)

    def _answer_reminder(self, kind: str, reservation_id: UUID, party: Party) -> None:
        """A reminder, or the question to confirm again: people come after all, give back, say that they come, or nothing."""
        habits, scene = self._habits, self._scene
        is_asked = kind == MailKind.QUESTION
        at = scene.minute + self._answer_takes(party)
        if scene.stays_away[address(party)] and self._thinks_again(party, is_asked=is_asked):
            scene.stays_away[address(party)] = False
        if scene.stays_away[address(party)]:
            if self._gives_back(party, is_asked=is_asked):
                scene.plan(at, self._give_back, reservation_id, party)
            elif is_asked and party.answers < habits.says_so_and_stays_away:
                scene.plan(at, self._say_coming, reservation_id)
        elif party.answers < (habits.confirms_again if is_asked else habits.says_coming):
            scene.plan(at, self._say_coming, reservation_id)

    def _thinks_again(self, party: Party, *, is_asked: bool) -> bool:
        return not is_asked and party.first_reminder < self._habits.comes_after_all

    def _gives_back(self, party: Party, *, is_asked: bool) -> bool:
        habits = self._habits
        if is_asked:
            return party.gives_back_asked < habits.gives_back_asked
        if self._scene.minute > -DAY:
            return party.second_reminder < habits.gives_back_second
        return party.first_reminder < habits.comes_after_all + habits.gives_back_first

    def _say_coming(self, reservation_id: UUID) -> None:
        attempt(answer_coming, reservation_id, now())

    def _lose_seats(self, party: Party) -> None:
        """Who would have come reads that the seats went to others, and tries to get some again; or reads nothing, and comes."""
        scene = self._scene
        if scene.stays_away[address(party)]:
            return
        scene.outcome.lost_by_silence += party.seats
        scene.unseated[address(party)] = party
        if party.reads_loss < self._habits.reads_loss:
            scene.plan(scene.minute + self._answer_takes(party), self._wants_seats, party)
        else:
            scene.unaware[address(party)] = party

    def _answer_takes(self, party: Party) -> float:
        is_late = self._scene.minute >= -DAY
        habits = self._habits
        return (habits.answers_after_late if is_late else habits.answers_after) * party.patience[1]

    def _confirm(self, reservation_id: UUID, party: Party, rate: float) -> None:
        scene = self._scene
        if not attempt(rules.confirm, reservation_id):
            scene.unseated[address(party)] = party
            return
        scene.unseated.pop(address(party), None)
        scene.stays_away[address(party)] = party.stays_away < rate
        if party.withdraws < self._habits.withdraws:
            at = scene.minute * (1 - party.withdraws_at)
            scene.plan(at, self._give_back, reservation_id, party)

    def _give_back(self, reservation_id: UUID, party: Party) -> None:
        if attempt(rules.cancel, reservation_id):
            self._scene.stays_away[address(party)] = True
