"""What the door says besides a verdict: lateness, released places, limits, cautions."""

from datetime import datetime, timedelta

from flask_babel import gettext, ngettext

from azionelab.bookings.places import Places
from azionelab.shows.limits import length
from azionelab.shows.programme import Listing
from azionelab.web.dates import clock, is_same_day

_DOORS_OPEN = timedelta(hours=6)  # before the curtain, at the earliest: one after midnight too


def say_somebody() -> str:
    """Who let somebody in, of an account without a name: an address is nobody's to read at a door."""
    return gettext("somebody of the staff")


def tell_more(shown: int | str) -> str:
    """That a search found more than are shown."""
    return gettext("More than %(num)s: type more of the name.", num=shown)


def say_many_searches() -> str:
    """That names were looked for too often (limits.SEARCHES)."""
    return gettext("Many names were looked for here. Please try again in a minute.")


def say_foreign() -> str:
    """That a code is none of ours (codes.py)."""
    return gettext("Not one of our tickets, and no reference: nothing was recorded.")


def say_many_attempts() -> str:
    """That more was tried here than a queue does (pace.ATTEMPTS)."""
    return gettext("More was tried here than anybody can scan. Please try again in a minute.")


def tell_late(late_at: datetime) -> str:
    """About when a party comes that told us it will be late."""
    return gettext("Late, about %(at)s", at=clock(late_at))


def tell_kept(found: Places) -> str:
    """Whose places a release leaves out, since they told us that they come late; "" for nobody's."""
    if not found.late_places:
        return ""
    return gettext(
        "Still held for who said that they come late: %(places)s of %(parties)s.",
        places=tell_places(found.late_places),
        parties=tell_parties(found.late_parties),
    )


def tell_released(released: Places) -> str:
    """What a release did."""
    kept = tell_kept(released)
    if released.places:
        told = gettext(
            "Released: %(places)s of %(parties)s.",
            places=tell_places(released.places),
            parties=tell_parties(released.parties),
        )
    elif kept:
        told = gettext("No place was released. Booking is closed.")
    else:
        told = gettext("Nobody was missing: no place was released. Booking is closed.")
    return f"{told} {kept}".rstrip()


def tell_restored(restored: Places) -> str:
    """What taking a release back could give back."""
    given = gettext(
        "Held again: %(places)s of %(parties)s.",
        places=tell_places(restored.places),
        parties=tell_parties(restored.parties),
    )
    if not restored.missing:
        return given
    lost = ngettext(
        "%(num)s place is taken by now, and could not be given back.",
        "%(num)s places are taken by now, and could not be given back.",
        restored.missing,
    )
    return f"{given} {lost}"


def tell_places(number: int) -> str:
    """So many places."""
    return ngettext("%(num)s place", "%(num)s places", number)


def tell_parties(number: int) -> str:
    """So many parties."""
    return ngettext("%(num)s party", "%(num)s parties", number)


def say_reentry() -> str:
    """That staff have switched exit and re-entry on."""
    return gettext("Exit and re-entry are on: scan also who goes out.")


def caution(performance: Listing, at: datetime) -> str:
    """Why this may be the wrong evening for a door at this moment; nothing when it is not."""
    if performance.cancelled_at:
        return gettext("This performance was cancelled: nobody is let in.")
    if performance.starts_at + length(performance.duration_minutes) < at:
        return gettext("This performance is over.")
    if performance.starts_at - at > _DOORS_OPEN and not is_same_day(performance.starts_at, at):
        return gettext("This performance is not today.")
    return ""
