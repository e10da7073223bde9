"""Texts for staff: a note that somebody else changed, and what a change does."""

from typing import Any

from flask_babel import gettext, ngettext

from azionelab.admin.reservations.forms import LANGUAGES, ChangeForm, HouseSeatsForm, NoteForm
from azionelab.bookings.box_office.changes import ends_links, reason_of
from azionelab.bookings.box_office.outcomes import Outcome
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
    places = form.wheelchair_places
    if places and places.data != reservation.wheelchair_places:
        before, after = str(reservation.wheelchair_places), str(places.data)
        lines.append(_before_and_after(places.label.text, before, after))
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
