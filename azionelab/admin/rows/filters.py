"""Filters of the back office's lists: one choice each, sent by a GET form."""

from datetime import timedelta
from typing import Any

from flask_admin.contrib.sqla.filters import FilterEqual
from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.web.dates import format_date, format_time

_RECENT = timedelta(days=60)  # older performances are not offered


class ChoiceFilter(FilterEqual):  # type: ignore[misc]  # Flask-Admin's filters have no types
    """Rows whose `column` is one of fixed values, given with their names."""

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
    """Rows of one coming or recent performance."""

    def __init__(self, column: InstrumentedAttribute[int]) -> None:
        super().__init__(column, _("Performance"), {})

    def choices(self) -> dict[str, str]:
        """The performances' ids and labels."""
        performances = db.session.scalars(
            select(Performance)
            .options(joinedload(Performance.show))
            .where(Performance.starts_at > now() - _RECENT)
            .order_by(Performance.starts_at, Performance.id)
        )
        return {str(row.id): describe_performance(row) for row in performances}

    def clean(self, value: str) -> Any:
        """The id, empty for all; raises ValueError for a performance that is not offered."""
        chosen = super().clean(value)
        return int(chosen) if chosen else ""


def describe_performance(performance: Performance) -> str:
    """A performance in one line: show, date and time."""
    curtain = performance.starts_at
    return f"{performance.show.title}, {format_date(curtain, 'medium')}, {format_time(curtain)}"
