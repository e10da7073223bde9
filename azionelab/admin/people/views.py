"""People in the back office: search, a person's bookings, export and erasure of what is kept about them."""

from typing import Any
from uuid import UUID

from flask import flash, make_response, redirect, request
from flask_admin import BaseView, expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from azionelab.admin.guard import Guarded, fresh_login, needs, only_reads
from azionelab.admin.menu import BOOKINGS
from azionelab.admin.people.search import MAX_PEOPLE, find_people
from azionelab.admin.reservations.states import describe_state
from azionelab.admin.rows.base import read_identity
from azionelab.admin.rows.searches import PARAMETER, find_search, keep_search
from azionelab.bookings.erasure import erase_person
from azionelab.bookings.models import Kind, Reservation
from azionelab.bookings.people.export import personal_data
from azionelab.bookings.people.persons import bookings_of
from azionelab.database import db, now
from azionelab.staff.rights import Right


class PeopleView(Guarded, BaseView):  # type: ignore[misc]  # Flask-Admin has no types
    """People with all their bookings, over every performance."""

    change_right = Right.ERASE

    def __init__(self) -> None:
        super().__init__(name=_("People"), category=BOOKINGS, endpoint="admin_people", url="people")

    @expose("/")
    def index(self) -> str:
        """The search, and what it found."""
        identity = request.args.get(PARAMETER)
        typed = find_search(self.endpoint, identity) if identity else None
        if identity and typed is None:
            flash(
                gettext(
                    "This search has expired or belongs to another login. Please search again."
                ),
                "warning",
            )
        page: str = self.render(
            "admin/people.html",
            typed=typed or "",
            found=find_people(typed) if typed else None,
            most=MAX_PEOPLE,
            state_of=describe_state,
        )
        return page

    @expose("/find/", methods=("POST",))
    @only_reads
    def find(self) -> Response:
        """Keep the text and redirect to its results, whose address does not hold it."""
        typed = request.form.get("search", "").replace("\0", "").strip()
        kept = {PARAMETER: keep_search(self.endpoint, typed)} if typed else {}
        return redirect(self.get_url(".index", **kept), 303)

    @expose("/person/")
    def person(self) -> Any:
        """All bookings of the person who made one."""
        bookings = _find_bookings()
        if not bookings:
            return self._nobody()
        return self._person_page("person", bookings)

    @expose("/person.json")
    @needs(Right.EXPORT)
    def export(self) -> Response:
        """Everything that is kept about the person, as a file."""
        bookings = _find_bookings()
        if not bookings:
            return self._nobody()
        answer = make_response(personal_data(bookings))
        answer.mimetype = "application/json"
        name = f"person-{bookings[0].reference}.json"
        answer.headers.set("Content-Disposition", "attachment", filename=name)
        answer.cache_control.no_store = True
        return answer

    @expose("/erase/", methods=("GET", "POST"))
    @needs(Right.ERASE)
    @fresh_login
    def erase(self) -> Any:
        """Erase name, address and notes from a person's bookings: GET shows which, POST does it."""
        bookings = _find_bookings()
        if not bookings:
            return self._nobody()
        form = FlaskForm()
        if not form.validate_on_submit():
            return self._person_page("erase_person", bookings, form=form, error="")
        # Only bookings of this person, whatever was sent.
        chosen = {one.id for one in bookings} & {
            read_identity(Reservation, typed) for typed in request.form.getlist("booking")
        }
        if not chosen:
            nothing = gettext("Choose at least one booking.")
            return self._person_page("erase_person", bookings, form=form, error=nothing), 422
        erased = erase_person([one for one in chosen if isinstance(one, UUID)])
        flash(
            ngettext(
                "Name and address have been erased from %(num)s booking.",
                "Name and address have been erased from %(num)s bookings.",
                erased,
            ),
            "success",
        )
        return redirect(self.get_url(".index"), 303)

    def _person_page(self, template: str, bookings: Any, **facts: Any) -> str:
        at = now()
        page: str = self.render(
            f"admin/{template}.html",
            bookings=bookings,
            first=bookings[0],
            names=sorted({one.name for one in bookings}),
            addresses=sorted({one.email for one in bookings if one.email}),
            coming=[
                one.id
                for one in bookings
                if one.performance.starts_at > at and one.is_live and not one.is_lapsed(at)
            ],
            state_of=describe_state,
            **facts,
        )
        return page

    def _nobody(self) -> Response:
        flash(gettext("This person was not found. Perhaps their data has been erased."), "error")
        return redirect(self.get_url(".index"), 303)


def _find_bookings() -> Any:
    """The bookings of the person who made the one in the address; none for walk-ins and erased ones."""
    identity = read_identity(Reservation, request.args.get("id"))
    reservation = db.session.get(Reservation, identity) if isinstance(identity, UUID) else None
    if reservation is None or reservation.kind == Kind.HOUSE:
        return []
    if reservation.walk_in or reservation.erased_at is not None:
        return []
    return bookings_of(reservation)
