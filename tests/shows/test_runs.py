"""The evenings of a run: the typed line, weekdays and dates, the clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azionelab.shows.local_time import AmbiguousTime, NoSuchTime, from_local
from azionelab.shows.runs.changes import EveningFacts, RunChange, change_evening
from azionelab.shows.runs.evenings import (
    MAX_EVENINGS,
    BookingTimes,
    Fault,
    Run,
    TooManyEvenings,
    list_evenings,
    resolve_times,
    useless_exceptions,
)
from azionelab.shows.runs.sentence import read_exceptions, read_sentence
from azionelab.shows.runs.tokens import Misread, SentenceError, read_times

ROME = ZoneInfo("Europe/Rome")
TODAY = date(2026, 8, 1)
AT = datetime(2026, 8, 1, 10, tzinfo=UTC)
NINE = [
    "2026-10-03 20:30", "2026-10-04 16:00", "2026-10-09 20:30", "2026-10-11 16:00", "2026-10-16 20:30",
    "2026-10-17 20:30", "2026-10-18 16:00", "2026-12-31 20:30",
]  # fmt: skip


def local(text: str) -> datetime:
    """A naive time of the theatre's zone."""
    return datetime.fromisoformat(text)


def written(run: Run) -> list[str]:
    return [f"{wall:%Y-%m-%d %H:%M}" for wall in list_evenings(run)]


@pytest.mark.parametrize(
    "line",
    [
        "Fri and Sat 20:30, Sun 16:00, from 3 to 19 October, except the 10th; 20:30 on 31 December",
        "ven e sab 20:30, dom 16:00, dal 3 al 19 ottobre, tranne il 10; 31 dicembre ore 20:30",
        (
            "Venerdì e sabato alle 20.30, domenica alle 16, dal 3 al 19 ottobre 2026 escluso il 10/10;"
            " giovedì 31 dicembre alle 20:30"
        ),
        (
            "8:30pm on Fridays and Saturdays, 4pm on Sundays, 3 October \u2013 19 October 2026, not 10 October;"
            " also 31/12/2026 20:30"
        ),
        "FRI, SAT 20H30; SUN 16:00; FROM 2026-10-03 TO 2026-10-19; EXCEPT 2026-10-10; 2026-12-31 20:30",
    ],
)
def test_a_run_is_typed_as_people_say_it(line: str) -> None:
    assert written(read_sentence(line, TODAY)) == NINE


@pytest.mark.parametrize(
    ("line", "evenings"),
    [
        ("Tue-Sun 20:00 from 1 to 8 October", 7),
        ("da martedì a domenica 20:00 dal 1º all'8 ottobre", 7),
        ("every day 20:00 except Mondays from 28 December to 3 January", 6),
        ("tutti i giorni 17:00 e 21:00 dal 24 al 26 dicembre", 6),
        ("3, 4 and 5 October 20:30; 10 and 11 October 16:00 and 20:30", 7),
        ("Fri to Sun from 2 to 4 October at 20:30", 3),
        ("1 maggio 21:00", 1),
        ("mar 21:00 dal 2 al 31 marzo", 5),
    ],
)
def test_weekdays_dates_and_times_come_in_many_orders(line: str, evenings: int) -> None:
    assert len(list_evenings(read_sentence(line, TODAY))) == evenings


@pytest.mark.parametrize(
    ("line", "kind", "what"),
    [
        ("", Misread.NOTHING, ""),
        ("Fri 20:30", Misread.NO_PERIOD, ""),
        ("Fri from 3 to 19 October", Misread.NO_TIME, ""),
        ("Fri 25:30 from 3 to 19 October", Misread.TIME, "25:30"),
        ("Frinight 20:30 from 3 to 19 October", Misread.WORD, "frinight"),
        ("Fri 20:30 from 3 to 31 November", Misread.DATE, "31/11"),
        ("Fri 20:30 from 19 to 3 October", Misread.BACKWARDS, ""),
        ("Fri 20:30 from 19 October 2026 to 3 October 2026", Misread.BACKWARDS, ""),
        ("Fri 20:30 from 3 to 19", Misread.WHICH_MONTH, "3"),
        ("Friday 3 October 20:30", Misread.WEEKDAY, "03/10/2026"),
        ("Fri 20:30 from 3 to 19 October, from 3 to 9 November", Misread.TWO_PERIODS, "from"),
        ("Fri 20:30 from 3 October to 19 November, except the 10th", Misread.DATE, "10"),
        ("Fri 20:30 from 3 to 19 October <script>", Misread.WORD, "<"),
    ],
)
def test_what_is_not_understood_is_named(line: str, kind: Misread, what: str) -> None:
    with pytest.raises(SentenceError) as wrong:
        read_sentence(line, TODAY)
    assert (wrong.value.kind, wrong.value.what) == (kind, what)


@given(st.text(max_size=80) | st.lists(st.sampled_from(
    ["fri", "dom", "20:30", "3", "10", "october", "dal", "al", "to", "-", "except", "tranne", ";", ",", "2026",
     "31/12", "and", "alle", "every", "day", "am", "4pm", "plus", "2026-10-03", "29", "february"]
), max_size=14).map(" ".join))  # fmt: skip
def test_any_line_is_read_or_refused(line: str) -> None:
    try:
        run = read_sentence(line, TODAY)
        list_evenings(run)
    except (SentenceError, TooManyEvenings):
        return
    assert run.weekly or run.extra


WEEKDAY_NAMES = ("mon", "martedì", "Wednesday", "gio", "Fri", "sabato", "sundays")
runs = st.builds(
    Run,
    weekly=st.frozensets(
        st.tuples(st.integers(0, 6), st.times().map(lambda t: t.replace(second=0, microsecond=0))),
        min_size=1,
        max_size=5,
    ),
    first=st.dates(date(2026, 8, 1), date(2027, 7, 1)),
    last=st.dates(date(2027, 7, 2), date(2027, 12, 31)),
)


@given(runs)
def test_a_run_survives_being_written_and_read(run: Run) -> None:
    days = " ".join(f"{WEEKDAY_NAMES[day]} {at:%H:%M}" for day, at in sorted(run.weekly))
    line = f"{days} from {run.first:%d/%m/%Y} to {run.last:%d/%m/%Y}"
    assert read_sentence(line, TODAY) == run


@given(runs, st.lists(st.dates(date(2026, 8, 1), date(2027, 12, 31)), max_size=5))
def test_a_run_is_its_weekdays_within_its_days_and_no_others(run: Run, free: list[date]) -> None:
    run = Run(run.weekly, run.first, run.last, frozenset(free))
    walls = list_evenings(run)
    assert walls == sorted(set(walls))
    assert run.first is not None
    assert run.last is not None
    every = (run.first + timedelta(days=n) for n in range((run.last - run.first).days + 1))
    wanted = {
        datetime.combine(day, at)
        for day in every
        for weekday, at in run.weekly
        if day.weekday() == weekday and day not in free
    }
    assert set(walls) == wanted
    useless = set(useless_exceptions(run))
    without = Run(run.weekly, run.first, run.last)
    played = {wall.date() for wall in list_evenings(without)}
    assert useless == set(free) - played


def test_a_run_has_an_end() -> None:
    every_day = frozenset((day, time(20)) for day in range(7))
    long = Run(every_day, date(2026, 8, 1), date(2026, 8, 1) + timedelta(days=MAX_EVENINGS))
    with pytest.raises(TooManyEvenings):
        list_evenings(long)
    with pytest.raises(TooManyEvenings):
        list_evenings(Run(every_day, date(2026, 8, 1), date(9999, 12, 31)))


def test_lists_of_times_and_days_are_read() -> None:
    assert read_times("16:00 e 20.30, alle 22") == [time(16), time(20, 30), time(22)]
    first, last = date(2026, 10, 3), date(2026, 11, 5)
    assert read_exceptions("il 10, 12 ottobre e 1/11", first, last) == {
        date(2026, 10, 10),
        date(2026, 10, 12),
        date(2026, 11, 1),
    }
    for wrong in ("20:30", "Mondays", "5"):  # the 5th is in October and in November
        with pytest.raises(SentenceError):
            read_exceptions("4, 5" if wrong == "5" else wrong, first, last)


walls = st.datetimes(local("2026-08-02 00:00"), local("2029-12-31 00:00")).map(
    lambda wall: wall.replace(second=0, microsecond=0)
)


@given(walls | st.sampled_from([local("2027-03-28 02:30"), local("2027-10-31 02:30")]))
def test_an_evening_is_at_its_local_time_or_refused_when_the_clocks_change(wall: datetime) -> None:
    times = resolve_times(wall, BookingTimes(), ROME, AT)
    if times.fault in (Fault.SKIPPED, Fault.TWICE):
        wrong = NoSuchTime if times.fault is Fault.SKIPPED else AmbiguousTime
        with pytest.raises(wrong):
            from_local(wall, ROME)
        return
    assert times.fault is None
    assert times.starts_at is not None
    assert times.starts_at.astimezone(ROME).replace(tzinfo=None) == wall
    assert times.closes_at == times.starts_at - timedelta(hours=1)


def test_booking_opens_days_before_at_the_same_local_time() -> None:
    times = resolve_times(local("2026-10-30 20:30"), BookingTimes(opens_days=10), ROME, AT)
    assert times.opens_at is not None
    assert f"{times.opens_at.astimezone(ROME):%d %H:%M}" == "20 20:30"


@pytest.mark.parametrize(
    ("booking", "fault"),
    [
        (BookingTimes(opens_at=datetime(2026, 10, 3, 20, tzinfo=ROME)), Fault.NO_TIME_TO_BOOK),
        (BookingTimes(closes_before=timedelta(minutes=-1)), Fault.CLOSES_AFTER_CURTAIN),
        (BookingTimes(opens_days=0), Fault.NO_TIME_TO_BOOK),
        (BookingTimes(opens_days=1), None),
    ],
)
def test_a_booking_window_that_cannot_be_is_named(
    booking: BookingTimes, fault: Fault | None
) -> None:
    assert resolve_times(local("2026-10-03 20:30"), booking, ROME, AT).fault is fault


def facts(starts_at: datetime, **more: object) -> EveningFacts:
    known = {"venue_id": 1, "capacity": 50, "party_limit": 6} | more
    opens, closes = starts_at - timedelta(days=20), starts_at - timedelta(hours=1)
    return EveningFacts(starts_at, opens, closes, **known)  # type: ignore[arg-type]


@given(walls, st.integers(-30, 30))
def test_a_shift_by_days_keeps_the_time_of_day(wall: datetime, days: int) -> None:
    resolved = resolve_times(wall, BookingTimes(), ROME, AT)
    if resolved.starts_at is None:
        return
    before = facts(resolved.starts_at)
    after, fault = change_evening(before, RunChange(days=days), ROME, AT)
    if fault:
        assert after == before
        assert fault in (Fault.SKIPPED, Fault.TWICE, Fault.PAST)
        return
    local = after.starts_at.astimezone(ROME).replace(tzinfo=None)
    assert local == wall + timedelta(days=days)
    assert before.starts_at - before.booking_closes_at == after.starts_at - after.booking_closes_at


def test_a_shift_into_the_change_of_clocks_is_refused() -> None:
    late = facts(datetime(2027, 3, 27, 2, 30, tzinfo=ROME).astimezone(UTC))
    assert change_evening(late, RunChange(days=1), ROME, AT)[1] is Fault.SKIPPED
    autumn = facts(datetime(2027, 10, 30, 2, 30, tzinfo=ROME).astimezone(UTC))
    assert change_evening(autumn, RunChange(days=1), ROME, AT)[1] is Fault.TWICE


def test_what_is_over_or_cancelled_is_not_changed() -> None:
    gone = facts(AT - timedelta(hours=1))
    assert change_evening(gone, RunChange(capacity=1), ROME, AT) == (gone, Fault.PAST)
    off = facts(AT + timedelta(days=30), cancelled_at=AT)
    assert change_evening(off, RunChange(cancel=True), ROME, AT) == (off, Fault.CANCELLED)
