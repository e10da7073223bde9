"""The ticket's files: QR, PDF, calendar entry, passes for wallets."""

from flask import Response, abort, make_response, redirect
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.own_booking import reservation_of
from azionelab.bookings.pages.views import blueprint
from azionelab.bookings.tickets.files import event_ics, qr_png, ticket_pdf
from azionelab.bookings.wallet.apple import MIME_TYPE, apple_pass
from azionelab.bookings.wallet.google import google_link
from azionelab.bookings.wallet.offers import find_apple_keys, find_google_keys
from azionelab.database import now


@blueprint.get("/bookings/<token>/qr.png", endpoint="qr", in_languages=False)
def qr_image(token: str) -> Response:
    """The ticket's QR, while the ticket is valid."""
    return _file(qr_png(_valid(token)), "image/png", None)


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


@blueprint.get("/bookings/<token>/ticket.pkpass", endpoint="apple_pass")
def apple_pass_file(token: str) -> Response:
    """The ticket for Apple Wallet. That of an invalid ticket takes the place of the one on the phone."""
    reservation = _ticketed(token)
    keys = find_apple_keys(now())
    if keys is None:
        abort(404, gettext("This wallet is not available. Please use the ticket as PDF."))
    return _file(apple_pass(reservation, keys), MIME_TYPE, f"{reservation.reference}.pkpass")


@blueprint.get("/bookings/<token>/google-wallet", endpoint="google_pass")
def google_pass(token: str) -> AnyResponse:
    """Lead on to Google Wallet, which saves the pass that the address holds."""
    reservation = _valid(token)
    keys = find_google_keys()
    if keys is None:
        abort(404, gettext("This wallet is not available. Please use the ticket as PDF."))
    return redirect(google_link(reservation, keys, now()), 303)


def _valid(token: str) -> Reservation:
    """The reservation, while its ticket is valid."""
    reservation = _ticketed(token)
    if not reservation.has_ticket:
        abort(404, gettext("This ticket is no longer valid."))
    return reservation


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
