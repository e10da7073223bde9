"""Coordinates of charts that templates draw as SVG: arrivals, and how many people stay away."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext, ngettext

from azionelab.checkin.house.figures import STEP, Arrivals
from azionelab.reports.no_show_model import Forecast
from azionelab.web.dates import format_time

# The SVG's view box, scaled to the page's width.
WIDTH, HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 8, 36, 40
_AROUND = timedelta(hours=4)  # of the curtain; a longer axis would squeeze the bars
_BEFORE, _AFTER = (
    timedelta(minutes=60),
    timedelta(minutes=15),
)  # always shown, even without arrivals
_TICKS = [timedelta(minutes=minutes) for minutes in (15, 30, 60)]
_MOST_TICKS = 9
_MOST_BARS = 60
_SHOWN = 0.99  # of the evenings


@dataclass(frozen=True)
class Bar:
    """The arrivals within one STEP."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True)
class Mark:
    """A grid line at coordinate `place`. Small pages hide the labels of `minor` ones."""

    place: float
    label: str
    minor: bool = False


@dataclass(frozen=True)
class Chart:
    """Arrivals around the curtain; `elsewhere` counts people outside the shown hours."""

    bars: list[Bar]
    hours: list[Mark]
    levels: list[Mark]
    curtain: float
    elsewhere: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


@dataclass(frozen=True)
class AbsenceBar(Bar):
    """The chance of one number of absent people, or of some; `is_short` if standby people are turned away then."""

    is_short: bool


@dataclass(frozen=True)
class AbsenceChart:
    """How likely each number of absent people is, with a line at the standby places."""

    bars: list[AbsenceBar]
    people: list[Mark]
    levels: list[Mark]
    standby: float
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


def draw_absences(forecast: Forecast, standby: int) -> AbsenceChart:
    """Lay out the chart of a forecast, for so many standby places."""
    last = forecast.interval(_SHOWN)[1]
    wide = 1 + last // _MOST_BARS
    firsts = range(0, last + 1, wide)
    chances = [100 * sum(forecast.chances[first : first + wide]) for first in firsts]
    most = max(1, *chances)

    def across(people: float) -> float:
        return _LEFT + people / (firsts[-1] + wide) * (WIDTH - _LEFT - _RIGHT)

    def up(percent: float) -> float:
        return HEIGHT - _BOTTOM - percent / most * (HEIGHT - _TOP - _BOTTOM)

    return AbsenceChart(
        bars=[
            AbsenceBar(
                x=across(first) + 1,
                y=up(chance),
                width=across(wide) - across(0) - 2,
                height=up(0) - up(chance),
                label=f"{_range(first, first + wide - 1)}: {chance:.1f}%",
                is_short=first < standby,
            )
            for first, chance in zip(firsts, chances, strict=True)
        ],
        people=[
            Mark(across(first + wide / 2), str(first), minor=number % 2 == 1)
            for number, first in enumerate(firsts[:: max(1, -(-len(firsts) // _MOST_TICKS))])
        ],
        levels=[Mark(up(level), f"{level:.0f}") for level in (0, most)],
        standby=across(standby),
    )


def _range(first: int, last: int) -> str:
    if first == last:
        return _people(first)
    return gettext("%(first)s to %(last)s people", first=first, last=last)


def draw_arrivals(arrivals: list[Arrivals], curtain: datetime) -> Chart:
    """Lay out the arrivals chart, a bar for each STEP."""
    shown = [step for step in arrivals if abs(step.at - curtain) <= _AROUND]
    begin = min([step.at for step in shown] + [curtain - _BEFORE])
    end = max([step.at + STEP for step in shown] + [curtain + _AFTER])
    most = _round_up(max((step.people for step in shown), default=0))

    def across(moment: datetime) -> float:
        return _LEFT + (moment - begin) / (end - begin) * (WIDTH - _LEFT - _RIGHT)

    def up(people: float) -> float:
        return HEIGHT - _BOTTOM - people / most * (HEIGHT - _TOP - _BOTTOM)

    every = next((tick for tick in _TICKS if (end - begin) / tick <= _MOST_TICKS), _TICKS[-1])
    return Chart(
        bars=[
            Bar(
                x=across(step.at) + 1,
                y=up(step.people),
                width=across(step.at + STEP) - across(step.at) - 2,
                height=up(0) - up(step.people),
                label=f"{format_time(step.at)}: {_people(step.people)}",
            )
            for step in shown
        ],
        hours=[
            Mark(across(moment), format_time(moment), minor=number % 2 == 1)
            for number, moment in enumerate(_ticks(begin, end, every))
        ],
        levels=[Mark(up(level), str(level)) for level in (0, most // 2, most)],
        curtain=across(curtain),
        elsewhere=sum(step.people for step in arrivals) - sum(step.people for step in shown),
    )


def _ticks(begin: datetime, end: datetime, every: timedelta) -> list[datetime]:
    """The full quarters, half hours or hours between two moments."""
    past = timedelta(minutes=begin.minute, seconds=begin.second, microseconds=begin.microsecond)
    first = begin - past
    count = int((end - first) / every)
    return [
        moment for number in range(count + 1) if begin <= (moment := first + number * every) < end
    ]


def _round_up(people: int) -> int:
    """The next even number that is easy to halve: 10, 20, 30, 40, 60, 80, 100, 200 ..."""
    unit = 10
    while people > 10 * unit:
        unit *= 10
    return next(top * unit for top in (1, 2, 3, 4, 6, 8, 10) if people <= top * unit)


def _people(number: int) -> str:
    return ngettext("%(num)s person", "%(num)s people", number)
