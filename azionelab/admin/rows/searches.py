"""Search in the back office's lists. The session keeps the text; the address has a random id for it.

Names must not get into addresses and logs, yet a page of results needs an address of its own, to be paged,
sorted, filtered, and come back to.
"""

import secrets
from typing import Any

from flask import Flask, flash, redirect, request, session
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from flask_admin.model.base import ViewArgs
from flask_babel import gettext
from flask_login import current_user, user_logged_out
from sqlalchemy import ColumnElement, or_
from werkzeug.wrappers import Response

from azionelab.admin.guard import only_reads
from azionelab.admin.rows.addresses import kept_arguments
from azionelab.checkin.house.name_matching import name_matches_sql

PARAMETER = "find"  # of an address
MAX_TEXT = 100  # characters; names are shorter, and a cookie holds 4 KB
_KEPT = 8  # of each session, the newest
_SEARCHES = "searches"
_LITERAL = ("email", "reference")  # columns without accents; folding them would take its time
_OF_ONE_RESULT = ("page", PARAMETER)  # dropped from the address when another search begins


class SearchedView(ModelView):  # type: ignore[misc]  # Flask-Admin's views have no types
    """A list whose search keeps names out of addresses."""

    @expose("/find/", methods=("POST",))
    @only_reads
    def find_view(self) -> Response:
        """Keep the text and redirect to its results, whose address does not hold it."""
        text = request.form.get("search", "").replace("\0", "").strip()
        shown = {
            name: value for name, value in kept_arguments().items() if name not in _OF_ONE_RESULT
        }
        if text:
            shown[PARAMETER] = keep_search(self.endpoint, text)
        return redirect(self.get_url(".index_view", **shown), 303)

    def _apply_search(self, query: Any, count: Any, joins: Any, counted: Any, search: str) -> Any:
        # Each word in some column, as the door finds names. Flask-Admin's own LIKE would not find "Così" by
        # "cosi", and would take % and _ for wildcards.
        for word in search.split():
            query, joins, found = self._search_columns(query, joins, word)
            query = query.filter(found)
        return query, count, joins, counted

    def _search_columns(
        self, query: Any, joins: Any, word: str
    ) -> tuple[Any, Any, ColumnElement[bool]]:
        """The query joined with the searched tables, and the condition that one of their columns has the word."""
        conditions = []
        for column, path in self._search_fields:
            query, joins, alias = self._apply_path_joins(query, joins, path, inner_join=False)
            searched = column if alias is None else getattr(alias, column.key)
            conditions.append(searched.icontains(word, autoescape=True))
            if column.key not in _LITERAL:
                conditions.append(name_matches_sql(searched, word))
        return query, joins, or_(*conditions)

    def _get_list_extra_args(self) -> ViewArgs:
        args = super()._get_list_extra_args()
        kept = kept_arguments()
        args.extra_args = {name: kept[name] for name in args.extra_args if name in kept}
        identity = args.extra_args.get(PARAMETER)
        args.search = find_search(self.endpoint, identity) if identity else None
        if identity and args.search is None:
            del args.extra_args[PARAMETER]
            flash(
                gettext(
                    "This search has expired or belongs to another login. Please search again."
                ),
                "warning",
            )
        return args

    def _get_list_url(self, view_args: ViewArgs) -> str:
        return str(super()._get_list_url(view_args.clone(search=None)))


def init_searches(app: Flask) -> None:
    """Delete a person's searches when they log out."""
    user_logged_out.connect(_forget, app)


def keep_search(view: str, text: str) -> str:
    """Store the search text of a list in the session; returns its id."""
    kept = [list(search) for search in session.get(_SEARCHES, [])]
    wanted = [current_user.id, view, text[:MAX_TEXT]]
    known = next((identity for identity, *search in kept if search == wanted), None)
    identity = known or secrets.token_urlsafe(9)
    others = [search for search in kept if search[0] != identity]
    session[_SEARCHES] = [[identity, *wanted], *others][:_KEPT]
    return identity


def find_search(view: str, identity: str) -> str | None:
    """The search text stored under an id for this person and list; None when there is none."""
    for kept, owner, where, text in session.get(_SEARCHES, []):
        if (kept, owner, where) == (identity, current_user.id, view):
            return str(text)
    return None


def _forget(_app: Flask, **_facts: object) -> None:
    session.pop(_SEARCHES, None)
