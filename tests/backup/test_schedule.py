"""When backups are due, and which are kept."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from azionelab_backup.schedule import last_due_time, select_kept

ROME = ZoneInfo("Europe/Rome")
FOUR = time(4)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-23T03:00:00+00:00", "2026-11-23T04:00:00+01:00"),
        ("2026-11-23T02:59:59+00:00", "2026-11-22T04:00:00+01:00"),
        ("2026-11-23T23:30:00+00:00", "2026-11-23T04:00:00+01:00"),
        # Summer time begins and ends in these nights.
        ("2026-03-29T02:00:00+00:00", "2026-03-29T04:00:00+02:00"),
        ("2026-03-29T01:59:59+00:00", "2026-03-28T04:00:00+01:00"),
        ("2026-10-25T03:00:00+00:00", "2026-10-25T04:00:00+01:00"),
        ("2026-10-25T02:59:59+00:00", "2026-10-24T04:00:00+02:00"),
    ],
)
def test_last_due(now: str, due: str) -> None:
    assert last_due_time(datetime.fromisoformat(now), FOUR, ROME) == datetime.fromisoformat(due)


NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
DAILY = [NOON - timedelta(days=days) for days in range(400)]


def of_one_schema(moments: list[datetime]) -> dict[datetime, str]:
    return dict.fromkeys(moments, "0009")


def days_ago(chosen: set[datetime]) -> list[int]:
    return sorted((NOON - moment).days for moment in chosen)


@pytest.mark.parametrize(
    ("days", "weeks", "months", "expected"),
    [
        (3, 0, 0, [0, 1, 2]),
        (0, 3, 0, [0, 3, 10]),
        (0, 0, 3, [0, 25, 56]),
        (2, 2, 2, [0, 1, 3, 25]),
        (0, 0, 0, [0]),
    ],
)
def test_the_newest_of_each_day_week_and_month(
    days: int, weeks: int, months: int, expected: list[int]
) -> None:
    assert (
        days_ago(select_kept(of_one_schema(DAILY), ROME, days=days, weeks=weeks, months=months))
        == expected
    )


def test_of_one_day_the_newest() -> None:
    # In Rome the last is of the next day already.
    moments = [datetime(2026, 11, 25, hour, 30, tzinfo=UTC) for hour in (1, 12, 22, 23)]
    assert select_kept(of_one_schema(moments), ROME, days=5, weeks=0, months=0) == set(moments[2:])


def test_of_one_day_the_newest_of_each_schema() -> None:
    """An upgrade, a rollback, and the next night: what was taken before the upgrade stays."""
    old = [NOON - timedelta(days=1, hours=hours) for hours in (2, 1)]
    new = [NOON - timedelta(days=1, minutes=30), NOON - timedelta(days=1), NOON]
    taken = of_one_schema(old) | dict.fromkeys(new, "0010")
    assert select_kept(taken, ROME, days=2, weeks=0, months=0) == {old[1], *new[1:]}
    assert select_kept(taken, ROME, days=1, weeks=0, months=0) == {NOON}
    assert select_kept(taken, ROME, days=0, weeks=1, months=0) == {old[1], NOON}


def test_a_long_outage_deletes_no_earlier_backup() -> None:
    old = [NOON - timedelta(days=days) for days in (300, 301)]
    assert select_kept(of_one_schema([NOON, *old]), ROME, days=3, weeks=0, months=0) == {NOON, *old}


def test_nothing_is_kept_of_nothing() -> None:
    assert select_kept({}, ROME, days=1, weeks=1, months=1) == set()
