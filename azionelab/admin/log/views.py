"""The page of the log: every change, with filters and a search."""

from datetime import date
from typing import Any

from flask import flash, redirect, request
from flask_admin import BaseView, expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from azionelab.admin.guard import Guarded, only_reads
from azionelab.admin.log.entries import ACCOUNT, Filters, find_entries
from azionelab.admin.log.labels import NEEDED, OBJECT_TYPES
from azionelab.admin.menu import REPORTS
from azionelab.admin.rows.searches import PARAMETER, find_search, keep_search
from azionelab.database.audit import ActorKind
from azionelab.staff.rights import Right, has_right
from azionelab.web.pages import MAX_ROW

_ACTORS: dict[str, str] = {
    ActorKind.STAFF: _("everybody with an account"),
    ActorKind.DOOR: _("phones at the door"),
    ActorKind.API: _("programs with a token"),
    ActorKind.VISITOR: _("visitors"),
    ActorKind.SYSTEM: _("the system"),
}
_KEPT = ("type", "object", "who", "since", "until", "performance", PARAMETER)  # in a page's address
_MAX_ID = 2**63 - 1


class LogView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """The log of changes. Nothing can be changed here."""

    right = change_right = Right.VIEW_LOG

    def __init__(self) -> None:
        super().__init__(name=_("Log"), category=REPORTS, endpoint="admin_log", url="log")

    @expose("/")
    def index(self) -> str:
        """Show a page of entries."""
        errors: dict[str, str] = {}
        filters = self._filters(errors)
        found = find_entries(filters)
        chosen = {name: request.args[name] for name in _KEPT if request.args.get(name)}
        page: str = self.render(
            "admin/log/log.html",
            found=found,
            filters=filters,
            errors=errors,
            types={
                name: label
                for name, label in OBJECT_TYPES.items()
                if name not in NEEDED or has_right(current_user, NEEDED[name])
            },
            actors=_ACTORS,
            account_prefix=ACCOUNT,
            is_filtered=bool(chosen),
            newest_url=self.get_url(".index", **chosen),
            older_url=self.get_url(".index", **chosen, before=found.older),
            find_url=self.get_url(".find_view", **chosen),
        )
        return page

    @expose("/find/", methods=("POST",))
    @only_reads
    def find_view(self) -> Response:
        """Keep the text of a search and redirect to its results, whose address does not hold it."""
        text = request.form.get("search", "").replace("\0", "").strip()
        shown: dict[str, Any] = {
            name: request.args[name]
            for name in _KEPT
            if request.args.get(name) and name != PARAMETER
        }
        if text:
            shown[PARAMETER] = keep_search(self.endpoint, text)
        return redirect(self.get_url(".index", **shown), 303)

    def _filters(self, errors: dict[str, str]) -> Filters:
        asked = request.args
        object_type = asked.get("type", "")
        identity = asked.get(PARAMETER)
        text = find_search(self.endpoint, identity) if identity else None
        if identity and text is None:
            flash(
                gettext(
                    "This search has expired or belongs to another login. Please search again."
                ),
                "warning",
            )
        return Filters(
            object_type if object_type in OBJECT_TYPES else "",
            asked.get("object", "").replace("\0", ""),
            _actor(asked.get("who", "")),
            _day("since", errors),
            _day("until", errors),
            _number("performance", MAX_ROW),
            text or "",
            _number("before", _MAX_ID),
        )


def _actor(asked: str) -> str:
    number = asked.removeprefix(ACCOUNT)
    if asked.startswith(ACCOUNT):
        is_id = number.isascii() and number.isdigit() and int(number) <= MAX_ROW
        return asked if is_id else ""
    return asked if asked in _ACTORS else ""


def _day(name: str, errors: dict[str, str]) -> date | None:
    asked = request.args.get(name, "")
    try:
        day = date.fromisoformat(asked) if asked else None
    except ValueError:
        day = date.min
    # The last days of the calendar have no day after them.
    if day and not date(1900, 1, 1) <= day <= date(9000, 1, 1):
        errors[name] = gettext("This is not a date.")
        return None
    return day


def _number(name: str, most: int) -> int | None:
    asked = request.args.get(name, "")
    is_number = asked.isascii() and asked.isdigit() and len(asked) <= len(str(most))
    return min(int(asked), most) if is_number else None
