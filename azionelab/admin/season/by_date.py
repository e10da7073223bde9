"""The list of performances by date: coming ones with the next first, past ones with the latest first, or all."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, true

from azionelab.admin.rows.base import TheatreView
from azionelab.database import now
from azionelab.shows.models import Performance, Show

_PARAMETER = "when"  # of the address
_STILL_ON = timedelta(hours=12)  # after the curtain, an evening is not past yet
COMING, PAST, ALL = "coming", "past", "all"


class ListByDate(TheatreView):
    """A list of performances with a tab for those to come, which is the usual one, and for past ones.

    Those of archived shows are in the tab of all.
    """

    tabs_parameter = _PARAMETER

    def tabs(self) -> dict[str, Any]:
        """The tabs and their names; the address of the first does not name it."""
        return {COMING: _("Coming"), PAST: _("Past"), ALL: _("All")}

    def tab(self) -> str:
        """The chosen tab."""
        chosen = request.args.get(_PARAMETER, COMING)
        return chosen if chosen in (COMING, PAST, ALL) else COMING

    def get_query(self) -> Any:
        """The performances of the tab."""
        return super().get_query().filter(self._chosen())

    def _chosen(self) -> ColumnElement[bool]:
        begin = now() - _STILL_ON
        match self.tab():
            case "past":
                return (Performance.starts_at < begin) & ~Performance.show.has(Show.is_archived)
            case "all":
                return true()
            case _:
                return Performance.starts_at >= begin

    def _get_default_order(self) -> Iterator[tuple[Any, list[Any], bool]]:
        yield Performance.starts_at, [], self.tab() != COMING
