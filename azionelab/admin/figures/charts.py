"""Charts as tables: the page shows each table, and a script draws it (static_frontend/src/office/charts.ts)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import url_for
from flask_babel import gettext, ngettext

from azionelab.checkin.house.counts import HouseCounts
from azionelab.reports.audience import EARLIEST, LATEST, LEAD_DAYS, STEP, Attendance
from azionelab.reports.booking_pace import DAYS, Pace, typical_pace
from azionelab.shows.models import Performance
from azionelab.web.dates import format_date, format_time

_EARLIER = 20  # evenings that a pace is compared with


@dataclass(frozen=True)
class Row:
    """One point of the horizontal axis, and a figure for each series; None where there is none.

    The axis has the label's `short` form, if there is one.
    """

    label: str
    figures: Sequence[int | None]
    short: str = ""
    address: str | None = None


@dataclass(frozen=True)
class Chart:
    """A chart: `kind` is line, bars or stacked. Each of the `series` has a name and its colour's name."""

    name: str
    kind: str
    title: str
    about: str
    axis: str  # what the rows are
    series: Sequence[tuple[str, str]]
    rows: Sequence[Row] = field(default_factory=list)
    unit: str = ""
    names_axis: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(figure for row in self.rows for figure in row.figures)


def pace_chart(
    coming: Sequence[Performance], earlier: Sequence[Performance], paces: Mapping[int, Pace]
) -> Chart:
    """How the next evenings fill, beside what earlier ones had at the same point."""
    shown = list(coming[:2])
    compared = list(earlier[-_EARLIER:])
    typical = typical_pace(paces[each.id] for each in compared) if compared else []
    colours = ("first", "second")
    series = [
        (f"{each.show.title}, {format_date(each.starts_at, 'EEE d MMM')}", colour)
        for each, colour in zip(shown, colours, strict=False)
    ]
    lines = [paces[each.id] for each in shown]
    if typical:
        series.append(
            (gettext("Earlier evenings, median of %(num)s", num=len(compared)), "typical")
        )
        lines.append(typical)
    rows = [
        Row(_days_before(DAYS - place), [line[place] for line in lines], str(DAYS - place))
        for place in range(DAYS + 1)
    ]
    return Chart(
        "pace",
        "line",
        gettext("How the next evenings fill"),
        gettext("Seats that are confirmed, in percent of the house, by days before the curtain."),
        gettext("Days before the curtain"),
        series,
        rows,
        unit="%",
    )


def fill_chart(
    performances: Sequence[Performance], counts: Mapping[int, HouseCounts], at: datetime
) -> Chart:
    """Who came and who is expected, evening by evening."""
    rows = []
    for each in performances:
        if each.cancelled_at is not None:
            continue
        house = counts[each.id]
        is_over = each.ends_at <= at
        came = house.inside if each.starts_at <= at else None
        away = house.to_come + house.released if is_over else None
        expected = None if is_over else house.to_come
        pending = None if is_over else house.pending
        known = (came or 0) + (away or 0) + (expected or 0) + (pending or 0)
        free = max(0, house.capacity - known)
        rows.append(_evening_row(each, [came, away, expected, pending, free]))
    return Chart(
        "fill",
        "stacked",
        gettext("The season, evening by evening"),
        gettext("People and seats of each evening, in the house and free."),
        gettext("Evening"),
        [
            (gettext("Came"), "came"),
            (gettext("Did not come"), "away"),
            (gettext("Expected"), "confirmed"),
            (gettext("Not confirmed yet"), "pending"),
            (gettext("Free"), "free"),
        ],
        rows,
        names_axis=False,
    )


def _evening_row(performance: Performance | Attendance, figures: Sequence[int | None]) -> Row:
    moment = performance.starts_at
    identity = (
        performance.id if isinstance(performance, Performance) else performance.performance_id
    )
    return Row(
        f"{format_date(moment, 'EEE d MMM')}, {format_time(moment)}",
        figures,
        format_date(moment, "d MMM"),
        url_for("admin_evening.show", performance_id=identity),
    )


def lead_labels() -> list[str]:
    """The names of the classes of lead time."""
    labels = [gettext("the same day")]
    for place, first in enumerate(LEAD_DAYS):
        last = LEAD_DAYS[place + 1] - 1 if place + 1 < len(LEAD_DAYS) else None
        if last is None:
            labels.append(gettext("%(num)s days and more", num=first))
        elif last == first:
            labels.append(ngettext("%(num)s day", "%(num)s days", first))
        else:
            labels.append(gettext("%(first)s to %(last)s days", first=first, last=last))
    return labels


def lead_chart(seats: Sequence[int]) -> Chart:
    """How early people book."""
    return Chart(
        "lead",
        "bars",
        gettext("How early people book"),
        gettext("Confirmed seats, by how long before the curtain they were booked."),
        gettext("Before the curtain"),
        [(gettext("Seats"), "confirmed")],
        [Row(label, [number]) for label, number in zip(lead_labels(), seats, strict=True)],
    )


def arrivals_chart(people: Mapping[int, int]) -> Chart:
    """When people arrive."""
    minutes = int(STEP.total_seconds()) // 60
    rows = []
    for first, number in people.items():
        label = f"{first:+d}" if first else "0"
        if first == EARLIEST:
            label = gettext("%(minutes)s and before", minutes=first)
        elif first == LATEST:
            label = gettext("%(minutes)s and later", minutes=f"+{first}")
        rows.append(Row(label.replace("-", "−"), [number]))
    return Chart(
        "arrivals",
        "bars",
        gettext("When people arrive"),
        gettext(
            "People admitted, in steps of %(minutes)s minutes from the curtain (0).",
            minutes=minutes,
        ),
        gettext("Minutes from the curtain"),
        [(gettext("People"), "came")],
        rows,
    )


def no_show_chart(attendances: Sequence[Attendance]) -> Chart:
    """Who did not come, evening by evening."""
    rows = [
        _evening_row(each, [round(100 * each.stayed_away / each.booked) if each.booked else None])
        for each in attendances
    ]
    return Chart(
        "no-shows",
        "bars",
        gettext("Who did not come"),
        gettext(
            "Booked people who did not come, in percent. Evenings without a check-in are left out."
        ),
        gettext("Evening"),
        [(gettext("No-shows"), "away")],
        rows,
        unit="%",
        names_axis=False,
    )


def _days_before(days: int) -> str:
    if days == 0:
        return gettext("curtain")
    return ngettext("%(num)s day", "%(num)s days", days)
