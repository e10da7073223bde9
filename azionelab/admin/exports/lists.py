"""A list of the back office as a file: its rows as they are filtered, searched and sorted."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from flask import Response, abort, flash, redirect, request
from flask_admin import expose
from flask_admin.model.base import ViewArgs
from flask_babel import get_locale, gettext
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy.orm import Query
from werkzeug.wrappers import Response as AnyResponse

from azionelab.admin.exports.downloads import FileKind, download_table
from azionelab.admin.exports.tables import Cell
from azionelab.admin.guard import needs
from azionelab.admin.rows.paging import PagedList
from azionelab.database import now
from azionelab.exports.rules import TooManyFiles, Wanted, request_file
from azionelab.staff.rights import Right
from azionelab.web.dates import format_timestamp

ROWS_AT_ONCE = 5_000  # of a workbook; the worker makes a longer one
_BATCH = 500  # rows


class ExportedList(PagedList):
    """A list with downloads. `column_export_list` names the file's columns where they are not the page's."""

    export_types: ClassVar = ["csv", "xlsx"]

    @expose("/export/<export_type>/")
    @needs(Right.EXPORT)
    def export(self, export_type: str) -> Response | str:
        """The rows of the list as CSV, streamed, or as XLSX; a long XLSX is asked for on a page."""
        if export_type not in self.export_types:
            abort(404)
        kind: FileKind = "csv" if export_type == "csv" else "xlsx"
        asked = self._get_list_extra_args()
        if kind == "xlsx" and (count := self._find_rows(asked).count()) > ROWS_AT_ONCE:
            page: str = self.render("admin/exports/ask.html", count=count, file_id=uuid4())
            return page
        return self.export_file(kind, asked)

    @expose("/export/make/", methods=("POST",))
    @needs(Right.EXPORT)
    def make_file(self) -> AnyResponse:
        """Let the worker make a workbook of the list, and lead to its progress."""
        try:
            file_id = UUID(request.form.get("file", ""))
        except ValueError:
            file_id = uuid4()
        asked = self._get_list_extra_args()
        # The search stays out of addresses; the worker is given its text.
        shown = {
            name: value
            for name, value in request.args.items()
            if name != "find" and "\0" not in name + value  # the database keeps no such character
        }
        wanted = Wanted(
            self.endpoint,
            shown | {"lang": str(get_locale())},
            asked.search or "",
            f"{self._export_stem()}.xlsx",
            self._find_rows(asked).count(),
        )
        try:
            request_file(file_id, current_user.id, wanted)
        except TooManyFiles:
            flash(
                gettext("Several files of yours are being made already: wait for one of them."),
                "error",
            )
            return redirect(self.get_url(".index_view", **request.args.to_dict()))
        return redirect(self.get_url("admin_files.progress", file_id=file_id))

    def export_file(
        self,
        kind: FileKind,
        asked: ViewArgs | None = None,
        narrow: Callable[[Query[Any]], Query[Any]] = lambda rows: rows,
    ) -> Response:
        """The rows as a file: filtered, searched and sorted as `asked`, of which `narrow` keeps some."""
        table = self._export_head(), self._export_rows(asked or ViewArgs(), narrow)
        return download_table(table, kind, self._export_stem(), str(self.name))

    def export_table(self, search: str) -> tuple[list[str], Iterator[list[Cell]]]:
        """The headings and rows of the list that the request names, where `search` is found if not empty."""
        asked = self._get_list_extra_args()
        asked.search = search or None
        return self._export_head(), self._export_rows(asked)

    def _export_head(self) -> list[str]:
        return [str(title) for _column, title in self._export_columns]

    def _export_stem(self) -> str:
        return f"{self.url.rpartition('/')[2]}-{format_timestamp(now())[:10]}"

    def _export_rows(
        self,
        asked: ViewArgs,
        narrow: Callable[[Query[Any]], Query[Any]] = lambda rows: rows,
    ) -> Iterator[list[Cell]]:
        # The query is made when the first row is read: a streamed answer has a session of its own, and the view's is
        # closed by then.
        for row in narrow(self._find_rows(asked)).yield_per(_BATCH):
            yield [self._export_cell(row, name) for name, _title in self._export_columns]

    def _find_rows(self, asked: ViewArgs) -> Query[Any]:
        column = self._get_column_by_idx(asked.sort)
        return self.find_rows(column and column[0], asked.sort_desc, asked.search, asked.filters)

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
