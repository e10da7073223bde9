"""What the log says of reservations: booked, confirmed, moved, ended, erased, and of house seats."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext, ngettext

from azionelab.admin.log.names import Names
from azionelab.admin.log.values import format_value
from azionelab.bookings.history import By
from azionelab.bookings.models import Kind, State

_Changes = dict[str, Any]


def describe_booked(facts: _Changes, who: str, names: Names) -> str:
    """Who booked how many seats, or kept them back, with the reason for a party above the limit."""
    seats = facts.get("seats") or 0
    if facts.get("kind") == Kind.HOUSE:
        told = ngettext(
            "%(who)s kept %(num)s seat back for the house.",
            "%(who)s kept %(num)s seats back for the house.",
            seats,
            who=who,
        )
    else:
        told = ngettext(
            "%(who)s booked %(num)s seat.", "%(who)s booked %(num)s seats.", seats, who=who
        )
    if reason := facts.get("limit_reason"):
        value = format_value("limit_reason", reason, names)
        told += " " + gettext("Reason for the larger party: %(reason)s.", reason=value)
    return told


# Each of these takes what it tells out of the changes, so that no field is told twice.


def _describe_erasure(changes: _Changes, who: str, _names: Names) -> str | None:
    if not changes.get("erased_at", (None, None))[1]:
        return None
    asked = changes.get("erasure_requested_at")
    _drop(changes, "erased_at", "erasure_requested_at", "name", "email", "note", "contact")
    _drop(changes, "limit_reason")
    if asked:
        return gettext("%(who)s erased name and address, as the visitor had asked.", who=who)
    return gettext("Name and address were erased at the end of their retention.")


def _describe_state(  # noqa: PLR0911 (one text for each state)
    changes: _Changes, who: str, _names: Names
) -> str | None:
    old, new = changes.pop("state", (None, None))
    if new is None:
        return None
    by = changes.get("ended_by", (None, None))[1]
    _drop(changes, "confirmed_at", "ended_at", "ended_by", "hold_expires_at", "holds_seats")
    match new:
        case State.CONFIRMED if old == State.PENDING:
            return gettext("%(who)s confirmed the booking.", who=who)
        case State.CONFIRMED:
            return gettext("%(who)s took the cancellation back.", who=who)
        case State.CANCELLED if by == By.PERFORMANCE:
            return gettext("%(who)s cancelled the performance, and with it this booking.", who=who)
        case State.CANCELLED if by == By.NO_ANSWER:
            return gettext("Nobody answered whether they come: its seats came free.")
        case State.CANCELLED:
            return gettext("%(who)s cancelled the booking.", who=who)
        case State.EXPIRED if by is not None:
            return gettext("%(who)s released the seats of the unconfirmed booking.", who=who)
        case State.EXPIRED:
            return gettext("It was not confirmed in time: its seats came free.")
        case State.WAITING:
            return gettext(
                "The offer was not answered in time: its seats went to the next in line."
            )
        case State.PENDING if old == State.WAITING:
            return gettext("Seats that came free were offered to it.")
        case _:
            return gettext("%(who)s made it wait for a confirmation again.", who=who)


def _describe_seats(changes: _Changes, who: str, _names: Names) -> str | None:
    _drop(changes, "reduced_from", "reduced_at", "reduced_by")
    if "seats" in changes:
        changes.pop("released", None)  # it follows
        return None
    old, new = changes.pop("released", (0, 0))
    if new > old:
        return ngettext(
            "%(who)s released %(num)s seat of people who had not come.",
            "%(who)s released %(num)s seats of people who had not come.",
            new - old,
            who=who,
        )
    if new < old:
        return ngettext(
            "%(who)s gave the party %(num)s released seat back.",
            "%(who)s gave the party %(num)s released seats back.",
            old - new,
            who=who,
        )
    return None


def _describe_move(changes: _Changes, who: str, names: Names) -> str | None:
    old, new = changes.pop("performance_id", (None, None))
    if new is None:
        return None
    return gettext(
        "%(who)s moved the booking from %(old)s to %(new)s.",
        who=who,
        old=format_value("performance_id", old, names),
        new=format_value("performance_id", new, names),
    )


def _describe_hold(changes: _Changes, who: str, _names: Names) -> str | None:
    if "holds_seats" not in changes:
        return None
    if changes.pop("holds_seats")[1]:
        return gettext("%(who)s held its seats.", who=who)
    return gettext("%(who)s ended the hold of its seats.", who=who)


def _describe_links(changes: _Changes, who: str, _names: Names) -> str | None:
    if "link_id" not in changes:
        return None
    changes.pop("link_id")
    return gettext(
        "%(who)s changed the address, and links sent to the one before ended with it.", who=who
    )


def _drop(changes: _Changes, *fields: str) -> None:
    for name in fields:
        changes.pop(name, None)


PARTY_SENTENCES: tuple[Callable[[_Changes, str, Names], str | None], ...] = (
    _describe_erasure,
    _describe_state,
    _describe_move,
    _describe_seats,
    _describe_hold,
    _describe_links,
)
