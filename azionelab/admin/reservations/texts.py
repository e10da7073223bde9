"""Texts for staff: refusals of the booking rules, and what a change does."""

from typing import Any

from flask_babel import gettext, ngettext

from azionelab.admin.reservations.forms import LANGUAGES, ChangeForm, HouseSeatsForm, NoteForm
from azionelab.bookings.box_office.changes import ends_links, reason_of
from azionelab.bookings.box_office.errors import HoldTooLong
from azionelab.bookings.box_office.outcomes import Outcome
from azionelab.bookings.errors import (
    AddressTaken,
    BookingError,
    HoldExpired,
    NotFewerSeats,
    NotMergeable,
    NotMovable,
    NotSplittable,
    PartyInside,
    PartyOverLimit,
    PartyTooLarge,
    PerformanceStarted,
    PerformanceUnknown,
    ReservationChanged,
    ReservationEnded,
    SeatsOfHouse,
    SeatsReleased,
    SoldOut,
    UndoOver,
    VisitorErased,
)
from azionelab.bookings.models import Reservation
from azionelab.web.dates import format_datetime


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


def describe_refusal(refusal: BookingError) -> str:  # noqa: PLR0911, PLR0912 (one text for each refusal)
    """Describe a refusal of the booking rules."""
    match refusal:
        case HoldTooLong():
            return gettext(
                "Choose a moment to come, at the latest the curtain: %(at)s.",
                at=format_datetime(refusal.curtain),
            )
        case HoldExpired():
            return gettext("It was not confirmed in time, and its seats have been released.")
        case ReservationEnded():
            return gettext("This reservation is no longer active.")
        case ReservationChanged():
            return gettext(
                "Somebody else has changed this reservation while you had the page open. Nothing was saved: look"
                " at it as it is now, and press again."
            )
        case PartyInside():
            return ngettext(
                "%(num)s of the party is already in.",
                "%(num)s of the party are already in.",
                refusal.admitted,
            )
        case SoldOut(seats_left=0):
            return gettext("There is no free seat.")
        case SoldOut():
            return ngettext(
                "Only %(num)s seat is free.", "Only %(num)s seats are free.", refusal.seats_left
            )
        case PartyOverLimit():
            return gettext(
                "More than %(limit)s seats need a reason: write it in the field for it.",
                limit=refusal.limit,
            )
        case PartyTooLarge():
            return gettext("A reservation can have at most %(limit)s seats.", limit=refusal.limit)
        case AddressTaken(reference=""):
            return gettext("This address already has a booking for this performance.")
        case AddressTaken():
            return gettext(
                "This address already has a booking for this performance: %(reference)s. You can merge the two.",
                reference=refusal.reference,
            )
        case NotFewerSeats():
            return gettext("A party has one person at least. To give up all seats, cancel it.")
        case NotMovable() | PerformanceUnknown():
            return gettext(
                "The party cannot be moved there: choose a performance that is still to come."
            )
        case NotSplittable():
            return gettext("One person at least has to be in each of the two reservations.")
        case NotMergeable():
            return gettext(
                "Only two live reservations of one performance can be merged. A confirmed one is merged with one"
                " that is not confirmed from its own page."
            )
        case SeatsReleased():
            return gettext(
                "Seats of this party were released as no-shows. Restore them on the page of the performance first."
            )
        case SeatsOfHouse():
            return gettext(
                "These seats are kept back for the house: give them to somebody, or release them."
            )
        case UndoOver():
            return gettext(
                "It cannot be undone (any more): it was undone already, the time is over, or something has changed since."
            )
        case VisitorErased():
            return gettext("The name has been erased: nothing about the visitor can be kept.")
        case PerformanceStarted():
            return gettext("The curtain is up: the reservation can no longer be changed.")
        case _:
            return gettext("Reservation not found.")


def describe_changes(reservation: Reservation, form: ChangeForm, outcome: Outcome) -> list[str]:
    """What saving the form changes, one line for each entry: before and after."""
    lines = []
    for field in (form.name, form.email, form.locale, form.note):
        before, after = (
            str(value or "") for value in (getattr(reservation, field.name), field.data)
        )
        if before != after:
            shown = [LANGUAGES.get(value, value) for value in (before, after)]
            lines.append(_before_and_after(field.label.text, *shown))
    if ends_links(reservation.email, form.email.data or ""):
        lines.append(
            gettext(
                "Links that were sent to the old address no longer open the booking. The ticket stays valid."
            )
        )
    if form.seats.data != reservation.seats:
        lines.append(
            _before_and_after(form.seats.label.text, str(reservation.seats), str(form.seats.data))
            + ". "
            + describe_free(outcome)
        )
    reason = reason_of(reservation, form.seats.data, form.reason.data or "")
    if reason != reservation.limit_reason:
        lines.append(_before_and_after(form.reason.label.text, reservation.limit_reason, reason))
    return lines


def describe_house_changes(house: Reservation, form: HouseSeatsForm, outcome: Outcome) -> list[str]:
    """What saving the form of house seats changes, one line for each entry."""
    lines = []
    if form.house_note.data != house.name:
        label = form.house_note.label.text
        lines.append(_before_and_after(label, house.name, form.house_note.data))
    if form.house_seats.data != house.seats:
        label, seats = form.house_seats.label.text, str(form.house_seats.data)
        shown = _before_and_after(label, str(house.seats), seats)
        lines.append(f"{shown}. {describe_free(outcome)}")
    curtain = house.performance.starts_at
    before, after = house.hold_expires_at, form.until_of(house) or curtain
    if before != after:
        label = form.house_until.label.text
        lines.append(_before_and_after(label, *map(format_datetime, (before, after))))
    return lines


def describe_free(outcome: Outcome) -> str:
    """How many seats of the performance are free afterwards."""
    return ngettext(
        "Then %(num)s seat is free.", "Then %(num)s seats are free.", max(0, outcome.free or 0)
    )


def _before_and_after(what: Any, before: str, after: str) -> str:
    return gettext(
        "%(what)s: %(before)s → %(after)s",
        what=what,
        before=before or gettext("(empty)"),
        after=after or gettext("(empty)"),
    )
