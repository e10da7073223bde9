"""Scans: a ticket, or a reference, is shown at the door, and its party is let in.

A scan locks the party's reservation and nothing else, so that twenty phones admit twenty parties of
one performance at the same time, and two phones with the same ticket one after the other. Only who
comes late, and takes places that nobody holds, locks the performance before (docs/locking.md).
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
    door_facts,
    lock_code,
    lock_door,
    look_at_door,
    ticket_of,
)
from azionelab.checkin.scanning.repeated_scans import repeat_scan
from azionelab.checkin.scanning.scan_log import (
    Actor,
    Claim,
    Verdict,
    by_valid_device,
    claimed_people,
    describe_attempt,
    first_admission,
    write_down,
)
from azionelab.checkin.verdicts import (
    Asked,
    Door,
    Kind,
    Way,
    count_claim,
    decide,
    lets_all_in,
)
from azionelab.database import transaction, violated_constraint, write_at_once
from azionelab.shows.models import Performance


def let_in(expected: Select[Any]) -> ClauseElement:
    """A statement that records a scan of a party and lets all of it in, if it is an `expected` one."""
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
    """Let in the party that `code` names, all of it or `people` of it, or out, and record the attempt.

    `code` is a ticket's token, the address its QR holds, or a reference as somebody typed it. The
    same `scan_id` again answers what it answered first and counts nothing (verdict `replayed`).

    `seen`, `late` and `way` are as in `verdicts.Asked`. With a `claim` the device has decided already, and the
    books follow as far as they can: as many of the people count as have places. One that comes after its
    scan was answered here, since that answer did not reach the device, is taken down with it.

    Raises DoorUnknown, DeviceRevoked, and ScanReused when `scan_id` was used for something else, which is
    recorded as well, and lets nobody in.
    """
    attempt, asked = (performance_id, code, scan_id, actor), Asked(people, seen, late, way)
    try:
        with by_valid_device():
            ordinary = claim is None and lets_all_in(asked)
            verdict = _admit_expected(attempt) if ordinary else None
            try:
                verdict = verdict or _admit(attempt, asked, claim, among_others=late)
            except _PlacesReleased:
                verdict = _admit(attempt, asked, claim, among_others=True)
    except IntegrityError as error:
        # Sent again, by a double tap or for want of an answer. The insert finds that out, so that
        # first scans, which are nearly all, need not ask.
        if violated_constraint(error) != "pk_scan":
            raise
        return repeat_scan(attempt, way, claim)
    VERDICTS_GIVEN.labels(verdict.kind).inc()
    return verdict


class _PlacesReleased(Exception):
    """People are in whose places were released: others may be taking them, the house must be locked."""


def _admit_expected(attempt: tuple[int, str, UUID, Actor]) -> Verdict | None:
    """Let all of a party in, of which nobody is in yet; None when that is a case for `_admit`.

    Nearly every scan is such a one: a ticket that is shown for the first time. It is one statement, which
    writes if it finds the party as expected (`lets_all_in`), and locks it for as long as that takes.
    """
    performance_id, code, scan_id, actor = attempt
    identity = ticket_of(code)
    if identity is None:
        return None
    scan = describe_attempt(scan_id, performance_id, None, actor)
    facts = scan | {"named": identity, "verdict": Kind.ADMITTED}
    found = write_at_once(_LET_IN[type(identity)], facts)
    if found is None:
        return None
    party = Party(
        performance_id, State.CONFIRMED, found.seats, admitted=found.seats,
        id=found.id, reference=found.reference, name=found.name, note=found.note,
        reduced_from=found.reduced_from, reduced_at=found.reduced_at, reduced_by=found.reduced_by,
    )  # fmt: skip
    return Verdict(Kind.ADMITTED, scan_id, found.seats, party, None)


def _admit(
    attempt: tuple[int, str, UUID, Actor],
    asked: Asked,
    claim: Claim | None,
    *,
    among_others: bool,
) -> Verdict:
    """With `among_others` under the performance's lock: it may take places that nobody holds."""
    performance_id, code, scan_id, actor = attempt
    with transaction() as session:
        performance = lock_door(session, performance_id) if among_others else None
        party = lock_code(session, code)
        released = party is not None and party.released > 0
        if performance is not None:
            door = door_facts(session, performance)
        elif released and claim is not None and claim.people:
            raise _PlacesReleased
        else:
            door = look_at_door(session, performance_id, party)
        kind, people, gone = _decide(party, door, asked, claim)
        first = first_admission(session, party.id, scan_id) if party and party.admitted else None
        way = _WAYS.get(kind, asked.way)
        scan = describe_attempt(scan_id, performance_id, party, actor, claim, way=way)
        now_in: Party | None = party
        elsewhere: Performance | None = None
        if party and (people or gone):
            if released:
                # As it is now: an earlier action of the same sync may have left it in the session.
                reservation = session.get_one(Reservation, party.id, populate_existing=True)
                hold_again(session, reservation, people)
                session.flush()
            now_in = _with_more_in(party, people, gone)
        elif party and kind is Kind.WRONG_PERFORMANCE:
            elsewhere = session.get_one(Performance, party.performance_id)
        write_down(session, scan, kind, people, gone)
        return Verdict(
            kind, scan_id, people + abs(gone), now_in, first, claimed_people(claim),
            way=scan["way"], elsewhere=elsewhere,
        )  # fmt: skip


def _with_more_in(party: Party, people: int, gone: int) -> Party:
    """What the triggers make of it: the row is locked, nobody else can have counted."""
    late = max(0, people - party.to_come)
    return replace(
        party,
        admitted=party.admitted + people,
        released=party.released - late,
        outside=party.outside + gone,
    )


def _decide(
    party: Party | None, door: Door, asked: Asked, claim: Claim | None
) -> tuple[Kind, int, int]:
    """The verdict, how many come in by it, and how many go out, which is negative when they come back."""
    if claim is not None and claim.people:
        return _count(party, door, claim.people, asked.way)
    if claim is not None:
        # Nobody at all is no number of people to have gone through the door.
        done = (Kind.ADMITTED, Kind.LET_OUT, Kind.IN_AGAIN)
        return (Kind.TOO_MANY if claim.verdict in done else claim.verdict), 0, 0
    kind, people = decide(party, door, asked)
    return kind, *_directed(kind, people)


def _count(party: Party | None, door: Door, claimed: int, way: Way) -> tuple[Kind, int, int]:
    """As `_decide`, of people whom a device let in or out. Of those for whom it had no places left some were out."""
    kind, people = count_claim(party, door, claimed, way)
    if way in (Way.OUT, Way.AGAIN):
        return kind, *_directed(kind, people)
    again, back = count_claim(party, door, claimed - people, Way.AGAIN)
    return (again if back and not people else kind), people, -back


def _directed(kind: Kind, people: int) -> tuple[int, int]:
    """How many of those whom a verdict lets through come in, and how many go out; negative: come back."""
    return {Kind.LET_OUT: (0, people), Kind.IN_AGAIN: (0, -people)}.get(kind, (people, 0))


_WAYS = {Kind.ADMITTED: Way.IN, Kind.LET_OUT: Way.OUT, Kind.IN_AGAIN: Way.AGAIN}
