"""The locks of docs/locking.md: what two people do to one booking at once, on real connections.

Who comes first is stopped at a gate, a lock that the test holds, after it has read and before it
commits; then comes the other. Who waits is seen in pg_stat_activity. Each race is run with the locks,
and as negative controls without one of them: then the outcome must be wrong, or the race proves
nothing.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError, OperationalError

from azionelab.bookings import locks, performance_changes, rules
from azionelab.bookings.errors import BookingError
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.seats import holds
from azionelab.bookings.tickets.signing import write_ticket
from azionelab.checkin.scanning import interval, scan_log, scans, walk_ins
from azionelab.checkin.scanning.interval import pass_without_ticket
from azionelab.checkin.scanning.scan_log import ScanReused
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.verdicts import VerdictKind, Way
from azionelab.database import db, now, violated_constraint
from azionelab.database.row_versions import EditConflict
from azionelab.mail.models import Mail, MailKind
from tests.factories import (
    DOOR_A,
    DOOR_B,
    a_party,
    a_performance,
    a_visitor,
    fresh,
    seats_held,
    ticket_token,
)
from tests.support.processes import eventually

pytestmark = pytest.mark.usefixtures("in_app")

# Whoever writes to a visitor stops here.
MAIL_GATE = "LOCK TABLE procrastinate_jobs IN EXCLUSIVE MODE"
# Who is let in has its scan written already, and stops here.
DOOR_GATE = "LOCK TABLE admission IN EXCLUSIVE MODE"
UNDO_GATE = "SELECT FROM admission FOR UPDATE"
ENTERED_TOO_MANY = "ck_reservation_admitted_range"


@contextmanager
def without_the_lock_before_the_key(database: psycopg.Connection[Any]) -> Iterator[None]:
    """A row takes its keys before its performance is locked, as before migration 0053."""
    trigger = "TRIGGER reservation_locks_performance"
    database.execute(f"ALTER TABLE reservation DISABLE {trigger}")
    try:
        yield
    finally:
        database.execute(f"ALTER TABLE reservation ENABLE {trigger}")


def without_its_lock(statement: Select[Any]) -> Select[Any]:
    bare = statement._generate()
    bare._for_update_arg = None
    return bare


@pytest.fixture(params=[None])
def unlocked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Take the lock out of one of the statements of azionelab.bookings.locks."""
    if request.param:
        bare = without_its_lock(getattr(locks, request.param))
        monkeypatch.setattr(locks, request.param, bare)
    name: str | None = request.param
    return name


def with_and_without(*statements: str) -> Callable[..., Any]:
    """Run a race with all locks, and without that of each statement."""
    return pytest.mark.parametrize(
        "unlocked",
        [None, *statements],
        ids=["locked", *(f"negative control without {name}" for name in statements)],
        indirect=True,
    )


class Race:
    """Two people, each on a connection of their own, and the gate between."""

    def __init__(self, app: Flask, database_url: str) -> None:
        self._app = app
        self._url = database_url

    def run(
        self,
        gate: str,
        first: Callable[[], Any],
        second: Callable[[], Any],
        between: Callable[[], object] = lambda: None,
    ) -> list[Any]:
        """What each was told: "done", a figure or a word, a refusal's name, the database's constraint."""
        with (
            ThreadPoolExecutor(2) as people,
            psycopg.connect(self._url) as keeper,
            psycopg.connect(self._url, autocommit=True) as observer,
        ):
            keeper.execute(gate)
            answers = [people.submit(self._attempt, first)]
            self.stands(observer, answers[0], waiting=1)
            between()
            answers.append(people.submit(self._attempt, second))
            self.stands(observer, answers[1], waiting=2)
            keeper.rollback()
            return [answer.result() for answer in answers]

    def run_inside(
        self, first: Callable[[Callable[[], None]], Any], second: Callable[[], Any]
    ) -> list[Any]:
        """Like `run`, for a `first` that can be told when to let the second one come."""
        with (
            ThreadPoolExecutor(2) as people,
            psycopg.connect(self._url, autocommit=True) as observer,
        ):
            answers: list[Future[Any]] = []

            def let_come() -> None:
                answers.append(people.submit(self._attempt, second))
                self.stands(observer, answers[0], waiting=1)

            told = people.submit(self._attempt, lambda: first(let_come)).result()
            return [told, answers[0].result()]

    def stands(
        self, observer: psycopg.Connection[Any], answer: Future[Any], *, waiting: int
    ) -> None:
        """Return once so many wait for a lock, or that one is through."""
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        eventually(
            lambda: answer.done() or observer.execute(query).fetchone() == (waiting,),
            f"{waiting} who wait for a lock",
        )

    def _attempt(self, act: Callable[[], Any]) -> Any:
        with self._app.app_context():
            try:
                told = act()
            except (BookingError, EditConflict, ScanReused) as refusal:
                return type(refusal).__name__
            except IntegrityError as error:
                return violated_constraint(error)
            except OperationalError as error:
                return type(error.orig).__name__
            if isinstance(told, scan_log.Verdict):
                return told.kind
            return told if isinstance(told, int | str) else "done"


@pytest.fixture
def race(app: Flask, database_url: str) -> Race:
    return Race(app, database_url)


def mails(reservation: Reservation) -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(Mail.kind).where(Mail.reservation_id == reservation.id)))


@with_and_without("_RESERVATION")
def test_what_is_cancelled_is_not_confirmed(race: Race, unlocked: str | None) -> None:
    performance = a_performance()
    party = a_party(performance, confirmed=False)
    told = race.run(MAIL_GATE, partial(rules.cancel, party.id), partial(rules.confirm, party.id))
    if unlocked:
        assert told == ["done", "done"]
        assert mails(party) == {MailKind.CONFIRM, MailKind.CANCELLED, MailKind.TICKET}
        return
    assert told == ["done", "ReservationEnded"]
    assert fresh(party.id).state == State.CANCELLED
    assert mails(party) == {MailKind.CONFIRM, MailKind.CANCELLED}
    assert seats_held(performance.id) == (0, 0)


@with_and_without("_RESERVATION")
def test_what_is_confirmed_does_not_expire(
    race: Race, unlocked: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = a_performance()
    party = a_party(performance, confirmed=False)
    later = now() + timedelta(minutes=31)
    told = race.run(
        MAIL_GATE,
        partial(rules.confirm, party.id),
        holds.expire_lapsed_holds,
        between=lambda: monkeypatch.setattr(holds, "now", lambda: later),
    )
    if unlocked:
        assert told == ["done", 1], "the seats were free for others in between"
        return
    assert told == ["done", 0]
    assert fresh(party.id).state == State.CONFIRMED
    assert seats_held(performance.id) == (2, 2)


@with_and_without("_RESERVATION", "_PARTY")
def test_seats_that_are_given_back_let_nobody_in(race: Race, unlocked: str | None) -> None:
    performance = a_performance()
    party = a_party(performance, 4)
    told = race.run(
        MAIL_GATE,
        partial(rules.reduce_seats, party.id, 1),
        partial(admit, performance.id, party.reference, uuid4(), DOOR_A, people=4),
    )
    after = fresh(party.id)
    match unlocked:
        case "_RESERVATION":
            assert told == [ENTERED_TOO_MANY, VerdictKind.ADMITTED]
        case "_PARTY":
            assert told == ["done", ENTERED_TOO_MANY]
        case _:
            assert told == ["done", VerdictKind.TOO_MANY]
            assert (after.seats, after.admitted) == (1, 0)


@pytest.mark.parametrize("make_ticket", [write_ticket, ticket_token])
@pytest.mark.parametrize("locked", [True, False], ids=["locked", "negative control"])
def test_a_ticket_lets_in_as_many_as_are_left_when_seats_are_given_back(
    race: Race,
    locked: bool,
    make_ticket: Callable[[Reservation], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not locked:
        bare = {kind: without_its_lock(party) for kind, party in locks.EXPECTED_PARTY.items()}
        unlocked = {kind: scans.let_in(party) for kind, party in bare.items()}
        monkeypatch.setattr(scans, "_LET_IN", unlocked)
    performance = a_performance()
    party = a_party(performance, 4)
    told = race.run(
        MAIL_GATE,
        partial(rules.reduce_seats, party.id, 1),
        partial(admit, performance.id, make_ticket(party), uuid4(), DOOR_A),
    )
    assert told == ["done", VerdictKind.ADMITTED if locked else ENTERED_TOO_MANY]
    assert fresh(party.id).admitted == (1 if locked else 0)


def test_a_ticket_of_somebody_who_is_cancelling_lets_nobody_in(race: Race) -> None:
    performance = a_performance()
    party = a_party(performance, 4)
    told = race.run(
        MAIL_GATE,
        partial(rules.cancel, party.id),
        partial(admit, performance.id, ticket_token(party), uuid4(), DOOR_A),
    )
    assert told == ["done", VerdictKind.CANCELLED]
    assert fresh(party.id).admitted == 0


@pytest.fixture(params=[True, False], ids=["guarded", "negative control"])
def identity_refused(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is told where a scan's identity was taken in between: that it was, or without the guard the constraint."""
    if request.param:
        return ["ScanReused", "ScanReused"]
    for module in (walk_ins, interval):
        monkeypatch.setattr(module, "refuse_reused_scan", nullcontext)
    return ["pk_scan", "uq_reservation_live_request"]


@pytest.mark.parametrize(
    "second", [let_in_walk_ins, partial(pass_without_ticket, way=Way.AGAIN)], ids=["in", "again"]
)
def test_people_without_a_ticket_under_the_identity_of_a_scan_are_told_so(
    race: Race, second: Callable[..., Any], identity_refused: list[Any]
) -> None:
    performance = a_performance()
    party, scan = a_party(performance, 4), uuid4()
    told = race.run(
        DOOR_GATE,
        partial(admit, performance.id, party.reference, scan, DOOR_A),
        partial(second, performance.id, 2, scan, DOOR_B),
    )
    assert told == [VerdictKind.ADMITTED, identity_refused[0]]
    assert seats_held(performance.id) == (4, 4)


def test_walk_ins_under_the_identity_of_those_of_another_evening_are_told_so(
    race: Race, identity_refused: list[Any]
) -> None:
    evenings, scan = (a_performance(), a_performance()), uuid4()
    told = race.run(
        DOOR_GATE, *(partial(let_in_walk_ins, one.id, 2, scan, DOOR_A) for one in evenings)
    )
    assert told == [VerdictKind.ADMITTED, identity_refused[1]]
    assert [seats_held(one.id) for one in evenings] == [(2, 2), (0, 0)]


@with_and_without("_RESERVATION")
def test_who_undid_first_is_in_the_books(
    race: Race, unlocked: str | None, database: psycopg.Connection[Any]
) -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    scan = uuid4()
    admit(performance.id, party.reference, scan, DOOR_A)
    told = race.run(
        UNDO_GATE,
        partial(undo, performance.id, scan, DOOR_A),
        partial(undo, performance.id, scan, DOOR_B),
    )
    assert told == [VerdictKind.ADMITTED] * 2
    assert fresh(party.id).admitted == 0
    books = database.execute("SELECT undone_by FROM admission").fetchall()
    assert books == [(DOOR_B.label if unlocked else DOOR_A.label,)]


@with_and_without("_RESERVATION", "_LIVE_PARTIES")
def test_an_evening_that_is_called_off_is_confirmed_to_nobody(
    race: Race, unlocked: str | None
) -> None:
    performance = a_performance()
    party = a_party(performance, confirmed=False)
    told = race.run(
        MAIL_GATE,
        partial(performance_changes.cancel_performance, performance.id),
        partial(rules.confirm, party.id),
    )
    if unlocked:
        assert told == [1, "done"]
        assert MailKind.TICKET in mails(party)
        return
    assert told == [1, "ReservationEnded"]
    assert fresh(party.id).state == State.CANCELLED
    assert mails(party) == {MailKind.CONFIRM, MailKind.PERFORMANCE_CANCELLED}


@with_and_without("_PERFORMANCE")
def test_a_party_and_the_theatre_that_call_off_at_once_do_not_wait_for_each_other(
    race: Race, unlocked: str | None
) -> None:
    performance = a_performance()
    party = a_party(performance)
    told = race.run(
        MAIL_GATE,
        partial(rules.cancel, party.id),
        partial(performance_changes.cancel_performance, performance.id),
    )
    if unlocked:
        assert "DeadlockDetected" in told
        return
    assert told == ["done", 0]
    assert mails(party) == {MailKind.CONFIRM, MailKind.TICKET, MailKind.CANCELLED}
    assert seats_held(performance.id) == (0, 0)


@with_and_without("_PERFORMANCE")
def test_an_evening_that_two_call_off_at_once_is_told_once(
    race: Race, unlocked: str | None
) -> None:
    performance = a_performance()
    party = a_party(performance)
    admit(performance.id, party.reference, uuid4(), DOOR_A)

    def call_off() -> int | str:
        parties = performance_changes.cancel_performance(performance.id)
        return "was called off" if parties is None else parties

    told = race.run(MAIL_GATE, call_off, call_off)
    assert told == ([1, 1] if unlocked else [1, "was called off"])


@with_and_without("_PERFORMANCE")
def test_a_house_that_gets_smaller_is_not_booked_meanwhile(
    race: Race, unlocked: str | None
) -> None:
    performance = a_performance(capacity=10)
    a_party(performance, 2)

    def cut(let_book: Callable[[], None]) -> int:
        def change(changed: Any) -> None:
            let_book()
            changed.capacity = 2

        return performance_changes.change_performance(performance.id, change)

    told = race.run_inside(cut, partial(rules.reserve, performance.id, a_visitor(), 2))
    if unlocked:
        assert told == ["ck_performance_capacity_held", "done"], "refused without the figure"
        return
    assert told == [0, "SoldOut"]
    assert seats_held(performance.id) == (2, 2)
