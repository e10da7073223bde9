"""When a performance can be booked, and what times fit together: to the second, on both sides."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from azionelab.shows.window import (
    ClosesAfterCurtain,
    CurtainPast,
    CurtainTooFar,
    NoTimeToBook,
    Window,
    booking_window,
    check_curtain,
    check_window,
    move_booking_window,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
# From this moment on; a season's plan reaches no further.
FAR = timedelta(days=5 * 366)


@dataclass
class APerformance:
    starts_at: datetime = NOW + 3 * HOUR
    booking_opens_at: datetime = NOW - HOUR
    booking_closes_at: datetime = NOW + 2 * HOUR
    cancelled_at: datetime | None = None


@pytest.mark.parametrize("ahead", [SECOND, HOUR, FAR])
def test_a_curtain_that_can_be(ahead: timedelta) -> None:
    check_curtain(NOW + ahead, NOW)


@pytest.mark.parametrize(
    ("ahead", "error"),
    [(-HOUR, CurtainPast), (timedelta(0), CurtainPast), (FAR + SECOND, CurtainTooFar)],
)
def test_a_curtain_that_cannot_be(ahead: timedelta, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_curtain(NOW + ahead, NOW)


@pytest.mark.parametrize("before_curtain", [timedelta(0), SECOND, HOUR])
def test_booking_closes_at_the_curtain_or_before(before_curtain: timedelta) -> None:
    check_window(NOW - HOUR, NOW - before_curtain + SECOND, NOW + SECOND)


@pytest.mark.parametrize(
    ("opens", "closes", "error"),
    [
        (-HOUR, SECOND, ClosesAfterCurtain),
        (-HOUR, -HOUR, NoTimeToBook),
        (-HOUR, -HOUR - SECOND, NoTimeToBook),
    ],
)
def test_times_of_booking_that_do_not_fit(
    opens: timedelta, closes: timedelta, error: type[Exception]
) -> None:
    with pytest.raises(error):
        check_window(NOW + opens, NOW + closes, starts_at=NOW)


@pytest.mark.parametrize("moved", [2 * HOUR, -HOUR / 2])
def test_booking_moves_with_the_curtain(moved: timedelta) -> None:
    was = APerformance(booking_opens_at=NOW + SECOND)
    times = move_booking_window(was, was.starts_at + moved, NOW)
    assert times == (NOW + SECOND + moved, NOW + 2 * HOUR + moved)


@pytest.mark.parametrize("since", [timedelta(0), HOUR])
def test_booking_that_is_open_stays_open(since: timedelta) -> None:
    was = APerformance(booking_opens_at=NOW - since)
    assert move_booking_window(was, was.starts_at + HOUR, NOW) == (NOW - since, NOW + 3 * HOUR)


def test_booking_that_closed_after_the_curtain_closes_at_it() -> None:
    was = APerformance(booking_closes_at=NOW + 4 * HOUR)
    moved_to = was.starts_at + HOUR
    assert move_booking_window(was, moved_to, NOW) == (was.booking_opens_at, moved_to)


@pytest.mark.parametrize(
    ("at", "window"),
    [
        (-HOUR - SECOND, Window.NOT_YET_OPEN),
        (-HOUR, Window.OPEN),
        (2 * HOUR - SECOND, Window.OPEN),
        (2 * HOUR, Window.CLOSED),
        (2 * HOUR + SECOND, Window.CLOSED),
    ],
)
def test_the_window(at: timedelta, window: Window) -> None:
    assert booking_window(APerformance(), NOW + at) is window
    assert booking_window(APerformance(cancelled_at=NOW), NOW + at) is Window.CANCELLED


@pytest.mark.parametrize(("at", "window"), [(-SECOND, Window.OPEN), (timedelta(0), Window.PAST)])
def test_from_the_curtain_on_it_is_past_whatever_is_written(at: timedelta, window: Window) -> None:
    evening = APerformance(booking_closes_at=NOW + 4 * HOUR)
    assert booking_window(evening, evening.starts_at + at) is window
