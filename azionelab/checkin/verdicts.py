"""The door's verdict: decided from facts alone, by one table of rules.

A phone without a network decides by the same rules (static_frontend/src/door/rules/verdicts.ts); both are
tested with the table tests/checkin/verdicts.json. What a verdict says: texts/verdict_texts.py, for staff
admin/scans.py; how it looks: templates/checkin/_door_parts.html, static_frontend/src/door/screen/cards.ts.
"""

from dataclasses import dataclass
from enum import StrEnum

from azionelab.bookings.models import State
from azionelab.bookings.party import Party


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
    LET_OUT = "let_out"
    IN_AGAIN = "in_again"
    SOME_OUT = "some_out"  # some of the party are out, others never came: who stands here?
    NONE_IN = "none_in"  # nobody of the party is in, who could go out
    NONE_OUT = "none_out"  # nobody of the party is out, who could come in again
    NO_REENTRY = "no_reentry"  # staff let nobody out this evening


class Way(StrEnum):
    """Which way people go through the door."""

    IN = "in"  # they come
    OUT = "out"  # they were in, and may come back
    AGAIN = "again"  # they went out, and come back
    ANY = "any"  # they come, or come back: whoever of the party is not in the building


# In the books beside the kinds. REUSED: the device sent an earlier scan's identity, and was told of
# its error. REVOKED: the device had been revoked, and lets nobody in.
REUSED, REVOKED = "reused", "revoked"
RECORDED = (*Kind, REUSED, REVOKED)


@dataclass(frozen=True)
class Asked:
    """What the device asks for.

    `people` None means all who are still to come, or who are in (OUT), or out (AGAIN). `seen` is how many of the
    party it showed as in when its user pressed (of OUT and AGAIN as in the building); None when it showed
    none. `late` lets in those whose places were released.
    """

    people: int | None = None
    seen: int | None = None
    late: bool = False
    way: Way = Way.IN


@dataclass(frozen=True)
class Door:
    """What is known of the door's performance. `free` places are held by nobody; with `reentry` people may go out."""

    performance_id: int
    cancelled: bool
    free: int = 0
    reentry: bool = False


_EVERYBODY = Asked()


def decide(party: Party | None, door: Door, asked: Asked = _EVERYBODY) -> tuple[Kind, int]:
    """The verdict and how many people go through the door (0 unless ADMITTED, LET_OUT or IN_AGAIN)."""
    refusal = _refusal(party, door)
    if party is None or refusal is not None:
        return refusal or Kind.UNKNOWN, 0
    match _way_of(party, asked.way):
        case Way.IN:
            return _let_in(party, door, asked)
        case Way.OUT if door.reentry:
            return _move(party, asked, party.inside, Kind.LET_OUT, Kind.NONE_IN)
        case Way.AGAIN:
            # Also when nobody is let out any more: who is out comes back.
            return _move(party, asked, party.outside, Kind.IN_AGAIN, Kind.NONE_OUT)
        case Way.ANY:
            return Kind.SOME_OUT, 0
    return Kind.NO_REENTRY, 0


def lets_all_in(asked: Asked) -> bool:
    """Whether a party is let in, however large it is, that is expected and of which nobody came yet.

    Expected: confirmed, here and tonight, and none of its places released. `decide` says the same of each
    such party; here it is asked before any is known.
    """
    return asked.people is None and not asked.seen and asked.way in (Way.IN, Way.ANY)


def count_claim(
    party: Party | None, door: Door, claimed: int, way: Way = Way.IN
) -> tuple[Kind, int]:
    """What the books make of `claimed` people whom a device let in, or out, without the server.

    They are in: as many count as the party has places for, and released ones that are still free; of those who
    came back as many as were out, and of those who went out as many as were in. The rest is a conflict. With
    none the kind says why.
    """
    refusal = _refusal(party, door)
    if party is None or refusal is not None:
        return refusal or Kind.UNKNOWN, 0
    if way is Way.OUT:
        counted = min(claimed, party.inside)
        return (Kind.LET_OUT if counted else Kind.NONE_IN), counted
    if way is Way.AGAIN:
        counted = min(claimed, party.outside)
        return (Kind.IN_AGAIN if counted else Kind.NONE_OUT), counted
    counted = min(claimed, party.to_come + max(0, min(party.released, door.free)))
    return (Kind.ADMITTED if counted else _nobody_missing(party, door)), counted


def _let_in(party: Party, door: Door, asked: Asked) -> tuple[Kind, int]:
    """The verdict on people who come for the first time."""
    missing = party.to_come + (party.released if asked.late else 0)
    wanted = missing if asked.people is None else asked.people
    if missing == 0:
        kind = _nobody_missing(party, door)
    elif asked.seen is not None and asked.seen != party.admitted:
        kind = Kind.CHANGED
    elif not 1 <= wanted <= missing:
        kind = Kind.TOO_MANY
    elif wanted > party.to_come + door.free:
        kind = Kind.FULL
    else:
        return Kind.ADMITTED, wanted
    return kind, 0


def _way_of(party: Party, way: Way) -> Way:
    """Which way they go, if that is clear: with ANY it is not while some are out and others never came."""
    if way is not Way.ANY:
        return way
    if party.outside == 0:
        return Way.IN
    return Way.AGAIN if party.admitted == party.seats else Way.ANY


def _move(party: Party, asked: Asked, able: int, done: Kind, nobody: Kind) -> tuple[Kind, int]:
    """The verdict on people who are in and go out, or come back, of whom so many are `able` to."""
    wanted = able if asked.people is None else asked.people
    if able == 0:
        return nobody, 0
    if asked.seen is not None and asked.seen != party.inside:
        return Kind.CHANGED, 0
    return (done, wanted) if 1 <= wanted <= able else (Kind.TOO_MANY, 0)


def _refusal(party: Party | None, door: Door) -> Kind | None:
    if party is None:
        return Kind.UNKNOWN
    if party.performance_id != door.performance_id:
        return Kind.WRONG_PERFORMANCE
    if door.cancelled:
        return Kind.PERFORMANCE_CANCELLED
    return _NOT_CONFIRMED.get(party.state)


def _nobody_missing(party: Party, door: Door) -> Kind:
    if party.released == 0:
        return Kind.ALREADY_IN
    return Kind.RELEASED if door.free > 0 else Kind.FULL


_NOT_CONFIRMED: dict[str, Kind] = {
    State.PENDING: Kind.NOT_CONFIRMED,
    State.CANCELLED: Kind.CANCELLED,
    State.EXPIRED: Kind.EXPIRED,
}
