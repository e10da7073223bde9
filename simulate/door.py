"""The last three hours of an evening: who is near, who comes, the release of no-shows, and who waits at the door."""

from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

from azionelab.bookings import rules
from azionelab.bookings.door_notes import set_lateness
from azionelab.checkin.no_shows import release_no_shows
from azionelab.checkin.scanning.scan_log import Actor
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.waitlist import rules as waitlist
from azionelab.waitlist.near import MINUTES, say_near
from simulate.people import Party
from simulate.scene import Scene, address, attempt, visitor_of

_DOOR = Actor(door="Door")
_OPENS = -30  # minutes from the curtain, as all times here
_LATE_SAID = -20
_SAID_MINUTES = 10  # after the curtain
_LAPSED = 0.5  # all offers have lapsed
_AT_THE_DOOR, _CLOSE = MINUTES[:2]
_CONFIRMED = (
    "SELECT email, id, reference FROM reservation WHERE state = 'confirmed' AND NOT walk_in"
    " ORDER BY reference"
)
WAITING = "SELECT email, id FROM reservation WHERE state = 'waiting' AND waiting_since IS NOT NULL"
IN_LINE = f"{WAITING} AND offered_at IS NULL"
_BOOKED = (
    "SELECT coalesce(sum(seats), 0), coalesce(sum(admitted), 0) FROM reservation"
    " WHERE state = 'confirmed' AND NOT walk_in"
)
_HELD = (
    "SELECT coalesce(sum(seats - released), 0) FROM reservation"
    " WHERE holds_seats AND (state = 'confirmed' OR state = 'pending' AND hold_expires_at > now())"
)
_PEOPLE = "SELECT coalesce(sum(admitted), 0) FROM reservation"


class Door:
    """The door of an evening."""

    def __init__(self, scene: Scene, walk_ins: Sequence[int], advise: Callable[[int], int]) -> None:
        """`advise` says how many may wait at the door when so many people are booked."""
        self._scene = scene
        self._waiting = list(walk_ins)
        self._advise = advise
        self._lost: list[int] = []
        self._near: dict[str, Party] = {}
        self._takers: set[str] = set()  # of seats that were offered near the curtain

    def plan(self) -> None:
        """Plan what happens whatever people do."""
        scene = self._scene
        if scene.loop.near:
            for party in scene.parties.values():
                scene.plan(party.says_near_at, self._is_near, party)
        scene.plan(_OPENS, self._open)
        close = -scene.theatre.release_minutes
        scene.plan(close, self._release)
        scene.plan(close + 1, self._let_others_in)
        scene.plan(1, self._let_near_in)

    def answer_offer(self, reservation_id: UUID, party: Party) -> None:
        """Somebody who is near is offered seats, and has minutes to answer."""
        scene = self._scene
        at = scene.minute + scene.habits.answers_when_near * party.patience[2]
        if party.takes_offer < scene.habits.takes_offer_near:
            scene.plan(at, self._take_offer, reservation_id, party)
        elif party.refuses_offer < scene.habits.refuses_offer:
            scene.plan(at, attempt, waitlist.leave, reservation_id)
            scene.unseated.pop(address(party), None)

    def _take_offer(self, reservation_id: UUID, party: Party) -> None:
        scene = self._scene
        if not attempt(rules.confirm, reservation_id):
            return
        del scene.unseated[address(party)]
        self._takers.add(address(party))
        if party.stays_away >= scene.habits.near_stays_away:
            reference = {row[1]: row[2] for row in scene.world.rows(_CONFIRMED)}[reservation_id]
            comes = max(_OPENS, scene.minute + self._minutes_away(party))
            scene.plan(comes, self._come_in, party, reference)

    def _is_near(self, party: Party) -> None:
        """Who was asked by a mail says so on its page; others join the waitlist for it, if they have no seats."""
        scene, email = self._scene, address(party)
        waiting = dict(scene.world.rows(WAITING)).get(email)
        if waiting is not None:
            in_line = email in dict(scene.world.rows(IN_LINE))
            habit = scene.habits.says_near if in_line else scene.habits.says_near_lapsed
            if party.waits_at_door < habit:
                self.say_near(waiting, party)
        elif email in scene.unseated and party.waits_at_door < scene.habits.joins_near:
            attempt(waitlist.join, scene.world.performance_id, visitor_of(party), party.seats)

    def say_near(self, reservation_id: UUID, party: Party) -> None:
        """A party that waits says on its page that it is near."""
        if attempt(say_near, reservation_id, self._minutes_away(party)):
            self._near[address(party)] = party
            self._scene.outcome.near += party.seats

    def _minutes_away(self, party: Party) -> int:
        habits = self._scene.habits
        if party.waits_at_door < habits.waits_at_door:
            return _AT_THE_DOOR
        comes_close = party.comes_close < habits.comes_close
        return min(_CLOSE, party.minutes_away) if comes_close else party.minutes_away

    def _open(self) -> None:
        scene = self._scene
        for email, reservation_id, reference in scene.world.rows(_CONFIRMED):
            party = scene.parties[email]
            if email in self._takers or scene.stays_away[email]:
                continue
            says_late = False
            if party.arrives > -scene.theatre.release_minutes:
                says_late = party.says_late < scene.habits.says_late
            if says_late:
                scene.plan(_LATE_SAID, set_lateness, reservation_id, _SAID_MINUTES)
            scene.plan(party.arrives, self._arrive, party.seats, reference, says_late)
        if scene.loop.standby:
            self._let_wait()

    def _let_wait(self) -> None:
        """As many as seats are free, and the record supports, less those who are there: by chance, or since they are near."""
        scene = self._scene
        booked, _came = scene.world.rows(_BOOKED)[0]
        others = sum(party.seats for party in self._near.values())
        places = self._free() + self._advise(booked) - sum(self._waiting) - others
        for email, party in scene.unseated.items():
            is_willing = party.waits_at_door < scene.habits.waits_at_door
            is_there = email in self._near or email in scene.unaware
            if is_willing and not is_there and party.seats <= places:
                self._waiting.append(party.seats)
                places -= party.seats

    def _arrive(self, people: int, reference: str, says_late: bool) -> None:
        turned_away = people - self._admit(reference)
        if turned_away and self._scene.minute < 0:
            # Seats that are on offer may be free in a moment.
            self._scene.plan(_LAPSED, self._arrive, turned_away, reference, says_late)
        elif self._is_after_release and not says_late:
            self._scene.outcome.late_turned_away += turned_away
        else:
            self._scene.outcome.kept_turned_away += turned_away

    def _come_in(self, party: Party, reference: str) -> None:
        admitted = self._admit(reference)
        self._scene.outcome.near_seated += admitted
        self._scene.outcome.kept_turned_away += party.seats - admitted

    def _admit(self, reference: str) -> int:
        late = self._is_after_release
        performance_id = self._scene.world.performance_id
        return admit(performance_id, reference, uuid4(), _DOOR, late=late).people

    @property
    def _is_after_release(self) -> bool:
        return self._scene.minute > -self._scene.theatre.release_minutes

    def _release(self) -> None:
        scene = self._scene
        scene.outcome.unbooked = self._free()
        if scene.loop.release:
            scene.outcome.released = release_no_shows(scene.world.performance_id).places

    def _let_others_in(self) -> None:
        """Those for whom no seat is free yet go on waiting."""
        self._scene.outcome.waited += sum(self._waiting)
        self._lost = [party.seats for party in self._scene.unaware.values()]
        self._let_in_where_free()

    def _let_in_where_free(self) -> None:
        # Who had a ticket first.
        self._lost = [people for people in self._lost if not self._walks_in(people)]
        self._waiting = [people for people in self._waiting if not self._walks_in(people)]

    def _let_near_in(self) -> None:
        """At the curtain no seat is on offer any more. Whoever still stands at the door has a last chance."""
        self._let_in_where_free()
        for email, party in self._near.items():
            is_there = party.waits_at_door < self._scene.habits.waits_at_door
            if is_there and email in self._scene.unseated and self._walks_in(party.seats):
                self._scene.outcome.near_seated += party.seats

    def _walks_in(self, people: int) -> bool:
        verdict = let_in_walk_ins(self._scene.world.performance_id, people, uuid4(), _DOOR)
        return verdict.people > 0

    def count(self) -> None:
        """Count who is in, when nobody comes any more."""
        outcome, world = self._scene.outcome, self._scene.world
        booked, came = world.rows(_BOOKED)[0]
        outcome.booked, outcome.absent = booked, booked - came
        outcome.lost_turned_away = sum(self._lost)
        outcome.waiting_turned_away = sum(self._waiting)
        outcome.evenings_all_waiting_seated = int(not self._waiting)
        outcome.filled = world.rows(_PEOPLE)[0][0]
        held = world.rows(_HELD)[0][0]
        outcome.kept_empty = held - outcome.filled

    def _free(self) -> int:
        return self._scene.theatre.capacity - int(self._scene.world.rows(_HELD)[0][0])
