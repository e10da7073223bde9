"""Texts for staff: a note that somebody else changed, and refusals of the booking rules."""

from flask_babel import gettext, ngettext

from azionelab.admin.reservations.forms import NoteForm
from azionelab.bookings.errors import (
    BookingError,
    HoldExpired,
    NotFewerSeats,
    PartyInside,
    PerformanceStarted,
    ReservationEnded,
    SeatsChanged,
    SoldOut,
    VisitorErased,
)
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.error_texts import explain


def note_form(reservation: Reservation) -> NoteForm:
    """The form with the stored note, ignoring what another form of the page sent."""
    return NoteForm(formdata=None, note=reservation.note, note_seen=reservation.note)


def mark_changed_note(form: NoteForm, now_is: str) -> None:
    """Put the other person's note into the form as an error; the input stays, a second press saves it."""
    told = (
        gettext(
            "Somebody else has changed the note to: “%(note)s”. Press again to replace it with yours.",
            note=now_is,
        )
        if now_is
        else gettext("Somebody else has removed the note. Press again to save yours.")
    )
    form.note.errors = [*form.note.errors, told]
    form.note_seen.data = now_is


def describe_refusal(refusal: BookingError) -> str:  # noqa: PLR0911 (one text for each refusal)
    """Describe a refusal of the booking rules."""
    match refusal:
        case HoldExpired():
            return gettext("It was not confirmed in time, and its seats have been released.")
        case ReservationEnded():
            return gettext("This reservation is no longer active.")
        case PartyInside():
            return ngettext(
                "%(num)s of the party is already in.",
                "%(num)s of the party are already in.",
                refusal.admitted,
            )
        case SeatsChanged() | SoldOut():
            return explain(refusal)
        case NotFewerSeats():
            return gettext("The number of seats can only be reduced.")
        case VisitorErased():
            return gettext("The name has been erased, so no note can be kept for this party.")
        case PerformanceStarted():
            return gettext("The curtain is up: the reservation can no longer be changed.")
        case _:
            return gettext("Reservation not found.")
