"""The season's figures on bookings and admissions whose moments are known."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from azionelab.bookings import rules
from azionelab.bookings.models import Reservation
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.database import now
from azionelab.reports.audience import arrivals, attendance, lead_times
from azionelab.reports.booking_pace import DAYS, booking_pace, typical_pace
from azionelab.shows.models import Performance
from tests.factories import DOOR_A, a_party, a_performance, fresh

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


def played(database: Database, performance: Performance, ago: timedelta) -> datetime:
    """Move a performance to the past; returns its curtain."""
    curtain = now() - ago
    database.execute(
        "UPDATE performance SET starts_at = %s, booking_opens_at = %s, booking_closes_at = %s WHERE id = %s",
        [curtain, curtain - timedelta(days=40), curtain, performance.id],
    )
    return curtain


def booked(database: Database, party: Reservation, at: datetime) -> None:
    """Date a party's booking."""
    database.execute(
        "UPDATE reservation SET created_at = %s, confirmed_at = %s WHERE id = %s",
        [at, at, party.id],
    )


def test_the_pace_counts_confirmed_seats_until_they_are_cancelled(database: Database) -> None:
    performance = a_performance(capacity=20)
    early, late, gone = (a_party(performance, seats) for seats in (4, 2, 6))
    a_party(performance, 3, confirmed=False)
    let_in_walk_ins(performance.id, 1, uuid4(), DOOR_A)
    rules.cancel(gone.id)
    curtain = played(database, performance, timedelta(days=1))
    booked(database, early, curtain - timedelta(days=60))
    booked(database, late, curtain - timedelta(days=2, hours=1))
    booked(database, gone, curtain - timedelta(days=10, hours=1))
    database.execute(
        "UPDATE reservation SET ended_at = %s WHERE id = %s", [curtain - timedelta(days=5), gone.id]
    )
    pace = booking_pace([fresh(early.id).performance], now())[performance.id]
    expected = [20] * (DAYS - 10) + [50] * 5 + [20] * 3 + [30] * 3
    assert pace == expected
    assert len(pace) == DAYS + 1


def test_days_to_come_have_no_figure() -> None:
    performance = a_performance(capacity=10, starts_at=now() + timedelta(days=3, hours=2))
    a_party(performance, 5)
    pace = booking_pace([performance], now())[performance.id]
    assert pace[:-4] == [0] * (DAYS - 3)
    assert pace[-4:] == [50, None, None, None]


def test_the_typical_pace_is_the_median_of_what_is_known() -> None:
    assert typical_pace([[10, 20, None], [30, 40, None], [90, 50, None]]) == [30, 40, None]


def test_a_house_without_seats_has_no_pace() -> None:
    performance = a_performance(capacity=0)
    assert set(booking_pace([performance], now())[performance.id]) == {None}


def test_attendance_counts_who_came_and_leaves_out_evenings_without_a_check_in(
    database: Database,
) -> None:
    performance, unchecked = a_performance(capacity=20), a_performance()
    whole, part, _absent = (a_party(performance, seats) for seats in (4, 3, 2))
    a_party(unchecked, 2)
    admit(performance.id, whole.reference, uuid4(), DOOR_A)
    admit(performance.id, part.reference, uuid4(), DOOR_A, people=1)
    let_in_walk_ins(performance.id, 2, uuid4(), DOOR_A)
    for each in (performance, unchecked):
        played(database, each, timedelta(days=2))
    later = a_performance()
    admit(later.id, a_party(later, 1).reference, uuid4(), DOOR_A)
    played(database, later, timedelta(hours=30))
    found, _later = attendance(now() - timedelta(days=3), now(), 10)
    assert (found.performance_id, found.booked, found.came, found.walk_ins) == (
        performance.id,
        9,
        5,
        2,
    )
    assert found.stayed_away == 4
    (newest,) = attendance(now() - timedelta(days=3), now(), 1)
    assert newest.performance_id == later.id
    assert attendance(now() - timedelta(days=1), now(), 10) == []


@pytest.mark.parametrize(
    ("before", "place"),
    [
        (timedelta(hours=3), 0),
        (timedelta(days=1, hours=1), 1),
        (timedelta(days=3, hours=23), 2),
        (timedelta(days=7), 3),
        (timedelta(days=8), 4),
        (timedelta(days=28), 5),
        (timedelta(days=29), 6),
    ],
)
def test_seats_count_by_how_early_they_were_booked(
    database: Database, before: timedelta, place: int
) -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    rules.cancel(a_party(performance, 2).id)
    let_in_walk_ins(performance.id, 1, uuid4(), DOOR_A)
    curtain = played(database, performance, timedelta(days=1))
    booked(database, party, curtain - before)
    found = lead_times(now() - timedelta(days=2), now())
    assert found == [3 if each == place else 0 for each in range(7)]


@pytest.mark.parametrize(
    ("minutes", "step"), [(-90, -60), (-15, -15), (-10.1, -15), (-0.1, -5), (0, 0), (45, 30)]
)
def test_people_count_by_when_they_arrived(database: Database, minutes: float, step: int) -> None:
    performance = a_performance()
    scan_id, undone = uuid4(), uuid4()
    admit(performance.id, a_party(performance, 3).reference, scan_id, DOOR_A)
    admit(performance.id, a_party(performance, 2).reference, undone, DOOR_A)
    undo(performance.id, undone, DOOR_A)
    curtain = played(database, performance, timedelta(days=1))
    database.execute("UPDATE scan SET scanned_at = %s", [curtain + timedelta(minutes=minutes)])
    found = arrivals(now() - timedelta(days=2), now())
    assert {at: people for at, people in found.items() if people} == {step: 3}
    assert list(found) == list(range(-60, 31, 5))
