"""PagedList: the pages of a list, which cost the same however many rows it has."""

from typing import Any

from flask_admin.contrib.sqla import ModelView
from flask_admin.model.base import ViewArgs
from sqlalchemy import func, select
from sqlalchemy.orm import Query

from azionelab.database import db

MOST_PAGED = 10_000  # rows that the pages of a list reach, in each order


class PagedList(ModelView):  # type: ignore[misc]  # Flask-Admin's views have no types
    """A list of which the first rows are counted, sorted and paged; a filter or the other order leads to the rest.

    One of more rows is in the order of an index only: that of `column_default_sort`, or one of `indexed_columns`.
    """

    simple_list_pager = True  # Flask-Admin would count all rows
    most_paged = MOST_PAGED
    indexed_columns: tuple[str, ...] = ()

    def get_list(  # noqa: PLR0917 (Flask-Admin's)
        self,
        page: int | None,
        sort_column: str | None,
        sort_desc: bool,
        search: str | None,
        filters: Any,
        execute: bool = True,
        page_size: int | None = None,
    ) -> tuple[int, Any]:
        """How many rows there are, counted to one more than `most_paged`, and those of a page."""
        rows = self.find_rows(sort_column, sort_desc, search, filters)
        some = rows.order_by(None).limit(self.most_paged + 1).subquery()
        count = db.session.scalar(select(func.count()).select_from(some)) or 0
        if sort_column is not None and not self.can_sort(sort_column, count):
            rows, _joins = self._apply_sorting(rows.order_by(None), {}, None, sort_desc=False)
        rows = self._apply_pagination(rows, page, page_size)
        return count, rows.all() if execute else rows

    def find_rows(
        self, sort_column: str | None, sort_desc: bool, search: str | None, filters: Any
    ) -> Query[Any]:
        """The query that reads all rows."""
        _uncounted, rows = super().get_list(
            None, sort_column, sort_desc, search, filters, execute=False, page_size=0
        )
        query: Query[Any] = rows
        return query

    def can_sort(self, column: str, count: int) -> bool:
        """Whether a list of so many rows can be sorted by a column: a long one not by every one."""
        if count <= self.most_paged:
            return bool(self.is_sortable(column))
        return column == self._usual_column() or column in self.indexed_columns

    def other_order(self) -> int | None:
        """The number of the column that turns the order of the list round; None when it is not listed."""
        names = [name for name, _title in self._list_columns]
        usual = self._usual_column()
        return names.index(usual) if usual in names else None

    def _usual_column(self) -> str | None:
        usual = self.column_default_sort
        return usual if isinstance(usual, str) or usual is None else str(usual[0])

    def _get_list_extra_args(self) -> ViewArgs:
        args = super()._get_list_extra_args()
        last = self.most_paged // self.get_safe_page_size(args.page_size)
        args.page = min(max(args.page, 0), last)
        return args
