"""The door's verdict: decided from facts alone, by one table of rules.

A phone without a network decides by the same rules (static_frontend/src/door/verdicts.ts); both are
tested with the table tests/checkin/verdicts.json.
"""

from dataclasses import dataclass
from enum import StrEnum

from azionelab.bookings.models import State


class Kind(StrEnum):
    """What the door says to a scan."""

    ADMITTED = "admitted"
    ALREADY_IN = "already_in"
    WRONG_PERFORMANCE = "wrong_performance"
    NOT_CONFIRMED = "not_confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PERFORMANCE_CANCELLED = "performance_cancelled"
    UNKNOWN = "unknown"
    TOO_MANY = "too_many"  # more people than the party has still to come
    CHANGED = "changed"  # others of the party came in since the device looked
    RELEASED = "released"  # their places were released; there are free ones for late comers
    FULL = "full"  # no place is left, for late comers or walk-ins
    NOT_LISTED = "not_listed"  # a phone without a network has no such ticket on its list


# In the books beside the kinds. REUSED: the device sent an earlier scan's identity, and was told of
# its error. REVOKED: the device had been revoked, and lets nobody in.
REUSED, REVOKED = "reused", "revoked"
RECORDED = (*Kind, REUSED, REVOKED)


@dataclass(frozen=True)
class Party:
    """What is known of the party a code names. `seats`, `admitted` and `released` count people."""

    performance_id: int
    state: str
    seats: int
    admitted: int
    released: int = 0

    @property
    def to_come(self) -> int:
        """People who are not in and whose places are held."""
        return self.seats - self.admitted - self.released


@dataclass(frozen=True)
class Asked:
    """What the device asks for.

    `people` None means all who are still to come. `seen` is how many of the party it showed as in when
    its user pressed; None when it showed none. `late` lets in those whose places were released.
    """

    people: int | None = None
    seen: int | None = None
    late: bool = False


@dataclass(frozen=True)
class Door:
    """What is known of the door's performance. `free` places are held by nobody."""

    performance_id: int
    cancelled: bool
    free: int = 0


_EVERYBODY = Asked()


def decide(party: Party | None, door: Door, asked: Asked = _EVERYBODY) -> tuple[Kind, int]:
    """The verdict and how many people it lets in (0 unless ADMITTED)."""
    refusal = _refusal(party, door)
    if party is None or refusal is not None:
        return refusal or Kind.UNKNOWN, 0
    outside = party.to_come + (party.released if asked.late else 0)
    wanted = outside if asked.people is None else asked.people
    if outside == 0:
        kind = _nobody_outside(party, door)
    elif asked.seen is not None and asked.seen != party.admitted:
        kind = Kind.CHANGED
    elif not 1 <= wanted <= outside:
        kind = Kind.TOO_MANY
    elif wanted > party.to_come + door.free:
        kind = Kind.FULL
    else:
        return Kind.ADMITTED, wanted
    return kind, 0


def lets_all_in(asked: Asked) -> bool:
    """Whether a party is let in, however large it is, that is expected and of which nobody came yet.

    Expected: confirmed, here and tonight, and none of its places released. `decide` says the same of each
    such party; here it is asked before any is known.
    """
    return asked.people is None and not asked.seen


def count_claim(party: Party | None, door: Door, claimed: int) -> tuple[Kind, int]:
    """What the books make of `claimed` people whom a device let in without the server.

    They are in: as many count as the party has places for, and released ones that are still free. The
    rest is a conflict. With none the kind says why.
    """
    refusal = _refusal(party, door)
    if party is None or refusal is not None:
        return refusal or Kind.UNKNOWN, 0
    counted = min(claimed, party.to_come + max(0, min(party.released, door.free)))
    return (Kind.ADMITTED if counted else _nobody_outside(party, door)), counted


def _refusal(party: Party | None, door: Door) -> Kind | None:
    if party is None:
        return Kind.UNKNOWN
    if party.performance_id != door.performance_id:
        return Kind.WRONG_PERFORMANCE
    if door.cancelled:
        return Kind.PERFORMANCE_CANCELLED
    return _NOT_CONFIRMED.get(party.state)


def _nobody_outside(party: Party, door: Door) -> Kind:
    if party.released == 0:
        return Kind.ALREADY_IN
    return Kind.RELEASED if door.free > 0 else Kind.FULL


_NOT_CONFIRMED: dict[str, Kind] = {
    State.PENDING: Kind.NOT_CONFIRMED,
    State.CANCELLED: Kind.CANCELLED,
    State.EXPIRED: Kind.EXPIRED,
}
