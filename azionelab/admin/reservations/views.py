"""Reservations in the back office: the list, each one's page, and its actions."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Query, joinedload
from werkzeug.wrappers import Response

from azionelab.admin.guard import needs
from azionelab.admin.mails.views import explain_erased_address
from azionelab.admin.reservations.forms import FewerSeatsForm, LateForm, NoteForm
from azionelab.admin.reservations.texts import describe_refusal, mark_changed_note, note_form
from azionelab.admin.rows.base import TheatreView, breakable_address, read_identity, return_url_or
from azionelab.admin.rows.fields import read_version
from azionelab.admin.rows.filters import ChoiceFilter, PerformanceFilter, describe_performance
from azionelab.bookings import erasure, rules
from azionelab.bookings.door_notes import set_lateness, write_note
from azionelab.bookings.errors import BookingError, NoteChanged
from azionelab.bookings.history import By
from azionelab.bookings.mails.resending import AddressErased, resend_newest
from azionelab.bookings.models import Reservation, State
from azionelab.database import db, now
from azionelab.mail.models import Mail
from azionelab.shows.models import Performance
from azionelab.staff.rights import Right

STATES: dict[str, str] = {
    State.PENDING: _("not confirmed yet"),
    State.CONFIRMED: _("confirmed"),
    State.CANCELLED: _("cancelled"),
    State.EXPIRED: _("expired"),
}


class ReservationView(TheatreView):
    """Reservations: found by name, address or reference; changed only by the booking rules."""

    change_right = Right.BOOK
    details_template = "admin/reservation.html"
    column_list = (
        "reference",
        "name",
        "email",
        "seats",
        "state",
        "admitted",
        "performance",
        "created_at",
    )
    column_details_list = (
        *column_list,
        "released",
        "late_at",
        "locale",
        "holds_seats",
        "hold_expires_at",
        "confirmed_at",
        "ended_at",
        "erased_at",
    )
    column_export_list = (
        "reference",
        "name",
        "email",
        "seats",
        "state",
        "admitted",
        "performance.show.title",
        "performance.starts_at",
        "note",
        "created_at",
        "confirmed_at",
    )
    column_default_sort = ("created_at", True)
    column_sortable_list = ("name", "seats", "state", "created_at")
    column_searchable_list = ("reference", "name", "email")
    column_labels: ClassVar = {
        "reference": _("Reference"),
        "name": _("Name"),
        "email": _("E-mail"),
        "seats": _("Seats"),
        "state": _("State"),
        "admitted": _("In"),
        "performance": _("Performance"),
        "performance.show.title": _("Show"),
        "performance.starts_at": _("Curtain"),
        "note": _("Note for the door"),
        "created_at": _("Booked"),
        "released": _("Seats released"),
        "late_at": _("Expected late, at about"),
        "locale": _("Language"),
        "holds_seats": _("Seats held"),
        "hold_expires_at": _("Confirm by"),
        "confirmed_at": _("Confirmed"),
        "ended_at": _("Ended"),
        "erased_at": _("Name and address erased"),
    }
    column_formatters: ClassVar = {
        "name": lambda _view, _context, row, _name: gettext("Walk-in") if row.walk_in else row.name,
        "email": lambda _view, _context, row, _name: breakable_address(row.email),
        "performance": lambda _view, _context, row, _name: describe_performance(row.performance),
        "state": lambda _view, _context, row, _name: STATES[_state(row)],
    }
    column_formatters_detail = column_formatters

    def get_filters(self) -> Any:
        """By state and by performance."""
        self.column_filters = (
            ChoiceFilter(Reservation.state, _("State"), STATES),
            PerformanceFilter(Reservation.performance_id),
        )
        return super().get_filters()

    def get_query(self) -> Query[Reservation]:
        """The rows with the related rows that the list shows."""
        query: Query[Reservation] = super().get_query()
        performance = joinedload(Reservation.performance)
        return query.options(performance.joinedload(Performance.show))

    @expose("/details/")
    def details_view(self) -> Any:
        """One reservation and its actions."""
        reservation = self.get_one(request.args.get("id", ""))
        if reservation is None:
            flash(gettext("Reservation not found."), "error")
            return redirect(self.get_url(".index_view"))
        return self._details_page(reservation, note_form(reservation))

    def _details_page(self, reservation: Reservation, note_form: NoteForm) -> str:
        page: str = self.render(
            self.details_template,
            model=reservation,
            details_columns=self._details_columns,
            get_value=self.get_detail_value,
            return_url=return_url_or(self.get_url(".index_view")),
            is_held=reservation.state == State.PENDING and _state(reservation) == State.PENDING,
            seats_form=FewerSeatsForm(formdata=None, seats=max(1, reservation.seats - 1)),
            newest_mail=_newest_mail(reservation.id),
            note_form=note_form,
            late_form=LateForm(formdata=None).offer(),
            may_be_late=reservation.has_ticket and reservation.admitted < reservation.seats,
        )
        return page

    @expose("/confirm/", methods=("POST",))
    def confirm_view(self) -> Response:
        """Confirm for a visitor; the ticket is sent."""
        return self._act(
            rules.confirm,
            gettext("Confirmed. The ticket is on its way."),
            gettext("It had already been confirmed: no new ticket was sent."),
        )

    @expose("/cancel/", methods=("POST",))
    def cancel_view(self) -> Response:
        """Cancel a reservation; the party gets a mail."""
        return self._act(
            lambda identity: rules.cancel(identity, by=By.STAFF),
            gettext("Cancelled. The party will be notified by e-mail."),
            gettext("It was no longer active: nothing was changed and no e-mail was sent."),
        )

    @expose("/seats/", methods=("POST",))
    def seats_view(self) -> Response:
        """Reduce a party's seats."""
        form = FewerSeatsForm()
        if not form.validate():
            flash(gettext("The number of seats can only be reduced."), "error")
            return self._back(read_identity(Reservation, request.form.get("id")))
        return self._act(
            lambda identity: rules.reduce_seats(
                identity, form.seats.data, read_version(request.form.get("seen")), by=By.STAFF
            ),
            gettext("The number of seats has been reduced."),
            gettext("The party already has this number of seats: nothing was changed."),
        )

    @expose("/note/", methods=("POST",))
    def note_view(self) -> Any:
        """Save the note for the door."""
        form, identity = NoteForm(), read_identity(Reservation, request.form.get("id"))
        if form.validate():
            try:
                return self._act(
                    lambda wanted: write_note(wanted, form.note.data, form.note_seen.data),
                    gettext("The note is saved. The door can now see it.")
                    if form.note.data
                    else gettext("The note has been removed."),
                    gettext("The note already says this."),
                )
            except NoteChanged as change:
                mark_changed_note(form, change.note)
        reservation = self.get_one(str(identity))
        if reservation is None:
            flash(gettext("Reservation not found."), "error")
            return self._back(identity)
        return self._details_page(reservation, form), 422

    @expose("/late/", methods=("POST",))
    def late_view(self) -> Response:
        """Note that a party comes late, for a visitor who telephoned."""
        form = LateForm().offer()
        if not form.validate():
            flash(gettext("Please choose how late they will be."), "error")
            return self._back(read_identity(Reservation, request.form.get("id")))
        return self._act(
            lambda identity: set_lateness(identity, form.minutes.data, by_staff=True),
            gettext("Saved. The door can now see it."),
            gettext("The door already knew this."),
        )

    @expose("/resend/", methods=("POST",))
    def resend_view(self) -> Response:
        """Resend the newest mail: the ticket, or the request to confirm."""
        return self._act(_resend_newest, gettext("The latest mail will be sent again."))

    @expose("/erase/", methods=("POST",))
    @needs(Right.ERASE)
    def erase_view(self) -> Response:
        """Erase the name and address at the visitor's request."""
        return self._act(
            erasure.erase_on_request,
            gettext("Name and address have been erased. The booking is unchanged."),
            gettext("Name and address had already been erased."),
        )

    def _act(self, change: Callable[[UUID], Any], done: str, unchanged: str = "") -> Response:
        identity = read_identity(Reservation, request.form.get("id"))
        if isinstance(identity, UUID):
            try:
                reservation = change(identity)
            except AddressErased:
                flash(explain_erased_address(), "error")
            except NoteChanged:
                raise
            except BookingError as refusal:
                flash(describe_refusal(refusal), "error")
            else:
                if reservation is not None and reservation.is_unchanged:
                    flash(unchanged, "info")
                else:
                    flash(done, "success")
        return self._back(identity)

    def _back(self, identity: int | UUID | None) -> Response:
        return redirect(
            self.get_url(
                ".details_view", id=identity, url=return_url_or(self.get_url(".index_view"))
            )
        )


def _state(reservation: Reservation) -> str:
    return State.EXPIRED if reservation.is_lapsed(now()) else reservation.state


def _newest_mail(reservation_id: UUID) -> Mail | None:
    return db.session.scalar(
        select(Mail)
        .where(Mail.reservation_id == reservation_id)
        .order_by(Mail.created_at.desc())
        .limit(1)
    )


def _resend_newest(reservation_id: UUID) -> None:
    resend_newest(reservation_id)
