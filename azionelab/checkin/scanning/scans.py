"""Admit a party by its ticket or reference, or let it out and in again.

A scan locks only the party's reservation: twenty phones admit twenty parties of a performance at the same time,
and two phones with the same ticket one after the other. Only late parties that take free seats lock the
performance first (docs/locking.md).
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ClauseElement, Select, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from azionelab.bookings.locks import EXPECTED_PARTY
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.party import Party
from azionelab.bookings.seats.no_show_seats import hold_again
from azionelab.checkin.metrics import VERDICTS_GIVEN
from azionelab.checkin.models import Admission, Scan
from azionelab.checkin.scanning.facts import (
    lock_door,
    lock_party_by_code,
    read_door,
    read_locked_door,
    ticket_identity,
)
from azionelab.checkin.scanning.repeated_scans import repeat_scan
from azionelab.checkin.scanning.scan_log import (
    Actor,
    Claim,
    Verdict,
    claimed_people,
    first_admission,
    record_scan,
    refuse_revoked_device,
    scan_values,
)
from azionelab.checkin.verdicts import (
    Door,
    ScanOptions,
    VerdictKind,
    Way,
    count_claim,
    decide,
    lets_all_in,
)
from azionelab.database import execute_autocommit, transaction, violated_constraint
from azionelab.shows.models import Performance


def let_in(expected: Select[Any]) -> ClauseElement:
    """A statement that records a scan and admits the whole party if it is an `expected` one."""
    party = expected.cte("party")
    of_party = {"reservation_id": party.c.id, "people": party.c.seats}
    facts = {
        column.name: of_party.get(column.name, bindparam(column.name, type_=column.type))
        for column in Scan.__table__.columns
    }
    made = (
        insert(Scan)
        .from_select(list(facts), select(*facts.values()))
        .returning(Scan.id, Scan.reservation_id, Scan.people, Scan.scanned_at)
        .cte("made")
    )
    entered = (
        insert(Admission)
        .from_select(
            ["scan_id", "reservation_id", "people", "admitted_at"],
            select(made),
            include_defaults=False,
        )
        .inline()
        .cte("entered")
    )
    return select(party).add_cte(entered)


_LET_IN = {kind: let_in(expected) for kind, expected in EXPECTED_PARTY.items()}


def admit(
    performance_id: int,
    code: str,
    scan_id: UUID,
    actor: Actor,
    *,
    people: int | None = None,
    seen: int | None = None,
    late: bool = False,
    way: Way = Way.IN,
    claim: Claim | None = None,
) -> Verdict:
    """Let the party of `code` in or out, all of it or `people` people, and record the scan.

    `code` is a ticket's token, the address in its QR, or a typed reference. The same `scan_id` again gives the
    same verdict and counts nothing (`replayed`).

    `seen`, `late` and `way` are as in ScanOptions. With a `claim` the device has decided offline: as many of its
    people count as there are seats for. A claim for a scan that was answered here before, because the answer was
    lost, corrects that scan.

    Raises DoorUnknown, DeviceRevoked, and ScanReused if `scan_id` was used for another code or performance; a
    reused scan is recorded, too, and lets nobody in.
    """
    attempt, options = (performance_id, code, scan_id, actor), ScanOptions(people, seen, late, way)
    try:
        with refuse_revoked_device():
            ordinary = claim is None and lets_all_in(options)
            verdict = _admit_expected(attempt) if ordinary else None
            try:
                verdict = verdict or _admit(attempt, options, claim, lock_performance_first=late)
            except _SeatsReleased:
                verdict = _admit(attempt, options, claim, lock_performance_first=True)
    except IntegrityError as error:
        # A repeated scan, after a double tap or a lost answer. The insert detects it, so that first scans, nearly
        # all of them, need no query.
        if violated_constraint(error) != "pk_scan":
            raise
        return repeat_scan(attempt, way, claim)
    VERDICTS_GIVEN.labels(verdict.kind).inc()
    return verdict


class _SeatsReleased(Exception):
    """The claim takes released seats, which others may be taking as well: the performance must be locked."""


def _admit_expected(attempt: tuple[int, str, UUID, Actor]) -> Verdict | None:
    """Admit a whole party of which nobody is in yet; None for any other case, which `_admit` decides.

    Nearly all scans are first scans of a ticket. One statement admits the party if it is as expected
    (`lets_all_in`), and holds the lock for that long only.
    """
    performance_id, code, scan_id, actor = attempt
    identity = ticket_identity(code)
    if identity is None:
        return None
    scan = scan_values(scan_id, performance_id, None, actor)
    facts = scan | {"named": identity, "verdict": VerdictKind.ADMITTED}
    found = execute_autocommit(_LET_IN[type(identity)], facts)
    if found is None:
        return None
    party = Party(
        performance_id, State.CONFIRMED, found.seats, admitted=found.seats,
        wheelchair_places=found.wheelchair_places, id=found.id, reference=found.reference, name=found.name, note=found.note,
        reduced_from=found.reduced_from, reduced_at=found.reduced_at, reduced_by=found.reduced_by,
    )  # fmt: skip
    return Verdict(VerdictKind.ADMITTED, scan_id, found.seats, party, None)


def _admit(
    attempt: tuple[int, str, UUID, Actor],
    options: ScanOptions,
    claim: Claim | None,
    *,
    lock_performance_first: bool,
) -> Verdict:
    """`lock_performance_first` is needed for scans that take free seats."""
    performance_id, code, scan_id, actor = attempt
    with transaction() as session:
        performance = lock_door(session, performance_id) if lock_performance_first else None
        party = lock_party_by_code(session, code)
        released = party is not None and party.released > 0
        if performance is not None:
            door = read_locked_door(session, performance, party)
        elif released and claim is not None and claim.people:
            raise _SeatsReleased
        else:
            door = read_door(session, performance_id, party)
        kind, people, gone = _decide(party, door, options, claim)
        first = first_admission(session, party.id, scan_id) if party and party.admitted else None
        way = _WAYS.get(kind, options.way)
        scan = scan_values(scan_id, performance_id, party, actor, claim, way=way)
        now_in: Party | None = party
        elsewhere: Performance | None = None
        if party and (people or gone):
            if released:
                # Refresh it: an earlier action of the same sync may have loaded it into the session.
                reservation = session.get_one(Reservation, party.id, populate_existing=True)
                hold_again(session, reservation, people)
                session.flush()
            now_in = _after_scan(party, people, gone)
        elif party and kind is VerdictKind.WRONG_PERFORMANCE:
            elsewhere = session.get_one(Performance, party.performance_id)
        record_scan(session, scan, kind, people, gone)
        return Verdict(
            kind, scan_id, people + abs(gone), now_in, first, claimed_people(claim),
            way=scan["way"], elsewhere=elsewhere,
        )  # fmt: skip


def _after_scan(party: Party, people: int, gone: int) -> Party:
    """The party as the triggers have updated it. Its row is locked, so nothing else has changed it."""
    late = max(0, people - party.to_come)
    return replace(
        party,
        admitted=party.admitted + people,
        released=party.released - late,
        outside=party.outside + gone,
    )


def _decide(
    party: Party | None, door: Door, options: ScanOptions, claim: Claim | None
) -> tuple[VerdictKind, int, int]:
    """The verdict, how many people come in, and how many go out (negative: come back)."""
    if claim is not None and claim.people:
        return _count_claimed(party, door, claim.people, options.way)
    if claim is not None:
        # A claim of an admission or passage without people is invalid.
        done = (VerdictKind.ADMITTED, VerdictKind.LET_OUT, VerdictKind.IN_AGAIN)
        return (VerdictKind.TOO_MANY if claim.verdict in done else claim.verdict), 0, 0
    kind, people = decide(party, door, options)
    return kind, *_in_and_out(kind, people)


def _count_claimed(
    party: Party | None, door: Door, claimed: int, way: Way
) -> tuple[VerdictKind, int, int]:
    """`_decide` for people whom a device let through. People without a seat may have been out, and come back."""
    kind, people = count_claim(party, door, claimed, way)
    if way in (Way.OUT, Way.AGAIN):
        return kind, *_in_and_out(kind, people)
    again, back = count_claim(party, door, claimed - people, Way.AGAIN)
    return (again if back and not people else kind), people, -back


def _in_and_out(kind: VerdictKind, people: int) -> tuple[int, int]:
    """Split people by the verdict: how many come in, and how many go out (negative: come back)."""
    return {VerdictKind.LET_OUT: (0, people), VerdictKind.IN_AGAIN: (0, -people)}.get(
        kind, (people, 0)
    )


_WAYS = {
    VerdictKind.ADMITTED: Way.IN,
    VerdictKind.LET_OUT: Way.OUT,
    VerdictKind.IN_AGAIN: Way.AGAIN,
}
