"""Verdicts on scans: pure decisions from facts, without a database.

Offline phones decide by the same rules (static_frontend/src/door/rules/verdicts.ts); both are tested with the table
tests/checkin/verdicts.json. Texts of verdicts, and their tones: texts/verdict_texts.py (TONES), in the back office
admin/scans.py. Their look: templates/checkin/_door_parts.html, static_frontend/src/door/screen/cards.ts. Which ones
count as refusals: house/figures.py (_LET_IN, _ASKING).
"""

from dataclasses import dataclass
from enum import StrEnum

from azionelab.bookings.models import State
from azionelab.bookings.party import Party


class VerdictKind(StrEnum):
    """The verdict on a scan."""

    ADMITTED = "admitted"
    ALREADY_IN = "already_in"
    WRONG_PERFORMANCE = "wrong_performance"
    NOT_CONFIRMED = "not_confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PERFORMANCE_CANCELLED = "performance_cancelled"
    UNKNOWN = "unknown"
    TOO_MANY = "too_many"  # more people than are still to come
    CHANGED = "changed"  # others of the party were admitted since the device showed it
    RELEASED = "released"  # their seats were released, but others are free
    FULL = "full"  # no free seats for late parties or walk-ins
    NOT_LISTED = "not_listed"  # claimed by offline phones: the ticket is not on their list
    LET_OUT = "let_out"
    IN_AGAIN = "in_again"
    SOME_OUT = "some_out"  # some of the party are out, others have not come: who is here?
    NONE_IN = "none_in"  # nobody of the party is in to go out
    NONE_OUT = "none_out"  # nobody of the party is out to come back
    NO_REENTRY = "no_reentry"  # exit and re-entry are switched off


class Way(StrEnum):
    """The direction in which people go through the door."""

    IN = "in"  # for the first time
    OUT = "out"  # and may come back
    AGAIN = "again"  # back in after going out
    ANY = "any"  # IN or AGAIN, for people of the party who are not in the building


# Further values in the scan log. REUSED: the device used an earlier scan's id, and was refused. REVOKED: the device
# had been revoked; its scans do not count.
REUSED, REVOKED = "reused", "revoked"
RECORDED = (*VerdictKind, REUSED, REVOKED)


@dataclass(frozen=True)
class ScanOptions:
    """Options of a scan.

    `people` None means all who are still to come, who are in (OUT), or who are out (AGAIN). `seen` is how many of
    the party the device showed as admitted (for OUT and AGAIN: as in the building) when its user decided, or None.
    `late` also lets in people whose seats were released.
    """

    people: int | None = None
    seen: int | None = None
    late: bool = False
    way: Way = Way.IN


@dataclass(frozen=True)
class Door:
    """The performance of the door: `free` seats, and whether exit and `reentry` are allowed."""

    performance_id: int
    cancelled: bool
    free: int = 0
    reentry: bool = False


_EVERYBODY = ScanOptions()


def decide(
    party: Party | None, door: Door, options: ScanOptions = _EVERYBODY
) -> tuple[VerdictKind, int]:
    """The verdict and how many people go through the door (0 unless ADMITTED, LET_OUT or IN_AGAIN)."""
    refusal = _refusal(party, door)
    if party is None or refusal is not None:
        return refusal or VerdictKind.UNKNOWN, 0
    match _resolve_way(party, options.way):
        case Way.IN:
            return _decide_admission(party, door, options)
        case Way.OUT if door.reentry:
            return _decide_passage(
                party, options, party.inside, VerdictKind.LET_OUT, VerdictKind.NONE_IN
            )
        case Way.AGAIN:
            # Allowed even if re-entry was switched off: people who are out must get back in.
            return _decide_passage(
                party, options, party.outside, VerdictKind.IN_AGAIN, VerdictKind.NONE_OUT
            )
        case Way.ANY:
            return VerdictKind.SOME_OUT, 0
    return VerdictKind.NO_REENTRY, 0


def lets_all_in(options: ScanOptions) -> bool:
    """Whether these options admit every expected party in full.

    Expected: confirmed, for this performance, nobody admitted and no seats released yet. For such parties `decide`
    gives the same result, but needs the party to be loaded.
    """
    return options.people is None and not options.seen and options.way in (Way.IN, Way.ANY)


def count_claim(
    party: Party | None, door: Door, claimed: int, way: Way = Way.IN
) -> tuple[VerdictKind, int]:
    """How many of the `claimed` people whom an offline device let through can be counted.

    In: as many as the party has seats, including released ones that are still free. Again: as many as were out.
    Out: as many as were in. The rest are a conflict. If nobody counts, the verdict says why.
    """
    refusal = _refusal(party, door)
    if party is None or refusal is not None:
        return refusal or VerdictKind.UNKNOWN, 0
    if way is Way.OUT:
        counted = min(claimed, party.inside)
        return (VerdictKind.LET_OUT if counted else VerdictKind.NONE_IN), counted
    if way is Way.AGAIN:
        counted = min(claimed, party.outside)
        return (VerdictKind.IN_AGAIN if counted else VerdictKind.NONE_OUT), counted
    counted = min(claimed, party.to_come + max(0, min(party.released, door.free)))
    return (VerdictKind.ADMITTED if counted else _nobody_expected(party, door)), counted


def _decide_admission(party: Party, door: Door, options: ScanOptions) -> tuple[VerdictKind, int]:
    """The verdict on people who come in for the first time."""
    missing = party.to_come + (party.released if options.late else 0)
    wanted = missing if options.people is None else options.people
    if missing == 0:
        kind = _nobody_expected(party, door)
    elif options.seen is not None and options.seen != party.admitted:
        kind = VerdictKind.CHANGED
    elif not 1 <= wanted <= missing:
        kind = VerdictKind.TOO_MANY
    elif wanted > party.to_come + door.free:
        kind = VerdictKind.FULL
    else:
        return VerdictKind.ADMITTED, wanted
    return kind, 0


def _resolve_way(party: Party, way: Way) -> Way:
    """The direction; stays ANY if it is unclear because some are out and others have not come."""
    if way is not Way.ANY:
        return way
    if party.outside == 0:
        return Way.IN
    return Way.AGAIN if party.admitted == party.seats else Way.ANY


def _decide_passage(
    party: Party, options: ScanOptions, able: int, done: VerdictKind, nobody: VerdictKind
) -> tuple[VerdictKind, int]:
    """The verdict on people who go out or come back; at most `able` people can."""
    wanted = able if options.people is None else options.people
    if able == 0:
        return nobody, 0
    if options.seen is not None and options.seen != party.inside:
        return VerdictKind.CHANGED, 0
    return (done, wanted) if 1 <= wanted <= able else (VerdictKind.TOO_MANY, 0)


def _refusal(party: Party | None, door: Door) -> VerdictKind | None:
    if party is None:
        return VerdictKind.UNKNOWN
    if party.performance_id != door.performance_id:
        return VerdictKind.WRONG_PERFORMANCE
    if door.cancelled:
        return VerdictKind.PERFORMANCE_CANCELLED
    return _NOT_CONFIRMED.get(party.state)


def _nobody_expected(party: Party, door: Door) -> VerdictKind:
    if party.released == 0:
        return VerdictKind.ALREADY_IN
    return VerdictKind.RELEASED if door.free > 0 else VerdictKind.FULL


_NOT_CONFIRMED: dict[str, VerdictKind] = {
    State.PENDING: VerdictKind.NOT_CONFIRMED,
    State.WAITING: VerdictKind.NOT_CONFIRMED,
    State.CANCELLED: VerdictKind.CANCELLED,
    State.EXPIRED: VerdictKind.EXPIRED,
}
