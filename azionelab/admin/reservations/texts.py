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
            "Somebody else wrote this meanwhile: “%(note)s”. Press once more to put yours in its place.",
            note=now_is,
        )
        if now_is
        else gettext("Somebody else took the note away meanwhile. Press once more to write yours.")
    )
    form.note.errors = [*form.note.errors, told]
    form.note_seen.data = now_is


def describe_refusal(refusal: BookingError) -> str:  # noqa: PLR0911 (one text for each refusal)
    """Describe a refusal of the booking rules."""
    match refusal:
        case HoldExpired():
            return gettext("It was not confirmed in time: its seats are free again.")
        case ReservationEnded():
            return gettext("This reservation has ended.")
        case PartyInside():
            return ngettext(
                "%(num)s of the party is in already.",
                "%(num)s of the party are in already.",
                refusal.admitted,
            )
        case SeatsChanged() | SoldOut():
            return explain(refusal)
        case NotFewerSeats():
            return gettext("A party can only be made smaller.")
        case VisitorErased():
            return gettext("The name is erased: no note is kept of this party either.")
        case PerformanceStarted():
            return gettext("The curtain is up: nothing can be changed any more.")
        case _:
            return gettext("There is no such reservation.")
