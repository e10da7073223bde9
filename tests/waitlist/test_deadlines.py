"""When an offer is told, and until when it holds."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azionelab.settings.night import NEAR, Night
from azionelab.waitlist.deadlines import SHORTEST, near_offer_until, offer_times

ROME = ZoneInfo("Europe/Rome")
NIGHT = Night(22, 8, ROME)
DAY = timedelta(days=1)


def rome(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=ROME)


@pytest.mark.parametrize(
    ("at", "closes_at", "told_at", "until"),
    [
        # A day at most, then a quarter of the time that is left, then half an hour, never after booking closes.
        ("2026-06-01 12:00", "2026-06-20 20:00", "2026-06-01 12:00", "2026-06-02 12:00"),
        ("2026-06-01 12:00", "2026-06-01 20:00", "2026-06-01 12:00", "2026-06-01 14:00"),
        ("2026-06-01 19:00", "2026-06-01 20:00", "2026-06-01 19:00", "2026-06-01 19:30"),
        ("2026-06-01 19:50", "2026-06-01 20:00", "2026-06-01 19:50", "2026-06-01 20:00"),
        # Nobody is woken, before midnight and after it, and no deadline is in the night.
        ("2026-06-01 22:00", "2026-06-20 20:00", "2026-06-02 08:00", "2026-06-03 08:00"),
        ("2026-06-01 07:59", "2026-06-01 20:00", "2026-06-01 08:00", "2026-06-01 11:00"),
        ("2026-06-01 21:00", "2026-06-02 21:00", "2026-06-01 21:00", "2026-06-02 09:00"),
        # Unless the curtain is near: a matinee at ten.
        ("2026-06-01 23:00", "2026-06-02 10:00", "2026-06-01 23:00", "2026-06-02 01:45"),
        # The nights when the clocks change, in each of which a morning is at eight all the same.
        ("2026-03-28 23:00", "2026-03-29 20:00", "2026-03-29 08:00", "2026-03-29 11:00"),
        ("2026-10-24 23:00", "2026-10-25 20:00", "2026-10-25 08:00", "2026-10-25 11:00"),
        # A day is 24 hours, however the clock goes.
        ("2026-03-28 12:00", "2026-04-20 20:00", "2026-03-28 12:00", "2026-03-29 13:00"),
        ("2026-10-24 12:00", "2026-11-20 20:00", "2026-10-24 12:00", "2026-10-25 11:00"),
    ],
)
def test_the_times_of_an_offer(at: str, closes_at: str, told_at: str, until: str) -> None:
    times = offer_times(rome(at), rome(closes_at), NIGHT, DAY)
    assert times.told_at == rome(told_at)
    assert times.until == rome(until)


@pytest.mark.parametrize(
    ("left", "lasts"), [(60, 10), (20, 10), (16, 8), (10, 5), (6, 5), (4, 4), (2, 2), (1.9, None)]
)
def test_an_offer_near_the_curtain_gets_shorter_and_ends_with_it(
    left: float, lasts: float | None
) -> None:
    curtain = rome("2026-06-01 20:30")
    at = curtain - timedelta(minutes=left)
    assert near_offer_until(at, curtain) == (lasts and at + timedelta(minutes=lasts))


def test_there_may_be_no_night_or_one_after_midnight() -> None:
    late = rome("2026-06-01 23:30")
    closes = rome("2026-06-20 20:00")
    assert offer_times(late, closes, Night(0, 0, ROME), DAY).told_at == late
    assert offer_times(late, closes, Night(1, 7, ROME), DAY).told_at == late
    early = rome("2026-06-02 01:00")
    assert offer_times(early, closes, Night(1, 7, ROME), DAY).told_at == rome("2026-06-02 07:00")


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    left=st.timedeltas(timedelta(seconds=1), timedelta(days=60)),
    begins=st.integers(0, 23),
    ends=st.integers(0, 23),
)
def test_an_offer_can_be_taken_for_a_while_and_never_after_booking_closes(
    at: datetime, left: timedelta, begins: int, ends: int
) -> None:
    closes_at = at + left
    night = Night(begins, ends, ROME)
    times = offer_times(at, closes_at, night, DAY)
    assert at <= times.told_at < times.until <= closes_at
    assert times.until - times.told_at >= min(SHORTEST, left)
    woken = night.end_of(times.told_at)
    assert woken is None or closes_at - woken < NEAR
