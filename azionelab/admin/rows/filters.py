"""Filters of the back office's lists: one choice each, sent by a GET form."""

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import current_app, g
from flask_admin.contrib.sqla.filters import FilterEqual
from flask_babel import lazy_gettext as _
from sqlalchemy import literal, not_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, contains_eager

from azionelab.database import db, now
from azionelab.shows.models import Performance, Show
from azionelab.web.dates import format_date, format_short, format_time
from azionelab.web.pages import MAX_ROW

_RECENT = timedelta(days=60)  # older performances are not offered


class ChoiceFilter(FilterEqual):  # type: ignore[misc]  # Flask-Admin's filters have no types
    """Rows whose `column` is one of fixed values, given with their names."""

    is_day = False

    def __init__(
        self, column: InstrumentedAttribute[Any], name: str, values: dict[str, str]
    ) -> None:
        super().__init__(column, name)
        self._values = values

    def choices(self) -> dict[str, str]:
        """The values and their labels."""
        return self._values

    def clean(self, value: str) -> Any:
        """The value, empty for all; raises ValueError for a value that is not offered."""
        if value and value not in self.choices():
            raise ValueError(value)
        return value


class PerformanceFilter(ChoiceFilter):
    """Rows of one performance; coming and recent ones are offered."""

    def __init__(self, column: InstrumentedAttribute[int]) -> None:
        super().__init__(column, _("Performance"), {})

    @property
    def _chosen(self) -> int:
        """The id in the page's address, which may be older than what is offered; 0 without one."""
        chosen: int = g.get("filtered_performance", 0)
        return chosen

    def choices(self) -> dict[str, str]:
        """The performances' ids and labels, without those of archived shows."""
        offered = (
            select(Performance.id)
            .join(Performance.show)
            .where(Performance.starts_at > now() - _RECENT, not_(Show.is_archived))
        )
        performances = db.session.scalars(
            select(Performance)
            .options(contains_eager(Performance.show))
            .join(Performance.show)
            # One IN of both: for two conditions joined by OR, PostgreSQL reads all performances.
            .where(Performance.id.in_(union_all(offered, select(literal(self._chosen)))))
            .order_by(Performance.starts_at, Performance.id)
        )
        return {str(row.id): shorten_performance(row) for row in performances}

    def clean(self, value: str) -> Any:
        """The id, empty for all; raises ValueError for what is no performance's."""
        if not value:
            return ""
        identity = int(value)
        if not 0 < identity <= MAX_ROW or db.session.get(Performance, identity) is None:
            raise ValueError(value)
        g.filtered_performance = identity
        return identity


class UntilFilter(FilterEqual):  # type: ignore[misc]  # as above
    """Rows of a day and before, by the theatre's calendar: the way to any row of a long list."""

    is_day = True

    def __init__(self, column: InstrumentedAttribute[Any]) -> None:
        super().__init__(column, _("Up to"))

    def apply(self, query: Any, value: date | str, alias: Any = None) -> Any:  # noqa: ARG002 (Flask-Admin's)
        """The query with the condition."""
        if not isinstance(value, date):
            return query
        zone = current_app.config["AZIONELAB"].time_zone
        next_day = datetime.combine(value + timedelta(days=1), time(), zone)
        return query.filter(self.column < next_day)

    def clean(self, value: str) -> date | str:
        """The day, empty for all; raises ValueError for what is no day of the calendar."""
        if not value:
            return ""
        day = date.fromisoformat(value)
        # The last days of the calendar have no day after them.
        if not 1900 <= day.year <= 9000:
            raise ValueError(value)
        return day


def describe_performance(performance: Performance) -> str:
    """A performance in one line: show, date and time."""
    curtain = performance.starts_at
    return f"{performance.show.title}, {format_date(curtain, 'medium')}, {format_time(curtain)}"


def shorten_performance(performance: Performance) -> str:
    """The same for a list, where the current year goes without saying."""
    return f"{performance.show.title}, {format_short(performance.starts_at)}"
