"""A booking in schema.org's vocabulary, for mailboxes that show it as a card or put it into a calendar.

The fields are those of Google's documentation of EventReservation. Mail programs that know nothing of it show
nothing of it.
"""

from typing import Any

from flask import current_app

from azionelab.bookings.mails.templates.values import proven_name
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.visitor_links import make_link_token
from azionelab.validation.postal_addresses import postal_address
from azionelab.web.site_urls import site_url


def booking_markup(reservation: Reservation) -> dict[str, Any] | None:
    """The booking as JSON-LD; None while it waits for the visitor to confirm it, or if they never did.

    Its ticket stays in the mail's picture: what a mailbox keeps of a mail must not open the door.
    """
    if reservation.confirmed_at is None:
        return None
    performance = reservation.performance
    zone = current_app.config["AZIONELAB"].time_zone
    page = site_url("bookings.booking", token=make_link_token(reservation))
    markup: dict[str, Any] = {
        "@context": "http://schema.org",
        "@type": "EventReservation",
        "reservationNumber": reservation.reference,
        "reservationStatus": f"http://schema.org/{_status(reservation)}",
        "numSeats": str(reservation.seats),
        "url": page,
        "modifyReservationUrl": page,
        "reservationFor": {
            "@type": "TheaterEvent",
            "name": performance.show.title,
            "startDate": performance.starts_at.astimezone(zone).isoformat(timespec="seconds"),
            "endDate": performance.ends_at.astimezone(zone).isoformat(timespec="seconds"),
            "location": {
                "@type": "PerformingArtsTheater",
                "name": performance.venue.name,
                "address": postal_address(performance.venue.address),
            },
        },
    }
    if name := proven_name(reservation):
        markup["underName"] = {"@type": "Person", "name": name}
    return markup


def _status(reservation: Reservation) -> str:
    if reservation.has_ticket:
        return "ReservationConfirmed"
    return "ReservationPending" if reservation.state == State.PENDING else "ReservationCancelled"
