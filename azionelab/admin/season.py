"""The season in the admin: venues, shows, performances."""

from datetime import datetime
from typing import Any, ClassVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy import ColumnElement, func, not_, select
from werkzeug.wrappers import Response

from azionelab.admin.base import TheatreView, tell
from azionelab.admin.editing import tell_row_changed, tell_when
from azionelab.admin.fields import read_version
from azionelab.admin.filters import tell_performance
from azionelab.admin.forms import PerformanceForm, ShowForm, VenueForm
from azionelab.bookings import rules
from azionelab.bookings.errors import CapacityBelowHeld, NamesErased, PerformanceUnknown
from azionelab.bookings.models import LIVE, Reservation, lapsed
from azionelab.database import db, now
from azionelab.database.row_versions import EditConflict, Merged, RowGone, merge
from azionelab.shows.addresses import former_slugs, give_up_slug
from azionelab.shows.models import Performance, Show
from azionelab.shows.overlaps import find_overlaps
from azionelab.shows.window import (
    MAX_AHEAD_YEARS,
    ClosesAfterCurtain,
    CurtainPast,
    CurtainTooFar,
    NoTimeToBook,
    check_curtain,
    check_window,
)


class VenueView(TheatreView):
    """Venues: the houses."""

    can_create = can_edit = can_delete = True
    can_view_details = False
    form = VenueForm
    column_list = ("name", "address")
    column_searchable_list = ("name", "address")
    column_default_sort = "name"
    column_labels: ClassVar = {"name": _("Name"), "address": _("Address")}
    refusals: ClassVar = {
        "uq_venue_name": ("name", _("There is a venue of this name already.")),
        "fk_performance_venue_id": (None, _("Performances take place here: it has to stay.")),
    }


class ShowView(TheatreView):
    """Shows, in the programme or still being prepared."""

    can_create = can_edit = can_delete = True
    can_view_details = False
    form = ShowForm
    edit_template = "admin/show.html"
    column_list = ("title", "slug", "published")
    column_searchable_list = ("title", "summary")
    column_default_sort = "title"
    column_labels: ClassVar = {
        "title": _("Title"),
        "slug": _("Address"),
        "published": _("Published"),
        "summary": _("Summary"),
        "description": _("Description"),
        "duration_minutes": _("Minutes"),
    }
    refusals: ClassVar = {
        "uq_show_slug": ("slug", _("Another show has this address.")),
        "former_slug_taken": (
            "slug",
            _("Another show had this address, and links to it still lead there."),
        ),
        "ck_show_slug_form": ("slug", _("Please give it an address of letters a to z and digits.")),
        "fk_performance_show_id": (
            None,
            _("The show has performances. Delete those first, or take it out of the programme."),
        ),
    }

    def facts_of(self, row: Show) -> dict[str, Any]:
        """What is to come of it, and where else it is found."""
        coming, parties = _to_come(row.id)
        return {"coming": coming, "parties": parties, "former": former_slugs(row.id)}

    def tell_merged(self, form: Any, merged: Merged) -> None:
        """Say what others changed, and what taking a show out of the programme means."""
        super().tell_merged(form, merged)
        if merged.write.get("published") is False:
            _tell_unpublished(*_to_come(self._edited_id()))

    def _edited_id(self) -> int:
        return int(request.args["id"])

    @expose("/give-up-address/", methods=("POST",))
    def give_up_view(self) -> Response:
        """Let an address that the show had before lead nowhere."""
        show = self.get_one(request.form.get("id", ""))
        if show is None:
            return self.nothing_there()
        give_up_slug(show.id, request.args.get("slug", ""))
        flash(gettext("The address leads nowhere any more. Another show may take it."), "success")
        return redirect(self.get_url(".edit_view", id=show.id))


class PerformanceView(TheatreView):
    """Performances: what can be booked. Seats are changed, and evenings cancelled, by the rules."""

    can_create = can_edit = can_delete = True
    can_view_details = False
    form = PerformanceForm
    edit_template = "admin/performance.html"
    column_list = ("starts_at", "show", "venue", "seats_held", "capacity", "cancelled_at")
    column_default_sort = ("starts_at", True)
    column_sortable_list = ("starts_at", "capacity", "seats_held", ("show", "show.title"))
    column_searchable_list = ("show.title", "venue.name")
    column_labels: ClassVar = {
        "starts_at": _("Curtain"),
        "show": _("Show"),
        "show.title": _("Show"),
        "venue": _("Venue"),
        "venue.name": _("Venue"),
        "seats_held": _("Held"),
        "capacity": _("Seats"),
        "cancelled_at": _("Cancelled"),
        "booking_opens_at": _("Booking opens"),
        "booking_closes_at": _("Booking closes"),
        "party_limit": _("Largest party"),
        "show_id": _("Show"),
        "venue_id": _("Venue"),
    }
    refusals: ClassVar = {
        "uq_performance_show_id_starts_at": (
            "starts_at",
            _("The show is played at this time already."),
        ),
        "fk_reservation_performance_id": (
            None,
            _("It has been booked, so it has to stay in the books. It can be cancelled."),
        ),
        "fk_scan_performance_id": (
            None,
            _("Tickets were scanned for it, so it has to stay in the books."),
        ),
    }

    def create_model(self, form: Any) -> Any:
        """Write a new performance, which has to be yet to come."""
        try:
            check_curtain(form.starts_at.data, now())
            check_window(
                form.booking_opens_at.data, form.booking_closes_at.data, form.starts_at.data
            )
        except (CurtainPast, CurtainTooFar) as refusal:
            tell(form, "starts_at", _tell_curtain(refusal))
            return False
        except (ClosesAfterCurtain, NoTimeToBook) as refusal:
            tell(form, "booking_closes_at", _tell_window(refusal))
            return False
        performance = super().create_model(form)
        if performance:
            _warn_of_overlaps(performance)
        return performance

    def update_model(self, form: Any, model: Any) -> bool:
        """Change a performance by the rule that knows what is held: all of it, or nothing."""
        told, merged = 0, Merged({})
        asked = model.booking_opens_at, model.booking_closes_at

        def write(performance: Performance) -> None:
            nonlocal asked, merged
            merged = merge(db.session(), performance, form.edit(current_user.id))
            merged.write_to(performance)
            asked = performance.booking_opens_at, performance.booking_closes_at

        def change() -> None:
            nonlocal told
            told = rules.change_performance(model.id, write)

        try:
            saved = self.attempt(change, form)
        except PerformanceUnknown:
            raise RowGone from None
        except (CurtainPast, CurtainTooFar, NamesErased) as refusal:
            tell(form, "starts_at", _tell_curtain(refusal))
            return False
        except (ClosesAfterCurtain, NoTimeToBook) as refusal:
            tell(form, "booking_closes_at", _tell_window(refusal))
            return False
        except CapacityBelowHeld as refusal:
            words = ngettext(
                "It cannot go below %(num)s seat: that one is held.",
                "It cannot go below %(num)s seats: that many are held.",
                refusal.held,
            )
            tell(form, "capacity", words)
            return False
        if saved:
            _warn_of_overlaps(model)
            _tell_booking_moved(model, asked)
            self.tell_merged(form, merged)
        if told:
            flash(
                ngettext(
                    "It was moved: %(num)s party is written to.",
                    "It was moved: %(num)s parties are written to.",
                    told,
                ),
                "success",
            )
        return saved

    def facts_of(self, row: Performance) -> dict[str, Any]:
        """How many parties a change concerns."""
        return {"parties": _count_parties(row)}

    @expose("/cancel/", methods=("GET", "POST"))
    def cancel_view(self) -> Any:
        """Call an evening off: first tells how many will be written to, then does it."""
        performance = self.get_one(request.args.get("id", ""))
        pressed = request.method == "POST"
        if performance is None or (performance.cancelled_at and not pressed):
            flash(gettext("There is nothing to cancel here."), "error")
            return redirect(self.get_url(".index_view"))
        form = FlaskForm()
        if form.validate_on_submit():
            try:
                return self._cancel(performance)
            except EditConflict as conflict:
                tell_row_changed(self.column_labels, conflict)
                return redirect(self.get_url(".cancel_view", id=performance.id))
        return self.render(
            "admin/cancel_performance.html",
            form=form,
            performance=performance,
            parties=_count_parties(performance),
        )

    def _cancel(self, performance: Performance) -> Response:
        parties = rules.cancel_performance(
            performance.id,
            seen_version=read_version(request.form.get("version")),
            by=current_user.id,
        )
        if parties is None:
            flash(gettext("It was cancelled already: nobody is written to once more."), "info")
            return redirect(self.get_url(".edit_view", id=performance.id))
        flash(
            ngettext(
                "Cancelled. %(num)s party is written to.",
                "Cancelled. %(num)s parties are written to.",
                parties,
            ),
            "success",
        )
        return redirect(self.get_url(".edit_view", id=performance.id))


def _tell_curtain(refusal: Exception) -> str:
    match refusal:
        case CurtainTooFar():
            return ngettext(
                "This is more than %(num)s year away.",
                "This is more than %(num)s years away.",
                MAX_AHEAD_YEARS,
            )
        case NamesErased():
            return gettext(
                "The visitors' names are erased: it stays in the books as it was. Make a new"
                " performance instead."
            )
        case _:
            return gettext("This is over already.")


def _tell_window(refusal: Exception) -> str:
    if isinstance(refusal, ClosesAfterCurtain):
        return gettext("Booking cannot close after the curtain.")
    return gettext("Booking has to close after it opens.")


def _tell_booking_moved(performance: Performance, asked: tuple[datetime, datetime]) -> None:
    """Say when booking opens and closes, if that moved with the curtain."""
    opens_at, closes_at = performance.booking_opens_at, performance.booking_closes_at
    if opens_at != asked[0]:
        flash(
            gettext("Booking moved with the curtain: it opens %(at)s.", at=tell_when(opens_at)),
            "success",
        )
    if closes_at != asked[1]:
        flash(
            gettext("Booking moved with the curtain: it closes %(at)s.", at=tell_when(closes_at)),
            "success",
        )


def _tell_unpublished(evenings: int, parties: int) -> None:
    if not evenings:
        return
    flash(
        ngettext(
            "%(num)s evening to come is not in the programme any more.",
            "%(num)s evenings to come are not in the programme any more.",
            evenings,
        ),
        "warning",
    )
    if parties:
        flash(
            ngettext(
                "%(num)s party has booked: its booking stays good, and it is not written to.",
                "%(num)s parties have booked: their bookings stay good, and nobody is written to.",
                parties,
            ),
            "warning",
        )


def _to_come(show_id: int) -> tuple[int, int]:
    """How many evenings of a show are to come, and how many parties have booked them."""
    coming = (
        Performance.show_id == show_id,
        Performance.starts_at > now(),
        Performance.cancelled_at.is_(None),
    )
    evenings = db.session.scalar(select(func.count(Performance.id)).where(*coming)) or 0
    return evenings, _count_live(*coming)


def _count_parties(performance: Performance) -> int:
    """How many parties would hear of a cancellation or of another time or place now."""
    return _count_live(Performance.id == performance.id, Reservation.erased_at.is_(None))


def _count_live(*which: ColumnElement[bool]) -> int:
    """How many live parties have booked the performances that are meant; walk-ins have not."""
    live = (
        select(func.count(Reservation.id))
        .join(Reservation.performance)
        .where(
            *which,
            Reservation.state.in_(LIVE),
            not_(lapsed(now())),
            not_(Reservation.walk_in),
        )
    )
    return db.session.scalar(live) or 0


def _warn_of_overlaps(performance: Performance) -> None:
    """Say what else is played there at that time: allowed, but seldom meant."""
    for pair in find_overlaps([performance.id]):
        other = next(one for one in pair if one is not performance)
        flash(
            gettext(
                "Mind: at the same time %(other)s is played there.", other=tell_performance(other)
            ),
            "warning",
        )
