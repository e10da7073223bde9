"""The ticket's files: QR, PDF, calendar entry."""

from flask import Response, abort, make_response
from flask_babel import gettext

from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.own_booking import reservation_of
from azionelab.bookings.pages.views import blueprint
from azionelab.bookings.tickets.files import event_ics, qr_png, ticket_pdf


@blueprint.get("/bookings/<token>/qr.png", endpoint="qr", in_languages=False)
def qr_image(token: str) -> Response:
    """The ticket's QR, while the ticket is valid."""
    reservation = _ticketed(token)
    if not reservation.has_ticket:
        abort(404, gettext("This ticket is no longer valid."))
    return _file(qr_png(reservation), "image/png", None)


@blueprint.get("/bookings/<token>/ticket.pdf", endpoint="pdf")
def pdf_file(token: str) -> Response:
    """The ticket to print."""
    reservation = _ticketed(token)
    return _file(ticket_pdf(reservation), "application/pdf", f"{reservation.reference}.pdf")


@blueprint.get("/bookings/<token>/ticket-phone.pdf", endpoint="phone_pdf")
def phone_pdf_file(token: str) -> Response:
    """The ticket for a phone's screen."""
    reservation = _ticketed(token)
    return _file(
        ticket_pdf(reservation, for_phone=True), "application/pdf", f"{reservation.reference}.pdf"
    )


@blueprint.get("/bookings/<token>/event.ics", endpoint="ics")
def ics_file(token: str) -> Response:
    """The performance as an entry for the visitor's calendar."""
    reservation = _ticketed(token)
    return _file(event_ics(reservation), "text/calendar", f"{reservation.reference}.ics")


def _ticketed(token: str) -> Reservation:
    """The reservation, if it ever had a ticket; the file of an invalid ticket says so itself."""
    reservation = reservation_of(token)
    if reservation.confirmed_at is None:
        abort(404, gettext("There is no ticket yet: the booking has not been confirmed."))
    return reservation


def _file(content: bytes, kind: str, name: str | None) -> Response:
    response = make_response(content)
    response.mimetype = kind
    if name:
        response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
