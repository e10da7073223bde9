"""The page of the queue: lines that there are, opening one, its pace, ending it and taking that back."""

from typing import Any

from flask import flash, redirect, request
from flask_admin import BaseView, expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from azionelab.admin.guard import Guarded
from azionelab.admin.menu import BOOKINGS
from azionelab.admin.queue.forms import OpenForm, PaceForm
from azionelab.database import db, now
from azionelab.queue import lines
from azionelab.queue.advance import count_inside
from azionelab.queue.models import Line
from azionelab.shows.models import Show
from azionelab.staff.rights import Right


class QueueView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """The queue before the booking forms."""

    right = change_right = Right.MANAGE_SEASON

    def __init__(self) -> None:
        super().__init__(name=_("Queue"), category=BOOKINGS, endpoint="admin_queue", url="queue")

    @expose("/")
    def index(self) -> Any:
        """The lines that there are, and those that ended within the hour."""
        return self._show(_open_form(formdata=None))

    @expose("/open/", methods=("POST",))
    def open(self) -> Any:
        """Open a line."""
        form = _open_form()
        if not form.validate():
            flash(gettext("Nothing was saved. Please correct the fields marked below."), "error")
            return self._show(form), 422
        show_id = int(form.show_id.data) if form.show_id.data else None
        opens_at = form.opens_at.data or lines.next_opening(show_id, now()) or now()
        try:
            lines.open_line(show_id, opens_at, form.pace)
        except lines.LineExists:
            flash(gettext("There is a line already: change or end that one."), "error")
        else:
            flash(gettext("The line is there. Visitors meet it within seconds."), "success")
        return redirect(self.get_url(".index"))

    @expose("/change/", methods=("POST",))
    def change(self) -> Any:
        """Change how fast a line lets in."""
        line_id = _sent_id()
        form = PaceForm(prefix=f"line-{line_id}-")
        if not form.validate():
            flash(gettext("Please use whole numbers in the range of each field."), "error")
            return redirect(self.get_url(".index"))
        try:
            lines.change_line(line_id, form.pace, seen=form.seen.data or "")
        except lines.LineGone:
            flash(gettext("This line is over."), "error")
        except lines.TurnFixed:
            flash(
                gettext(
                    "Minutes and seats of a booking stay as they are: people were let in with them."
                ),
                "error",
            )
        except lines.PaceChanged:
            flash(
                gettext("Somebody else has changed the line since. It is shown as it is now."),
                "error",
            )
        else:
            flash(gettext("Saved."), "success")
        return redirect(self.get_url(".index"))

    @expose("/end/", methods=("POST",))
    def end(self) -> Any:
        """End a line."""
        lines.end_line(_sent_id())
        flash(
            gettext("The line is over: everybody can book. Within an hour you can take that back."),
            "success",
        )
        return redirect(self.get_url(".index"))

    @expose("/resume/", methods=("POST",))
    def resume(self) -> Any:
        """Take back that a line was ended."""
        try:
            lines.resume_line(_sent_id())
        except lines.LineGone:
            flash(gettext("This line ended too long ago."), "error")
        except lines.LineExists:
            flash(gettext("There is a line already: change or end that one."), "error")
        else:
            flash(gettext("The line is on again, with all of its places."), "success")
        return redirect(self.get_url(".index"))

    def _show(self, form: OpenForm) -> str:
        at = now()
        live = db.session.scalars(select(Line).where(Line.ended_at.is_(None)).order_by(Line.id))
        ended = select(Line).where(Line.ended_at > at - lines.KEPT).order_by(Line.ended_at.desc())
        page: str = self.render(
            "admin/queue/lines.html",
            form=form,
            lines=[
                (line, PaceForm.of(line), count_inside(db.session(), line, at)) for line in live
            ],
            ended=db.session.scalars(ended).all(),
            titles={show.id: show.title for show in db.session.scalars(select(Show))},
            at=at,
        )
        return page


def _open_form(**how: Any) -> OpenForm:
    shows = select(Show).where(Show.published).order_by(Show.title)
    return OpenForm(**how).offer([(str(show.id), show.title) for show in db.session.scalars(shows)])


def _sent_id() -> int:
    sent = request.form.get("id", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else 0
