"""The menu's way to book for somebody: choose the performance, the next one first."""

from typing import Any

from flask import redirect, request, url_for
from flask_admin import BaseView, expose
from flask_babel import lazy_gettext as _

from azionelab.admin.box_office.coming import next_performances
from azionelab.admin.guard import Guarded
from azionelab.staff.rights import Right


class BoxOfficeView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """Leads to the booking form of a performance."""

    right = Right.BOOK
    change_right = Right.BOOK

    def __init__(self, group: Any) -> None:
        super().__init__(
            name=_("Book for somebody"), category=group, endpoint="admin_book", url="book"
        )

    @expose("/")
    def index(self) -> Any:
        """Redirect to the form of the performance asked for, or of the next one; say so when there is none."""
        asked = request.args.get("performance", type=int)
        coming = next_performances()
        if asked is None and not coming:
            return self.render("admin/box_office/nothing.html")
        chosen = coming[0].id if asked is None else asked
        return redirect(url_for("admin_evening.book", performance_id=chosen))
