"""Book for somebody: the form, the ticket on screen and on paper, undo, suggestions while typing."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import abort, flash, jsonify, make_response, redirect, request
from flask_admin import expose
from flask_babel import force_locale, gettext
from werkzeug.wrappers import Response

from azionelab.admin.box_office.coming import next_performances
from azionelab.admin.box_office.forms import BookForm
from azionelab.admin.box_office.texts import describe_refusal
from azionelab.admin.guard import needs, only_reads
from azionelab.admin.performance_day.base import PerformancePages, get_performance
from azionelab.admin.rows.base import read_identity
from azionelab.bookings.box_office.book_for import book_for
from azionelab.bookings.box_office.changes import change_party, entries_of
from azionelab.bookings.box_office.customers import find_customers
from azionelab.bookings.box_office.errors import AlreadyBooked, Double, UndoTooLate
from azionelab.bookings.box_office.house_seats import house_seats
from azionelab.bookings.box_office.just_booked import can_undo, undo_booking
from azionelab.bookings.errors import BookingError, ReservationChanged, ReservationUnknown
from azionelab.bookings.models import Kind, Reservation
from azionelab.bookings.tickets.files import qr_png, ticket_pdf
from azionelab.checkin.house.counts import house_counts
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.staff.rights import Right
from azionelab.web.dates import format_date

_ADD = "add"


class BookingPages(PerformancePages):
    """A booking for somebody at a performance."""

    @expose("/<int:performance_id>/book", methods=("GET", "POST"))
    @needs(Right.BOOK)
    def book(self, performance_id: int) -> Any:
        """Show the form and what was booked last; book."""
        performance = get_performance(performance_id)
        form = BookForm().offer(house_seats(performance_id), performance.wheelchair_places)
        double: Double | None = None
        if form.validate_on_submit():
            try:
                booked = _book(performance, form)
                return redirect(
                    # The page says what was booked, also when it is loaded again.
                    self.get_url(
                        ".book",
                        performance_id=performance_id,
                        booked=booked.id,
                        added="yes" if form.double.data == _ADD else None,
                    )
                )
            except Double as found:
                double = found
            except BookingError as refusal:
                name, text = describe_refusal(refusal)
                form[name].errors = [*form[name].errors, text]
        page = self.page(
            "box_office/book",
            performance,
            form=form,
            double=double,
            same_address=isinstance(double, AlreadyBooked),
            last=self._last(performance_id),
            counts=house_counts([performance_id])[performance_id],
            coming=next_performances(),
        )
        return page, 422 if form.is_submitted() else 200

    @expose("/<int:performance_id>/undo-booking", methods=("POST",))
    @needs(Right.BOOK)
    def undo_booking(self, performance_id: int) -> Response:
        """Undo what was booked last; the form is ready for the next caller."""
        get_performance(performance_id)
        identity = read_identity(Reservation, request.form.get("id"))
        try:
            if not isinstance(identity, UUID):
                raise ReservationUnknown
            told = undo_booking(identity)
        except UndoTooLate:
            flash(
                gettext("This can no longer be undone here. Cancel the reservation instead."),
                "error",
            )
        except BookingError as refusal:
            flash(describe_refusal(refusal)[1], "error")
        else:
            done = gettext("Undone: the seats are free again.")
            if told:
                done += " " + gettext(
                    "The ticket had left already, so an e-mail says that it is cancelled."
                )
            flash(done, "success")
        return redirect(self.get_url(".book", performance_id=performance_id))

    @expose("/<int:performance_id>/customers", methods=("POST",))
    @needs(Right.BOOK)
    @only_reads
    def customers(self, performance_id: int) -> Response:
        """People who booked before and whose name begins as what is typed; not in the address, so in no log."""
        found = find_customers(request.form.get("typed", ""), performance_id)
        answer: Response = jsonify(
            [
                {
                    "name": one.name,
                    "email": one.email,
                    "locale": one.locale,
                    "about": _about(one.email, format_date(one.last, "d MMM y"), one.seats_here),
                }
                for one in found
            ]
        )
        return answer

    @expose("/<int:performance_id>/tickets/<uuid:reservation_id>")
    @needs(Right.BOOK)
    def ticket(self, performance_id: int, reservation_id: UUID) -> str:
        """Show a ticket large, to be photographed by whoever stands at the desk."""
        reservation = _ticketed(performance_id, reservation_id)
        return self.page("box_office/ticket", reservation.performance, reservation=reservation)

    @expose("/<int:performance_id>/tickets/<uuid:reservation_id>/qr.png")
    @needs(Right.BOOK)
    def ticket_qr(self, performance_id: int, reservation_id: UUID) -> Response:
        """The ticket's QR."""
        return _file(qr_png(_ticketed(performance_id, reservation_id)), "image/png")

    @expose("/<int:performance_id>/tickets/<uuid:reservation_id>/ticket.pdf")
    @needs(Right.BOOK)
    def ticket_pdf(self, performance_id: int, reservation_id: UUID) -> Response:
        """The ticket to print, in the visitor's language."""
        reservation = _ticketed(performance_id, reservation_id)
        with force_locale(reservation.locale):
            return _file(ticket_pdf(reservation), "application/pdf")

    def _last(self, performance_id: int) -> dict[str, Any] | None:
        """The booking that the address names, with whether it can be undone."""
        identity = read_identity(Reservation, request.args.get("booked"))
        if not isinstance(identity, UUID):
            return None
        reservation = db.session.get(Reservation, identity)
        if reservation is None or reservation.performance_id != performance_id:
            return None
        is_live = reservation.is_live and not reservation.is_lapsed(now())
        return {
            "reservation": reservation,
            "is_live": is_live,
            "added": "added" in request.args,
            "can_undo": is_live and "added" not in request.args and can_undo(reservation, now()),
            "at_desk": reservation.kind == Kind.DESK,
        }


def _book(performance: Performance, form: BookForm) -> Reservation:
    """Book as the form says: a new booking, or more seats in the one that the page showed."""
    wheelchair = form.wheelchair_places.data if form.wheelchair_places else 0
    if form.double.data != _ADD:
        return book_for(
            performance.id,
            form.guest,
            form.seats.data,
            form.terms,
            form.key,
            wheelchair_places=wheelchair,
        )
    identity = read_identity(Reservation, request.form.get("add_to"))
    reservation = db.session.get(Reservation, identity) if isinstance(identity, UUID) else None
    seen = request.form.get("add_seen", type=int)
    if reservation is None or reservation.performance_id != performance.id or not seen:
        raise ReservationUnknown
    if reservation.seats not in (seen, seen + form.seats.data):
        raise ReservationChanged
    entries = entries_of(reservation)
    # Pressed again, it asks for what is there already.
    more = wheelchair if reservation.seats == seen else 0
    change_party(
        reservation.id,
        replace(
            entries,
            seats=seen + form.seats.data,
            wheelchair_places=entries.wheelchair_places + more,
        ),
        reservation.changed_in,
        reason=form.limit_reason.data or "",
        notify=bool(form.with_mail.data),
    )
    return db.session.get_one(Reservation, reservation.id)


def _ticketed(performance_id: int, reservation_id: UUID) -> Reservation:
    """The reservation, if it has a valid ticket of this performance; 404."""
    reservation = db.session.get(Reservation, reservation_id)
    if (
        reservation is None
        or reservation.performance_id != performance_id
        or not reservation.has_ticket
    ):
        abort(404)
    return reservation


def _file(content: bytes, kind: str) -> Response:
    response = make_response(content)
    response.mimetype = kind
    return response


def _about(email: str, last: str, seats_here: int) -> str:
    """What tells two people of one name apart, and whether they are coming already."""
    parts = [email, gettext("last: %(date)s", date=last)]
    if seats_here:
        parts.append(gettext("has booked this evening: %(num)s", num=seats_here))
    return " · ".join(part for part in parts if part)
