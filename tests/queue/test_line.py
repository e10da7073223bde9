"""A line: the lot, who is let in, and that a mailbox has one place."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from azionelab.bookings import rules
from azionelab.bookings.crowd.pressure import pressure
from azionelab.bookings.errors import SoldOut, TurnOver
from azionelab.database import db, now, transaction
from azionelab.queue import advance as moving
from azionelab.queue import lines, places
from azionelab.queue.advance import advance
from azionelab.queue.lines import Pace
from azionelab.queue.models import Line, Origin, Place
from azionelab.queue.seats import SeatsBehind, outlook
from tests.bookings.test_locks import without_its_lock
from tests.factories import a_performance, a_visitor
from tests.support.processes import eventually

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


def a_line(opened: timedelta = timedelta(hours=1), **how: Any) -> Line:
    """A line of the whole site that opened so long ago."""
    return line_of(lines.open_line(None, now() - opened, Pace(**how)))


def line_of(line_id: int) -> Line:
    db.session.rollback()
    line = lines.find_line(line_id)
    assert line is not None
    return line


def place_of(place_id: UUID) -> Place:
    db.session.rollback()
    place = places.find_place(place_id)
    assert place is not None
    return place


def join_all(line: Line, count: int) -> list[UUID]:
    return [places.join(line_of(line.id), f"visitor-{n}@example.org") for n in range(count)]


def numbers(ids: list[UUID]) -> list[int | None]:
    return [place_of(one).number for one in ids]


def test_who_is_there_before_the_opening_is_drawn_and_later_ones_stand_behind() -> None:
    line = a_line(-timedelta(minutes=10))
    early = join_all(line, 40)
    advance(line.id, now())
    assert set(numbers(early)) == {None}, "nobody knows before the minute"
    opening = line.opens_at + timedelta(seconds=1)
    advance(line.id, opening)
    drawn = numbers(early)
    assert sorted(n or 0 for n in drawn) == list(range(1, 41))
    assert drawn != sorted(n or 0 for n in drawn), "1 in 40! by chance"
    late = [places.join(line_of(line.id), f"late-{n}@example.org") for n in range(3)]
    assert numbers(late) == [41, 42, 43]


def test_nobody_joins_long_before_the_opening_nor_after_the_end() -> None:
    early = a_line(-timedelta(hours=1))
    with pytest.raises(places.LineClosed):
        places.join(early, "ada@example.org")
    lines.end_line(early.id)
    line = a_line()
    lines.end_line(line.id)
    with pytest.raises(places.LineClosed):
        places.join(line, "ada@example.org")
    assert line_of(line.id).joined == 0


def test_the_next_are_let_in_by_rate_and_by_who_is_inside() -> None:
    line = a_line(per_minute=60, inside_limit=12, stay_minutes=10)
    waiting = join_all(line, 40)
    at = now()
    advance(line.id, at)
    first = line_of(line.id).let_in
    assert 10 <= first <= 12, "ten seconds of the rate at the opening"
    for second in range(1, 30):
        advance(line.id, at + timedelta(seconds=second))
    assert line_of(line.id).let_in == 12, "as many as may be inside"
    use_turn(line, 0)
    places.leave(waiting[1])
    at += timedelta(seconds=31)
    advance(line.id, at)
    assert line_of(line.id).let_in == 13, "who has booked is not inside; who left can come back"
    advance(line.id, at + timedelta(minutes=10))
    line = line_of(line.id)
    assert line.let_in == 23, "nor is who missed the time"
    assert [place_of(one).let_in_at is not None for one in waiting] == [True] * 23 + [False] * 17


def test_one_a_minute_is_let_in_at_the_slowest_pace() -> None:
    line = a_line(per_minute=1)
    join_all(line, 3)
    at = now()
    seen = []
    for minute in range(4):
        advance(line.id, at + timedelta(seconds=60 * minute))
        seen.append(line_of(line.id).let_in)
    assert seen[1:] in ([1, 2, 3], [2, 3, 3])


def test_an_open_line_of_the_site_comes_before_one_of_the_show_that_only_opens() -> None:
    performance = a_performance()
    site = a_line().id
    lines.open_line(performance.show_id, now() + timedelta(minutes=10))
    found = lines.line_before(performance.id, now())
    assert found is not None
    assert found.id == site


def test_a_first_reading_that_fails_lets_nobody_through(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = lines.LiveLines()
    line = a_line()
    with monkeypatch.context() as broken:
        broken.setattr(lines, "_read_live", lambda: 1 / 0)
        for _try in range(2):
            with pytest.raises(ZeroDivisionError):
                memory.read()
    assert [one.id for one in memory.read()] == [line.id]


def test_a_corrected_booking_takes_the_place_along() -> None:
    line = a_line(per_minute=60)
    join_all(line, 2)
    advance(line.id, now())
    line = line_of(line.id)
    places.pass_to_mailbox(line.id, "visitor-0@example.org", "right@example.org")
    assert places.may_mailbox_book(line, "right@example.org", now())
    assert not places.may_mailbox_book(line, "visitor-0@example.org", now())
    places.pass_to_mailbox(line.id, "right@example.org", "visitor-1@example.org")
    assert not places.may_mailbox_book(line, "right@example.org", now())
    assert places.may_mailbox_book(line, "visitor-1@example.org", now())


def test_only_a_mailbox_that_is_let_in_may_book_and_only_in_its_time() -> None:
    line = a_line(per_minute=6, stay_minutes=10)
    ids = join_all(line, 2)
    advance(line.id, at := now())
    line = line_of(line.id)

    def may(name: str, later: timedelta) -> bool:
        return places.may_mailbox_book(line, f"{name}@example.org", at + later)

    assert may("visitor-0", timedelta(minutes=2))
    assert not may("visitor-0", timedelta(minutes=3)), "nobody came in"
    places.come_in(place_of(ids[0]), line)
    assert may("visitor-0", timedelta(minutes=9))
    assert not may("visitor-0", timedelta(minutes=10))
    assert not may("visitor-1", timedelta())
    assert not may("stranger", timedelta())
    places.leave(ids[0])
    assert may("visitor-0", timedelta()), "nobody loses a turn by a stranger's press"
    use_turn(line, 0)
    assert not may("visitor-0", timedelta()), "a turn is for one booking"
    with pytest.raises(lines.TurnFixed):
        lines.change_line(line.id, Pace(6, 500, 5), seen="6/500/10/")
    with pytest.raises(lines.TurnFixed):
        lines.change_line(line.id, Pace(6, 500, 10, 2), seen="6/500/10/")


def test_who_missed_the_time_goes_to_the_end(database: Database) -> None:
    line = a_line()
    first, second = join_all(line, 2)
    advance(line.id, now())
    assert not places.rejoin(place_of(first), line_of(line.id)), "there is time yet"
    places.come_in(place_of(first), line_of(line.id))
    later = "UPDATE queue_place SET let_in_at = let_in_at - interval '%s minutes'"
    database.execute(later % 4)
    assert not places.rejoin(place_of(first), line_of(line.id)), "who came in has all of the time"
    assert places.rejoin(place_of(second), line_of(line.id))
    database.execute(later % 7)
    assert places.rejoin(place_of(first), line_of(line.id))
    assert not places.rejoin(place_of(first), line_of(line.id))
    again = place_of(first)
    assert (again.number, again.let_in_at, again.entered_at) == (4, None, None)


def test_what_is_said_only_falls_and_holds() -> None:
    """Everybody uses all of their time: the slowest that the line can be."""
    line = a_line(per_minute=30, inside_limit=20, stay_minutes=3)
    last = join_all(line, 70)[-1]
    began = at = now()
    said: list[int] = []
    while place_of(last).let_in_at is None:
        advance(line.id, at)
        most = line_of(line.id).minutes_at_most(place_of(last).number or 0)
        assert most is not None
        said.append(most)
        at += timedelta(seconds=20)
    assert said == sorted(said, reverse=True)
    assert at - began <= timedelta(minutes=said[0])
    with pytest.raises(lines.PaceChanged):
        lines.change_line(line.id, Pace(29, 20, 3), seen="60/20/3/")
    lines.change_line(line.id, Pace(29, 20, 3), seen="30/20/3/")
    assert line_of(line.id).minutes_at_most(100) is None


def test_a_line_of_a_show_or_the_site_is_there_once() -> None:
    line = a_line()
    with pytest.raises(lines.LineExists):
        a_line()
    lines.end_line(line.id)
    again = a_line()
    with pytest.raises(lines.LineExists):
        lines.resume_line(line.id)
    lines.end_line(again.id)
    lines.resume_line(line.id)
    assert line_of(line.id).ended_at is None


def test_a_line_ends_after_a_day_and_takes_its_places_with_it() -> None:
    line = a_line(timedelta(hours=25))
    join_all(line, 2)
    lines.end_old_lines(at := now())
    assert line_of(line.id).ended_at == at
    lines.end_old_lines(at + timedelta(minutes=61))
    assert db.session.scalar(select(func.count()).select_from(Place)) == 0


def test_the_load_opens_a_line_and_ends_it_after_the_rush(
    make_app: Callable[..., Flask], database: Database
) -> None:
    with make_app(QUEUE_ABOVE_BOOKINGS="3").app_context():
        performance = a_performance(capacity=50)

        def origins() -> list[str]:
            pressure()._until = 0.0
            lines.live_lines().forget()
            return [line.origin for line in lines.live_lines().read()]

        def book() -> UUID:
            visitor = replace(a_visitor(), network="192.0.2.1")
            return rules.reserve(performance.id, visitor, 1, uuid4()).id

        parties = [book(), book()]
        assert origins() == []
        parties.append(book())
        assert origins() == [Origin.LOAD]
        for party in parties:
            rules.confirm(party)
        assert origins() == [Origin.LOAD], "it stays for ten minutes"
        database.execute("UPDATE queue_line SET opens_at = now() - interval '11 minutes'")
        assert origins() == []
        log = "SELECT actor, action FROM audit_entry WHERE object_type = 'queue_line' AND source = 'program' ORDER BY id"
        assert database.execute(log).fetchall() == [("system", "created"), ("system", "deleted")]


# --- Seats behind the line ---


def let_in(line: Line, at: datetime | None = None) -> int:
    advance(line.id, at or now())
    return line_of(line.id).let_in


def use_turn(line: Line, visitor: int) -> bool:
    with transaction() as session:
        return places.use_turn(session, line.id, f"visitor-{visitor}@example.org")


def test_nobody_is_let_in_who_might_find_no_seats() -> None:
    performance = a_performance(capacity=11)
    line = a_line(most_seats=4)
    join_all(line, 8)
    assert line_of(line.id).names_minutes
    assert let_in(line) == 3, "two bookings of four seats, and one of the three that may be left"
    assert not line_of(line.id).names_minutes, "how long it takes is up to those inside"
    book(performance.id, 0, 2)
    use_turn(line, 0)
    assert let_in(line) == 4, "of nine seats the two who are inside may take eight"
    at = now() + timedelta(minutes=4)
    assert let_in(line, at) == 7, "who did not come in has no seats any more"
    for visitor, seats in enumerate((4, 4, 1), 4):
        book(performance.id, visitor, seats)
        use_turn(line, visitor)
    assert let_in(line, at) == 8, "to the waitlist, when all seats are taken"


def test_a_turn_that_is_given_up_is_the_next_ones() -> None:
    a_performance(capacity=4)
    line = a_line(most_seats=4)
    first, second = sorted(join_all(line, 2), key=lambda one: place_of(one).number or 0)
    assert let_in(line) == 1
    places.give_up(place_of(first))
    assert let_in(line) == 2
    assert place_of(second).may_book(line, now())
    assert not place_of(first).may_book(line, now())
    places.give_up(place_of(second))
    assert places.rejoin(place_of(first), line), "at the end"


def test_an_evening_that_opens_later_keeps_nobody_from_the_waitlist() -> None:
    sold_out = a_performance(capacity=2)
    later = a_performance(booking_opens_at=now() + timedelta(hours=2))
    book(sold_out.id, 9, 2)
    line = a_line(stay_minutes=10)
    join_all(line, 3)
    assert let_in(line) == 3
    assert outlook(line).sold_out
    soon = lines.open_line(later.show_id, now())
    join_all(line_of(soon), 2)
    assert let_in(line_of(soon)) == 0, "nothing is on sale behind it, and nothing is sold out"
    assert line_of(soon).names_minutes, "which is not for want of seats"


def test_the_sites_line_counts_no_seats_behind_a_shows_own_line() -> None:
    own = a_performance(capacity=100)
    a_performance(capacity=4)
    lines.open_line(own.show_id, now() - timedelta(minutes=1))
    line = a_line(most_seats=4)
    join_all(line, 3)
    assert let_in(line) == 1


def test_bookings_that_hold_nothing_yet_count_and_nobody_comes_in_before_the_sale(
    database: Database,
) -> None:
    performance = a_performance(capacity=8)
    line = a_line(most_seats=4)
    join_all(line, 3)
    book(performance.id, 8, 4)
    database.execute("UPDATE reservation SET holds_seats = false")
    assert let_in(line) == 1
    use_turn(line, 0)
    book(performance.id, 0, 4)
    assert let_in(line) == 1, "the last seats wait for a booking that may take them"
    database.execute(
        "UPDATE reservation SET created_at = now() - interval '1 hour', hold_expires_at = now() - interval '1 minute'"
        " WHERE NOT holds_seats"
    )
    assert let_in(line) == 2
    closed = a_performance(booking_opens_at=now() + timedelta(minutes=5))
    late = lines.open_line(closed.show_id, now())
    join_all(line_of(late), 2)
    assert let_in(line_of(late)) == 0


def book(performance: int, visitor: int, seats: int) -> None:
    rules.reserve(performance, a_visitor(f"visitor-{visitor}@example.org"), seats, uuid4())


@pytest.fixture
def seats_of_those_let_in(app: Flask) -> Callable[[], list[int]]:
    """A function that lets in, and has all who are let in book four seats at once; the seats that each got."""

    def sell() -> list[int]:
        performance = a_performance(capacity=12).id
        line = a_line(most_seats=4)
        waiting = [place_of(one).number or 0 for one in join_all(line, 8)]
        inside = waiting[: let_in(line)]
        at_once = threading.Barrier(len(inside))

        def press(number: int) -> int:
            with app.app_context():
                at_once.wait()
                try:
                    book(performance, number, 4)
                except SoldOut:
                    return 0
                return 4

        with ThreadPoolExecutor(len(inside)) as crowd:
            return list(crowd.map(press, inside))

    return sell


def book_twice_at_once(app: Flask, use: Callable[[Session, threading.Barrier], bool]) -> list[bool]:
    """Book two evenings at the same moment with one turn; which of them were booked."""
    evenings = [a_performance().id, a_performance().id]
    both = threading.Barrier(2)

    def turn(session: Session) -> None:
        if not use(session, both):
            raise TurnOver("/queue")

    def press(evening: int) -> bool:
        with app.app_context():
            try:
                visitor = replace(a_visitor("visitor-0@example.org"), turn=turn)
                rules.reserve(evening, visitor, 1, uuid4())
            except TurnOver:
                return False
            return True

    with ThreadPoolExecutor(2) as crowd:
        return list(crowd.map(press, evenings))


def test_a_turn_is_for_one_booking_also_of_two_at_once(app: Flask) -> None:
    line = a_line()
    join_all(line, 1)
    assert let_in(line) == 1

    def use(session: Session, both: threading.Barrier) -> bool:
        both.wait()
        return places.use_turn(session, line.id, "visitor-0@example.org")

    assert sorted(book_twice_at_once(app, use)) == [False, True]


def test_negative_control_a_turn_that_is_only_read_books_twice(app: Flask) -> None:
    line = a_line()
    join_all(line, 1)
    assert let_in(line) == 1

    def use(session: Session, both: threading.Barrier) -> bool:
        unused = select(Place.id).where(Place.line_id == line.id, Place.booked_at.is_(None))
        found = session.scalar(unused) is not None
        both.wait()
        return found

    assert book_twice_at_once(app, use) == [True, True]


def test_whoever_is_let_in_finds_seats_however_quick_others_are(
    seats_of_those_let_in: Callable[[], list[int]],
) -> None:
    assert seats_of_those_let_in() == [4, 4, 4]


def test_negative_control_by_pace_alone_the_quick_ones_get_all(
    seats_of_those_let_in: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "read_seats", lambda _line, _at: SeatsBehind(100))
    assert sorted(seats_of_those_let_in()) == [0] * 5 + [4] * 3


# --- At once, on real connections ---


@pytest.fixture
def one_mailbox_at_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Line], set[UUID]]:
    """A function that joins with one mailbox from two connections, which both find no place before they join."""

    def join(line: Line) -> set[UUID]:
        both = threading.Barrier(2)
        find = places.find_of_mailbox
        asked = threading.local()

        def find_before_the_other_joins(line_id: int, email_key: str) -> Place | None:
            found = find(line_id, email_key)
            if not getattr(asked, "once", False):
                asked.once = True
                both.wait()
            return found

        monkeypatch.setattr(places, "find_of_mailbox", find_before_the_other_joins)

        def press(_number: int) -> UUID:
            with app.app_context():
                return places.join(line_of(line.id), "ada@example.org")

        with ThreadPoolExecutor(2) as crowd:
            return set(crowd.map(press, range(2)))

    return join


def test_a_mailbox_that_joins_twice_at_once_has_one_place(
    one_mailbox_at_once: Callable[[Line], set[UUID]],
) -> None:
    line = a_line()
    assert len(one_mailbox_at_once(line)) == 1
    assert line_of(line.id).joined == 1, "no number is lost"


def test_negative_control_without_the_key_it_has_two(
    one_mailbox_at_once: Callable[[Line], set[UUID]], database: Database
) -> None:
    line = a_line()
    database.execute("ALTER TABLE queue_place DROP CONSTRAINT uq_queue_place_mailbox")
    try:
        assert len(one_mailbox_at_once(line)) == 2
    finally:
        database.execute("DELETE FROM queue_place")
        database.execute(
            "ALTER TABLE queue_place ADD CONSTRAINT uq_queue_place_mailbox UNIQUE (line_id, mailbox)"
        )


@pytest.fixture
def join_during_the_lot(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Line], int | None]:
    """A function that joins while the lot is drawn, before its commit; the number of that place in the end."""

    def draw_and_join(line: Line) -> int | None:
        draw = moving.draw
        opening = line.opens_at + timedelta(seconds=1)
        joining: list[Any] = []

        def press() -> UUID:
            with app.app_context():
                # By what was read before the opening.
                return places.join(line, "late@example.org")

        def draw_while_somebody_joins(session: Session, locked: Line, at: datetime) -> None:
            draw(session, locked, at)
            joining.append(crowd.submit(press))
            waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            eventually(
                lambda: joining[0].done() or database.execute(waits).fetchone(),
                "somebody who joins, or waits to",
            )

        monkeypatch.setattr(moving, "draw", draw_while_somebody_joins)
        with ThreadPoolExecutor(1) as crowd:
            advance(line.id, opening)
            return place_of(joining[0].result()).number

    return draw_and_join


def test_who_joins_while_the_lot_is_drawn_stands_behind(
    join_during_the_lot: Callable[[Line], int | None],
) -> None:
    line = a_line(-timedelta(minutes=10))
    join_all(line, 5)
    assert join_during_the_lot(line) == 6


def test_negative_control_without_the_lock_their_place_has_no_number(
    join_during_the_lot: Callable[[Line], int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = a_line(-timedelta(minutes=10))
    join_all(line, 5)
    monkeypatch.setattr(moving, "LINE", without_its_lock(moving.LINE))
    assert join_during_the_lot(line) is None


def test_a_crowd_that_joins_leaves_and_returns_keeps_the_order(app: Flask) -> None:
    line = a_line(per_minute=6_000, inside_limit=100_000)

    def visit(number: int) -> None:
        with app.app_context():
            place = places.join(line_of(line.id), f"visitor-{number}@example.org")
            advance(line.id, now())
            if number % 3 == 0:
                places.leave(place)
                advance(line.id, now())
                places.come_back(place)

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(visit, range(120)))
    advance(line.id, now() + timedelta(seconds=10))
    db.session.rollback()
    everybody = db.session.scalars(select(Place).order_by(Place.number)).all()
    assert [place.number for place in everybody] == list(range(1, 121))
    assert line_of(line.id).let_in == 120
    assert all(place.let_in_at for place in everybody), "nobody is passed over"
