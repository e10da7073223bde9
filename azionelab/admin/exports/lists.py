"""A list of the back office as a file: its rows as they are filtered, searched and sorted."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar

from flask import Response, abort
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.model.base import ViewArgs
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm import Query

from azionelab.admin.exports.downloads import FileKind, download_table
from azionelab.admin.exports.tables import Cell
from azionelab.admin.guard import needs
from azionelab.database import now
from azionelab.staff.rights import Right
from azionelab.web.dates import format_timestamp

_BATCH = 500  # rows


class ExportedList(ModelView):  # type: ignore[misc]  # Flask-Admin's views have no types
    """A list with downloads. `column_export_list` names the file's columns where they are not the page's."""

    export_types: ClassVar = ["csv", "xlsx"]

    @expose("/export/<export_type>/")
    @needs(Right.EXPORT)
    def export(self, export_type: str) -> Response:
        """The rows of the list as CSV, streamed, or as XLSX."""
        if export_type not in self.export_types:
            abort(404)
        kind: FileKind = "csv" if export_type == "csv" else "xlsx"
        return self.export_file(kind, self._get_list_extra_args())

    def export_file(
        self,
        kind: FileKind,
        asked: ViewArgs | None = None,
        narrow: Callable[[Query[Any]], Query[Any]] = lambda rows: rows,
    ) -> Response:
        """The rows as a file: filtered, searched and sorted as `asked`, of which `narrow` keeps some."""
        head = [str(title) for _column, title in self._export_columns]
        stem = f"{self.url.rpartition('/')[2]}-{format_timestamp(now())[:10]}"
        rows = self._export_rows(asked or ViewArgs(), narrow)
        return download_table((head, rows), kind, stem, str(self.name))

    def _export_rows(
        self, asked: ViewArgs, narrow: Callable[[Query[Any]], Query[Any]]
    ) -> Iterator[list[Cell]]:
        # The query is made when the first row is read: a streamed answer has a session of its own, and the view's is
        # closed by then.
        column = self._get_column_by_idx(asked.sort)
        _count, query = self.get_list(
            0,
            column and column[0],
            asked.sort_desc,
            asked.search,
            asked.filters,
            execute=False,
            page_size=0,
        )
        for row in narrow(query).yield_per(_BATCH):
            yield [self._export_cell(row, name) for name, _title in self._export_columns]

    def _export_cell(self, row: Any, name: str) -> Cell:
        value = self._get_field_value(row, name)
        if value is None or isinstance(value, datetime):
            return value
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        if isinstance(value, int | float):
            return value
        text = self.get_list_value(None, row, name)
        # Markup is for the page; the file takes the value itself.
        return str(value if isinstance(text, Markup) else text)
