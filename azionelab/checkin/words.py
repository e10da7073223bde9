"""What the door tells its staff, in words: one headline and one sentence for each verdict."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext, ngettext

from azionelab.bookings.locks import LockedParty
from azionelab.bookings.models import Reservation
from azionelab.checkin.rules import FirstAdmission, Verdict
from azionelab.checkin.verdicts import Kind
from azionelab.dates import clock, is_same_day, when
from azionelab.shows.limits import length
from azionelab.shows.programme import Listing

_DOORS_OPEN = timedelta(hours=6)  # before the curtain, at the earliest: one after midnight too


@dataclass(frozen=True)
class Told:
    """A verdict as the door page shows it."""

    kind: str
    headline: str
    detail: str
    reservation: Reservation | LockedParty | None
    remaining: int
    people: int
    scan_id: str
    can_undo: bool
    first_admission: FirstAdmission | None


def tell(verdict: Verdict) -> Told:
    """The verdict in the language of the request."""
    party = verdict.reservation
    remaining = party.to_come if party else 0
    headline, detail = (
        (gettext("Undone"), gettext("They count as outside again."))
        if verdict.undone
        else _words(verdict, remaining)
    )
    return Told(
        kind="undone" if verdict.undone else verdict.kind,
        headline=headline,
        detail=detail,
        reservation=party,
        remaining=remaining,
        people=verdict.people,
        scan_id=str(verdict.scan_id),
        can_undo=verdict.kind is Kind.ADMITTED and not verdict.undone,
        first_admission=verdict.first,
    )


def caution(performance: Listing, at: datetime) -> str:
    """Why this may be the wrong evening for a door at this moment; nothing when it is not."""
    if performance.cancelled_at:
        return gettext("This performance was cancelled: nobody is let in.")
    if performance.starts_at + length(performance.duration_minutes) < at:
        return gettext("This performance is over.")
    if performance.starts_at - at > _DOORS_OPEN and not is_same_day(performance.starts_at, at):
        return gettext("This performance is not today.")
    return ""


def _words(verdict: Verdict, remaining: int) -> tuple[str, str]:  # noqa: PLR0911, PLR0912 (one each)
    match verdict.kind:
        case Kind.ADMITTED:
            headline = ngettext("Let %(num)s in", "Let %(num)s in", verdict.people)
            if remaining:
                return headline, ngettext(
                    "%(num)s of the party is still to come.",
                    "%(num)s of the party are still to come.",
                    remaining,
                )
            return headline, gettext("The party is complete.")
        case Kind.ALREADY_IN:
            return gettext("Already in"), _first(verdict.first)
        case Kind.CHANGED:
            return gettext("Look again"), gettext(
                "Others of this party came in meanwhile: %(left)s still to come.", left=remaining
            )
        case Kind.TOO_MANY:
            return gettext("Too many"), ngettext(
                "Only %(num)s of the party is still to come.",
                "Only %(num)s of the party are still to come.",
                remaining,
            )
        case Kind.WRONG_PERFORMANCE:
            return gettext("Another performance"), _evening(verdict.reservation)
        case Kind.NOT_CONFIRMED:
            return gettext("Not confirmed"), gettext("The visitor did not press the mail's button.")
        case Kind.CANCELLED:
            return gettext("Cancelled"), gettext("This booking was cancelled.")
        case Kind.EXPIRED:
            return gettext("Expired"), gettext("It was not confirmed in time.")
        case Kind.PERFORMANCE_CANCELLED:
            return gettext("Performance cancelled"), gettext("Nobody is let in this evening.")
        case Kind.RELEASED:
            return gettext("Places released"), gettext(
                "They came late, but there are free places: let them in if you like."
            )
        case Kind.FULL:
            return gettext("Full"), gettext("No place is left.")
        case Kind.UNKNOWN | Kind.NOT_LISTED:
            return gettext("Unknown"), gettext("No booking has this code. Try the name.")


def _evening(reservation: Reservation | LockedParty | None) -> str:
    if not isinstance(reservation, Reservation):
        return ""
    evening = reservation.performance
    return gettext(
        "The ticket is for %(show)s, %(when)s, %(venue)s.",
        show=evening.show.title,
        when=when(evening.starts_at),
        venue=evening.venue.name,
    )


def _first(first: FirstAdmission | None) -> str:
    if first is None:
        return ""
    at = clock(first.at)
    if first.door:
        return gettext("At %(at)s by %(by)s, %(door)s.", at=at, by=first.by, door=first.door)
    return gettext("At %(at)s by %(by)s.", at=at, by=first.by)
