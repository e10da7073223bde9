"""Notices of the door: late parties, released seats, rate limits, warnings about the performance."""

from datetime import datetime, timedelta

from flask_babel import gettext, ngettext

from azionelab.bookings.seats.no_show_seats import NoShowSeats
from azionelab.shows.programme import Listing
from azionelab.web.dates import format_time, is_same_day

_DOORS_OPEN = timedelta(hours=6)  # before the curtain, also where that is after midnight


def unnamed_staff_text() -> str:
    """Stands for an account without a name: a door never shows e-mail addresses."""
    return gettext("a member of staff")


def describe_more_found(shown: int | str) -> str:
    """Say that a search found more parties than it shows."""
    return gettext("More than %(num)s: type more of the name.", num=shown)


def too_many_searches_text() -> str:
    """For more searches than limits.SEARCHES allows."""
    return gettext("Too many name searches. Please try again in a minute.")


def foreign_code_text() -> str:
    """For a code that is neither a ticket nor a reference (codes.py)."""
    return gettext("This code is neither a ticket nor a booking reference. Nothing was recorded.")


def too_many_attempts_text() -> str:
    """For more attempts than pace.ATTEMPTS allows."""
    return gettext("Too many attempts. Please try again in a minute.")


def describe_coming(until: datetime | None) -> str:
    """That a party is on its way, and until when a release keeps its seats; None: not any more."""
    if until is None:
        return gettext("Noted: a release takes the seats of this party like all others.")
    return gettext(
        "Noted: a release keeps the seats of this party until %(at)s.", at=format_time(until)
    )


def describe_late_arrival(late_at: datetime) -> str:
    """The time at which a late party expects to come."""
    return gettext("Expected late, at about %(at)s", at=format_time(late_at))


def describe_still_held(found: NoShowSeats) -> str:
    """The seats that a release keeps because their parties announced to come late; "" if there are none."""
    if not found.late_places:
        return ""
    held = gettext(
        "Still held for people who said they will be late: %(places)s of %(parties)s.",
        places=count_seats(found.late_places),
        parties=count_parties(found.late_parties),
    )
    if found.late_until is None:
        return held
    until = gettext(
        "From %(at)s on, these seats are released like the others.",
        at=format_time(found.late_until),
    )
    return f"{held} {until}"


def describe_release(released: NoShowSeats) -> str:
    """The result of releasing no-shows."""
    kept = describe_still_held(released)
    if released.places:
        text = gettext(
            "Released: %(places)s of %(parties)s.",
            places=count_seats(released.places),
            parties=count_parties(released.parties),
        )
    elif kept:
        text = gettext("No seats were released. Booking is closed.")
    else:
        text = gettext("Nobody was missing, so no seats were released. Booking is closed.")
    return f"{text} {kept}".rstrip()


def describe_restored(restored: NoShowSeats) -> str:
    """The result of restoring released seats."""
    held = gettext(
        "Held again: %(places)s of %(parties)s.",
        places=count_seats(restored.places),
        parties=count_parties(restored.parties),
    )
    if not restored.missing:
        return held
    taken = ngettext(
        "%(num)s seat has been taken in the meantime and cannot be held again.",
        "%(num)s seats have been taken in the meantime and cannot be held again.",
        restored.missing,
    )
    return f"{held} {taken}"


def count_seats(number: int) -> str:
    """A number of seats, with its noun."""
    return ngettext("%(num)s seat", "%(num)s seats", number)


def count_parties(number: int) -> str:
    """A number of parties, with its noun."""
    return ngettext("%(num)s party", "%(num)s parties", number)


def reentry_text() -> str:
    """For a performance with exit and re-entry."""
    return gettext("Exit and re-entry are on: also scan people who go out.")


def performance_warning(performance: Listing, at: datetime) -> str:
    """Why this may be the wrong performance to open the door for now; "" if nothing speaks against it."""
    if performance.cancelled_at:
        return gettext("This performance was cancelled: admit nobody.")
    if performance.ends_at < at:
        return gettext("This performance is over.")
    if performance.starts_at - at > _DOORS_OPEN and not is_same_day(performance.starts_at, at):
        return gettext("This performance is not today.")
    return ""
