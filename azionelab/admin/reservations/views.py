"""Reservations in the back office: the list, each one's page, and its actions."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.orm import Query, joinedload, selectinload
from werkzeug.wrappers import Response

from azionelab.admin.guard import fresh_login, needs
from azionelab.admin.log.history import mails_of
from azionelab.admin.mails.views import explain_erased_address
from azionelab.admin.people.search import has_text_or_nearly
from azionelab.admin.reservations.change_pages import ChangePages
from azionelab.admin.reservations.deeds import DEEDS
from azionelab.admin.reservations.forms import LANGUAGES
from azionelab.admin.reservations.late_form import LateForm
from azionelab.admin.reservations.seen import read_changed_in
from azionelab.admin.reservations.states import StateFilter, current_state, describe_state
from azionelab.admin.rows.base import breakable_address, read_identity, return_url_or
from azionelab.admin.rows.filters import (
    PerformanceFilter,
    UntilFilter,
    describe_performance,
    shorten_performance,
)
from azionelab.bookings import erasure, rules
from azionelab.bookings.box_office.moves import ended_with_performance
from azionelab.bookings.box_office.outcomes import UNDO_FOR
from azionelab.bookings.box_office.undoing import find_undo
from azionelab.bookings.door_notes import set_lateness
from azionelab.bookings.errors import BookingError
from azionelab.bookings.mails.resending import AddressErased, resend_newest
from azionelab.bookings.models import LIVE, Kind, Reservation, State
from azionelab.bookings.pages.office_error_texts import explain_to_staff
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.staff.rights import Right


class ReservationView(ChangePages):
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
        "limit_reason",
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
    column_auto_select_related = False  # get_query loads what the list shows
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
        "limit_reason": _("Reason for a party above the limit"),
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
        "performance": lambda _view, _context, row, _name: shorten_performance(row.performance),
        "state": lambda _view, _context, row, _name: describe_state(row),
        "locale": lambda _view, _context, row, _name: LANGUAGES.get(row.locale, row.locale),
    }
    column_formatters_detail: ClassVar = {
        **column_formatters,
        "performance": lambda _view, _context, row, _name: describe_performance(row.performance),
    }
    number_columns = ("seats", "admitted")
    empty_text = _("Nobody has booked yet.")

    def get_filters(self) -> Any:
        """By state and by performance."""
        self.column_filters = (
            StateFilter(),
            PerformanceFilter(Reservation.performance_id),
            UntilFilter(Reservation.created_at),
        )
        return super().get_filters()

    def get_query(self) -> Query[Reservation]:
        """The rows with the related rows that the list shows."""
        query: Query[Reservation] = super().get_query()
        # In a statement of its own: a join would be made for all rows that a page passes over.
        performance = selectinload(Reservation.performance)
        return query.options(performance.joinedload(Performance.show))

    def get_one(self, id: str) -> Any:  # noqa: A002 (Flask-Admin's name)
        """The reservation with its performance and show; None for an unknown or malformed key."""
        identity = read_identity(Reservation, id)
        if identity is None:
            return None
        performance = joinedload(Reservation.performance, innerjoin=True)
        with_show = performance.joinedload(Performance.show, innerjoin=True)
        return db.session.get(Reservation, identity, options=[with_show])

    def _apply_search(self, query: Any, count: Any, joins: Any, counted: Any, search: str) -> Any:
        # By the index of people: the other lists read every row, and this one is long.
        found = has_text_or_nearly(search)
        return query.filter(found), count, joins, counted

    @expose("/details/")
    def details_view(self) -> Any:
        """One reservation and its actions."""
        reservation = self.get_one(request.args.get("id", ""))
        if reservation is None:
            flash(gettext("Reservation not found."), "error")
            return redirect(self.get_url(".index_view"))
        return self.details_page(reservation)

    def details_page(
        self, reservation: Reservation, forms: dict[str, FlaskForm] | None = None
    ) -> str:
        """The page of a reservation, with these forms as they were sent."""
        state = current_state(reservation)
        is_live = state in LIVE
        page: str = self.render(
            self.details_template,
            model=reservation,
            details_columns=self._details_columns,
            get_value=self.get_detail_value,
            told=_columns_with_news(reservation),
            return_url=return_url_or(self.get_url(".index_view")),
            is_held=state == State.PENDING,
            is_live=is_live,
            is_party=not reservation.walk_in and reservation.erased_at is None,
            is_house=reservation.kind == Kind.HOUSE,
            takes_place=reservation.performance.cancelled_at is None,
            may_move=is_live or ended_with_performance(reservation),
            is_over=now() >= reservation.performance.starts_at,
            forms=_forms(reservation, forms or {}) if self.may_change() else {},
            opened=set(forms or ()),
            deeds=DEEDS,
            undo=find_undo(reservation) if self.may_change() else None,
            undo_minutes=int(UNDO_FOR.total_seconds() // 60),
            mails=mails_of(reservation),
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

    @expose("/late/", methods=("POST",))
    def late_view(self) -> Response:
        """Note that a party comes late, for a visitor who telephoned."""
        form = LateForm().offer()
        if not form.validate():
            flash(gettext("Please choose how late they will be."), "error")
            return self.back_to(read_identity(Reservation, request.form.get("id")))
        return self._act(
            lambda identity: set_lateness(
                identity,
                form.minutes.data,
                by_staff=True,
                seen=read_changed_in(request.form.get("seen")),
            ),
            gettext("Saved. The door can now see it."),
            gettext("The door already knew this."),
        )

    @expose("/resend/", methods=("POST",))
    def resend_view(self) -> Response:
        """Resend the newest mail: the ticket, or the request to confirm."""
        return self._act(_resend_newest, gettext("The latest mail will be sent again."))

    @expose("/erase/", methods=("POST",))
    @needs(Right.ERASE)
    @fresh_login
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
            except BookingError as refusal:
                flash(explain_to_staff(refusal), "error")
            else:
                if reservation is not None and reservation.is_unchanged:
                    flash(unchanged, "info")
                else:
                    flash(done, "success")
        return self.back_to(identity)


def _columns_with_news(reservation: Reservation) -> set[str]:
    """The columns worth showing: not what the heading says, nor what is empty or as it always is."""
    usual = {"performance", "state", "seats", "created_at"}
    if not reservation.walk_in and reservation.kind != Kind.HOUSE:
        usual |= {"locale"}
    if reservation.is_pending:
        usual |= {"hold_expires_at"}
        if not reservation.holds_seats:
            usual |= {"holds_seats"}
    if_any = ("email", "admitted", "released", "late_at", "confirmed_at", "ended_at", "erased_at")
    with_news = {name for name in (*if_any, "limit_reason") if getattr(reservation, name)}
    return usual | with_news


def _forms(reservation: Reservation, sent: dict[str, FlaskForm]) -> dict[str, FlaskForm]:
    """The forms of the page: those that were sent, and all others as they are at first."""
    forms = dict(sent)
    for name, deed in DEEDS.items():
        if name not in forms and deed.for_walk_ins == reservation.walk_in:
            form = forms[name] = deed.form(formdata=None)
            form.offer(reservation)
            form.load(reservation)
    return forms


def _resend_newest(reservation_id: UUID) -> None:
    resend_newest(reservation_id)
