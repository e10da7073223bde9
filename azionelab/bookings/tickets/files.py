"""The ticket as QR, PDF and calendar entry: made when asked for, never stored.

The files of an invalid ticket (`has_ticket`) say so: the sheet has no code, and the calendar entry is a
cancellation.

All three may be photographed, printed and shared, so none has the visitor's name or address, or the token of
their own page.
"""

import threading
from datetime import datetime
from email.utils import parseaddr
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import qrcode
from flask import current_app
from flask_babel import gettext
from icalendar import Calendar, Event, vCalAddress
from qrcode.constants import ERROR_CORRECT_M

from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.curtain import read_curtain
from azionelab.bookings.tickets.signing import DIGITS, TAIL, write_ticket
from azionelab.database import now
from azionelab.languages import current_language
from azionelab.shows.facts.formatting import plain
from azionelab.shows.facts.texts import doors_open, in_language
from azionelab.shows.limits import MAX_PARTY
from azionelab.shows.models import Performance, Venue
from azionelab.theme.current import theatre_name
from azionelab.validation.email_addresses import ascii_address
from azionelab.web.dates import format_datetime
from azionelab.web.site_urls import site_host, site_url

# Threads of one process share its interpreter: several sheets at once are not faster.
_ONE_SHEET = threading.Lock()

_EDITS_ADDED = 9  # at most, to an event's revision
_DOT = 8  # pixels a side of the QR's smallest square


def ticket_url(reservation: Reservation) -> str:
    """The address in the QR. It is for the door, and opens nothing else."""
    return address_of(write_ticket(reservation))


def address_of(ticket: str) -> str:
    """A ticket's address. Scheme and host are case-insensitive, and in capitals they need less of a QR."""
    head, tail = ticket.split("/")
    scheme, host, path, *_ = urlsplit(site_url("checkin.signed_ticket", head=head, tail=tail))
    return f"{scheme.upper()}://{host.upper()}{path}"


def qr_png(reservation: Reservation) -> bytes:
    """The QR as a PNG image."""
    image = BytesIO()
    qr_of(ticket_url(reservation)).make_image().save(image, "PNG")
    return image.getvalue()


def qr_of(url: str) -> "qrcode.QRCode[Any]":
    """The QR of a ticket's address, each piece in its shortest mode: digits need the least space."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, box_size=_DOT, border=4)
    digits = len(url) - DIGITS - 1
    for piece in (url[:digits], url[digits : -TAIL - 1], "/", url[-TAIL:]):
        code.add_data(piece, optimize=0)
    code.make(fit=True)
    return code


def ticket_pdf(reservation: Reservation, *, for_phone: bool = False) -> bytes:
    """The ticket on a sheet of A4, or as a page for a phone, in the current language and the theatre's time zone.

    One is made at a time, since each reads the fonts anew, which takes memory (docs/scaling.md).
    """
    with _ONE_SHEET:
        return _ticket_pdf(reservation, for_phone=for_phone)


def _ticket_pdf(reservation: Reservation, *, for_phone: bool) -> bytes:
    # The PDF library is half of all loaded code: mails, commands and the worker do not load it.
    from azionelab.bookings.tickets import sheets  # noqa: PLC0415

    performance = reservation.performance
    valid = reservation.has_ticket
    hints = (
        gettext("Please show this code at the door, on paper or on your phone."),
        gettext(
            "It admits your whole party, together or separately. Seats are not numbered: arrive early for the"
            " best choice."
        ),
    )
    text = sheets.TicketText(
        document=f"{gettext('Your ticket')}: {performance.show.title}",
        site=theatre_name(),
        title=performance.show.title,
        when=format_datetime(performance.starts_at),
        venue=performance.venue.name,
        address=performance.venue.address,
        seats=_seats(reservation),
        reference=reservation.reference,
        labels=(gettext("When"), gettext("Where"), gettext("Seats"), gettext("Reference")),
        code=gettext("QR code of your ticket"),
        hints=hints if valid else (),
        way=_way(performance) if valid else (),
        void="" if valid else why_void(reservation),
    )
    draw = sheets.phone_ticket if for_phone else sheets.paper_ticket
    return draw(text, read_curtain(), qr_png(reservation) if valid else None)


def _way(performance: Performance) -> tuple[tuple[str, str], ...]:
    """When the doors open, and how to get there, as far as the theatre says it."""
    doors = doors_open(performance.show)
    directions = in_language(performance.venue.directions, current_language())
    told = ((gettext("Doors open"), doors), (gettext("How to get there"), plain(directions.text)))
    return tuple((heading, text) for heading, text in told if text)


def event_ics(reservation: Reservation) -> bytes:
    """The performance as an iCalendar event (RFC 5545), in UTC.

    For an invalid ticket it is a cancellation (RFC 5546), which removes the event of the same `uid` from the
    calendar.
    """
    performance = reservation.performance
    show, at = performance.show, now()
    event = Event()
    event.add("uid", f"{reservation.id}@{site_host()}")
    event.add("sequence", _sequence(reservation, at))
    event.add("dtstamp", at)
    event.add("dtstart", performance.starts_at)
    event.add("dtend", performance.ends_at)
    event.add("summary", show.title)
    event.add("location", place(performance.venue))
    event.add("description", _description(reservation))
    event.add("organizer", _organizer())
    event.add("status", "CONFIRMED" if reservation.has_ticket else "CANCELLED")
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", f"-//{theatre_name()}//AzioneLab//EN")
    calendar.add("method", event_method(reservation))
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _sequence(reservation: Reservation, at: datetime) -> int:
    """The revision number of the event (RFC 5545, 3.8.7.4).

    Tenths of a second since the booking grow without a stored counter, for six years. Changes within one moment are
    added: the performance's first edits, the party's reductions, the cancellation. What a larger party, or another
    evening, takes off again is made up for within seconds.
    """
    tenths = int((at - reservation.created_at).total_seconds() * 10)
    edits = min(reservation.performance.version, _EDITS_ADDED)
    return tenths + edits + (MAX_PARTY - reservation.seats) + (not reservation.has_ticket)


def event_method(reservation: Reservation) -> str:
    """The calendar entry's METHOD (RFC 5546): publish the event, or cancel it."""
    return "PUBLISH" if reservation.has_ticket else "CANCEL"


def _description(reservation: Reservation) -> str:
    reference = f"{gettext('Reference')}: {reservation.reference}"
    void = [] if reservation.has_ticket else [why_void(reservation)]
    return "\n".join([*void, _seats(reservation), reference])


def why_void(reservation: Reservation) -> str:
    """Why the ticket is not valid any more, in the current language."""
    if reservation.performance.cancelled_at is not None:
        return gettext("This performance is cancelled.")
    return gettext("This booking was cancelled.")


def _seats(reservation: Reservation) -> str:
    return reservation.places.words


def _organizer() -> vCalAddress:
    config = current_app.config["AZIONELAB"]
    _name, address = parseaddr(config.contact_email or config.mail_default_sender)
    organizer = vCalAddress(f"mailto:{ascii_address(address)}")
    organizer.params["cn"] = theatre_name()
    return organizer


def place(venue: Venue) -> str:
    """The venue and its address in one line."""
    return ", ".join(part for part in (venue.name, venue.address) if part)
