"""Performances in the back office: planning, moving and cancelling them."""

from datetime import datetime
from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from azionelab.admin.guard import needs
from azionelab.admin.rows.base import show_error
from azionelab.admin.rows.edit_conflicts import flash_row_changed, format_moment
from azionelab.admin.rows.fields import read_version
from azionelab.admin.rows.filters import describe_performance
from azionelab.admin.season.by_date import PAST, ListByDate
from azionelab.admin.season.change_pages import EFFECT_TEXTS, sample_of, wants_mails
from azionelab.admin.season.forms import PerformanceForm
from azionelab.admin.season.parties import count_parties
from azionelab.bookings import performance_changes
from azionelab.bookings.errors import NamesErased, PerformanceUnknown, WheelchairPlacesBelowHeld
from azionelab.bookings.evenings.edits import EffectUnseen, change_seen, digest_of
from azionelab.bookings.evenings.effects import Effect, preview_change
from azionelab.database import db, now
from azionelab.database.row_versions import EditConflict, Merged, RowGone, merge
from azionelab.shows.models import Performance
from azionelab.shows.overlaps import find_overlaps
from azionelab.shows.runs.changes import RunChange
from azionelab.shows.window import (
    MAX_AHEAD_YEARS,
    ClosesAfterCurtain,
    CurtainPast,
    CurtainTooFar,
    NoTimeToBook,
    check_curtain,
    check_window,
)
from azionelab.staff.rights import Right


class PerformanceView(ListByDate):
    """Performances. The booking rules change their capacity and cancel them."""

    can_create = can_edit = can_delete = True
    can_view_details = False
    form = PerformanceForm
    edit_template = "admin/performance.html"
    new_title = _("New performance")
    number_columns = ("seats_held", "capacity")
    column_list = ("starts_at", "show", "venue", "seats_held", "capacity", "cancelled_at")
    column_sortable_list = ("starts_at", "capacity", "seats_held", ("show", "show.title"))
    column_searchable_list = ("show.title", "venue.name")
    column_labels: ClassVar = {
        "starts_at": _("Curtain"),
        "show": _("Show"),
        "show.title": _("Show"),
        "venue": _("Venue"),
        "venue.name": _("Venue"),
        "seats_held": _("Taken"),
        "capacity": _("Seats"),
        "wheelchair_places": _("Wheelchair places among them"),
        "cancelled_at": _("Cancelled"),
        "booking_opens_at": _("Booking opens"),
        "booking_closes_at": _("Booking closes"),
        "party_limit": _("Maximum seats per booking"),
        "show_id": _("Show"),
        "venue_id": _("Venue"),
    }
    refusals: ClassVar = {
        "uq_performance_show_id_starts_at": (
            "starts_at",
            _("The show already has a performance at this time."),
        ),
        "fk_reservation_performance_id": (
            None,
            _("It has bookings, so it cannot be deleted. You can cancel it."),
        ),
        "fk_scan_performance_id": (
            None,
            _("Tickets have been scanned for it, so it cannot be deleted."),
        ),
    }

    @property
    def empty_text(self) -> str:
        """What an empty list says."""
        if self.tab() == PAST:
            return gettext("No performance is over yet.")
        return gettext(
            "No performance here. “Add a run” in the calendar plans many evenings at once."
        )

    def row_url(self, row: Performance) -> str:
        """The evening's page, where its parties are."""
        return url_for("admin_evening.show", performance_id=row.id)

    def create_model(self, form: Any) -> Any:
        """Create a performance, which has to be in the future."""
        try:
            check_curtain(form.starts_at.data, now())
            check_window(
                form.booking_opens_at.data, form.booking_closes_at.data, form.starts_at.data
            )
        except (CurtainPast, CurtainTooFar) as refusal:
            show_error(form, "starts_at", _describe_curtain_error(refusal))
            return False
        except (ClosesAfterCurtain, NoTimeToBook) as refusal:
            show_error(form, "booking_closes_at", _describe_window_error(refusal))
            return False
        performance = super().create_model(form)
        if performance:
            _warn_of_overlaps(performance)
        return performance

    def update_model(self, form: Any, model: Any) -> bool:
        """Change a performance through the booking rule, in one transaction; returns False when it refuses."""
        told, merged = 0, Merged({})
        asked = model.booking_opens_at, model.booking_closes_at

        def write(performance: Performance) -> None:
            nonlocal asked, merged
            merged = merge(db.session(), performance, form.edit(current_user.id))
            merged.write_to(performance)
            asked = performance.booking_opens_at, performance.booking_closes_at

        def change() -> None:
            nonlocal told
            seen = request.form.get("seen_effect", "")
            told = change_seen(model.id, write, seen, notify=wants_mails())

        try:
            saved = self.attempt(change, form)
        except PerformanceUnknown:
            raise RowGone from None
        except (CurtainPast, CurtainTooFar, NamesErased) as refusal:
            show_error(form, "starts_at", _describe_curtain_error(refusal))
            return False
        except (ClosesAfterCurtain, NoTimeToBook) as refusal:
            show_error(form, "booking_closes_at", _describe_window_error(refusal))
            return False
        except WheelchairPlacesBelowHeld as refusal:
            words = ngettext(
                "It cannot be less than %(num)s wheelchair place, which is already taken.",
                "It cannot be less than %(num)s wheelchair places, which are already taken.",
                refusal.held,
            )
            show_error(form, "wheelchair_places", words)
            return False
        except EffectUnseen as unseen:
            self._show_effect(form, unseen.effect)
            return False
        if saved:
            _warn_of_overlaps(model)
            _flash_booking_moved(model, asked)
            self.flash_merged(form, merged)
        if told:
            flash(
                ngettext(
                    "Rescheduled. %(num)s party will be notified by e-mail.",
                    "Rescheduled. %(num)s parties will be notified by e-mail.",
                    told,
                ),
                "success",
            )
        return saved

    def _show_effect(self, form: Any, effect: Effect) -> None:
        """Have the form's page say what the edit does; it is saved by one more press, if it can be."""
        form.effect = effect
        if effect.fault:
            if effect.least > effect.held.seats:
                words = ngettext(
                    "It cannot be less than %(num)s seat: taken, or kept for wheelchairs.",
                    "It cannot be less than %(num)s seats: taken, or kept for wheelchairs.",
                    effect.least,
                )
            else:
                words = ngettext(
                    "It cannot be less than %(num)s seat, which is already taken.",
                    "It cannot be less than %(num)s seats, which are already taken.",
                    effect.held.seats,
                )
            show_error(form, "capacity", words)
        else:
            form.seen_effect = digest_of(effect)
            flash(
                gettext("Nothing was saved yet: please look at what the change does, then save."),
                "warning",
            )

    def extra_context(self, row: Performance) -> dict[str, Any]:
        """The number of parties that a change concerns, and what shows its effect."""
        return {"parties": count_parties(row), **EFFECT_TEXTS}

    @expose("/cancel/", methods=("GET", "POST"))
    @needs(Right.MANAGE_SEASON)
    def cancel_view(self) -> Any:
        """Cancel a performance: GET asks and shows how many parties get a mail, POST cancels."""
        performance = self.get_one(request.args.get("id", ""))
        pressed = request.method == "POST"
        if performance is None or (performance.cancelled_at and not pressed):
            flash(gettext("This performance cannot be cancelled."), "error")
            return redirect(self.get_url(".index_view"))
        form = FlaskForm()
        if form.validate_on_submit():
            try:
                return self._cancel(performance)
            except EditConflict as conflict:
                flash_row_changed(self.column_labels, conflict)
                return redirect(self.get_url(".cancel_view", id=performance.id))
        effect = preview_change([performance.id], RunChange(cancel=True)).evenings[0]
        return self.render(
            "admin/cancel_performance.html",
            form=form,
            performance=performance,
            effect=effect,
            sample=sample_of(effect) if effect.mails else None,
        )

    def _cancel(self, performance: Performance) -> Response:
        parties = performance_changes.cancel_performance(
            performance.id,
            seen_version=read_version(request.form.get("version")),
            by=current_user.id,
            notify=wants_mails(),
        )
        if parties is None:
            flash(gettext("It had already been cancelled: no new e-mails were sent."), "info")
            return redirect(self.get_url(".edit_view", id=performance.id))
        if not wants_mails():
            flash(gettext("Cancelled. Nobody was written to."), "success")
            return redirect(self.get_url(".edit_view", id=performance.id))
        flash(
            ngettext(
                "Cancelled. %(num)s party will be notified by e-mail.",
                "Cancelled. %(num)s parties will be notified by e-mail.",
                parties,
            ),
            "success",
        )
        return redirect(self.get_url(".edit_view", id=performance.id))


def _describe_curtain_error(refusal: Exception) -> str:
    match refusal:
        case CurtainTooFar():
            return ngettext(
                "This is more than %(num)s year away.",
                "This is more than %(num)s years away.",
                MAX_AHEAD_YEARS,
            )
        case NamesErased():
            return gettext(
                "The visitors' names have been erased, so this performance can no longer be changed. Add a new"
                " one instead."
            )
        case _:
            return gettext("This is in the past.")


def _describe_window_error(refusal: Exception) -> str:
    if isinstance(refusal, ClosesAfterCurtain):
        return gettext("Booking cannot close after the curtain.")
    return gettext("Booking has to close after it opens.")


def _flash_booking_moved(performance: Performance, asked: tuple[datetime, datetime]) -> None:
    """Flash the new booking times if they moved with the curtain."""
    opens_at, closes_at = performance.booking_opens_at, performance.booking_closes_at
    if opens_at != asked[0]:
        flash(
            gettext("Booking moved with the curtain: it opens %(at)s.", at=format_moment(opens_at)),
            "success",
        )
    if closes_at != asked[1]:
        flash(
            gettext(
                "Booking moved with the curtain: it closes %(at)s.", at=format_moment(closes_at)
            ),
            "success",
        )


def _warn_of_overlaps(performance: Performance) -> None:
    """Warn of other performances in the venue at that time: allowed, but seldom intended."""
    for pair in find_overlaps([performance.id]):
        other = next(one for one in pair if one is not performance)
        flash(
            gettext(
                "Note: %(other)s is on at the same venue at the same time.",
                other=describe_performance(other),
            ),
            "warning",
        )
