"""How many people may wait at the door for seats of no-shows: advice from the record, as a picture and a table."""

from dataclasses import dataclass

from flask import current_app
from flask_admin import expose
from flask_babel import gettext, ngettext

from azionelab.admin.performance_day.base import PerformancePages, get_performance
from azionelab.admin.performance_day.drawings import draw_absences
from azionelab.admin.season_report.texts import format_number
from azionelab.checkin.house.counts import house_counts
from azionelab.database import now
from azionelab.reports.no_show_model import Forecast
from azionelab.reports.standby import FEWEST, LEVEL, Advice, Basis, standby_advice

_ROWS = 9
_TABLE_TO = 0.95  # of the evenings: the table goes as far as these need
_FEWER = 0.5  # of the usual no-shows: an evening unlike the others


@dataclass(frozen=True)
class Row:
    """What so many standby places do, in words."""

    standby: int
    all_seated: str
    turned_away: str
    left_empty: str


class StandbyPages(PerformancePages):
    """The advice for people who wait at the door."""

    @expose("/<int:performance_id>/standby")
    def standby(self, performance_id: int) -> str:
        """Show how many standby places the record supports, and what it costs to be wrong."""
        performance = get_performance(performance_id)
        at = now()
        counts = house_counts([performance_id], at)[performance_id]
        expected = counts.expected - counts.walk_ins + counts.released
        zone = current_app.config["AZIONELAB"].time_zone
        advice = standby_advice(performance, expected, at, zone)
        forecast = advice.forecast
        return self.page(
            "standby",
            performance,
            is_played=performance.ends_at > at and not performance.cancelled_at,
            counts=counts,
            advice=advice,
            fewest=FEWEST,
            basis=_describe_basis(advice),
            expects=_describe_forecast(advice, forecast) if forecast else "",
            means=_describe_advice(advice.standby, forecast) if forecast else [],
            rows=_rows(forecast, advice.standby) if forecast else [],
            chart=draw_absences(forecast, advice.standby) if forecast else None,
        )


def _describe_basis(advice: Advice) -> str:
    """Which evenings are compared, and how many people stayed away from them."""
    number = len(advice.evenings)
    if advice.basis is Basis.SHOW:
        which = ngettext(
            "Compared with %(num)s evening of this show.",
            "Compared with the last %(num)s evenings of this show.",
            number,
        )
    elif advice.basis is Basis.WEEKDAY:
        which = ngettext(
            "Compared with %(num)s evening on the same weekday in this venue.",
            "Compared with the last %(num)s evenings on the same weekday in this venue.",
            number,
        )
    else:
        which = ngettext(
            "Compared with %(num)s evening of all shows.",
            "Compared with the last %(num)s evenings of all shows.",
            number,
        )
    expected = sum(each.expected for each in advice.evenings)
    if not expected:
        return which
    absent = sum(each.absent for each in advice.evenings)
    share = gettext(
        "%(absent)s of %(expected)s booked people stayed away (%(share)s%%).",
        absent=format_number(absent),
        expected=format_number(expected),
        share=format_number(100 * absent / expected),
    )
    return f"{which} {share}"


def _describe_forecast(advice: Advice, forecast: Forecast) -> str:
    low, high = forecast.interval(LEVEL)
    return gettext(
        "%(expected)s people are booked now. On average %(mean)s of them will stay away; on %(level)s of 100 evenings"
        " from %(low)s to %(high)s.",
        expected=format_number(advice.expected),
        mean=format_number(forecast.mean),
        level=format_number(100 * LEVEL),
        low=low,
        high=high,
    )


def _describe_advice(standby: int, forecast: Forecast) -> list[str]:
    """What the advised number does, and what it costs when the evening is unlike the others."""
    return [
        gettext(
            "On %(chance)s of 100 evenings all of them get a seat. On average %(turned)s are turned away, and"
            " %(empty)s seats of people who stay away remain empty.",
            chance=format_number(100 * forecast.all_seated(standby)),
            turned=format_number(forecast.turned_away(standby), 1),
            empty=format_number(forecast.left_empty(standby), 1),
        ),
        gettext(
            "If only half as many people as usual stay away, %(turned)s of them are turned away on average.",
            turned=format_number(forecast.thinned(_FEWER).turned_away(standby), 1),
        ),
    ]


def _rows(forecast: Forecast, standby: int) -> list[Row]:
    last = forecast.interval(_TABLE_TO)[1]
    step = max(1, -(-last // _ROWS))
    return [
        Row(
            number,
            f"{format_number(100 * forecast.all_seated(number))}%",
            format_number(forecast.turned_away(number), 1),
            format_number(forecast.left_empty(number), 1),
        )
        for number in sorted({*range(0, last + 1, step), standby})
    ]
