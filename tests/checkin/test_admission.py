"""Invariant 4: a party enters once, and every scan is recorded."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from azionelab.bookings import rules as booking
from azionelab.bookings.locks import EXPECTED_FACTS, LockedParty
from azionelab.bookings.models import Reservation, party_of
from azionelab.bookings.party import Party
from azionelab.bookings.seats import holds
from azionelab.bookings.tickets.files import ticket_url
from azionelab.bookings.tickets.signing import sign_ticket, write_ticket
from azionelab.checkin.models import Scan
from azionelab.checkin.scanning import facts, scans
from azionelab.checkin.scanning.facts import MAX_CODE
from azionelab.checkin.scanning.scan_log import Claim, ScanReused, ScanUnknown
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.checkin.verdicts import REUSED, VerdictKind
from azionelab.database import db, now, transaction
from tests.factories import (
    DOOR_A,
    DOOR_B,
    a_party,
    a_performance,
    fresh,
    ticket_token,
    visitor_token,
)
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.usefixtures("in_app")


def recorded() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Scan.verdict).order_by(Scan.scanned_at)))


@pytest.mark.parametrize(
    "form", ["ticket", "address", "token", "older address", "reference", "typed"]
)
def test_every_form_of_a_code_admits_the_whole_party(form: str) -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    token = ticket_token(party)
    code = {
        "ticket": write_ticket(party),
        "address": ticket_url(party),
        "token": token,
        "older address": f"https://tickets.example.org/checkin/ticket/{token}",
        "reference": party.reference,
        "typed": f" {party.reference[:4].lower()}-{party.reference[4:].lower()} ",
    }[form]
    verdict = admit(performance.id, code, uuid4(), DOOR_A)
    assert (verdict.kind, verdict.people) == (VerdictKind.ADMITTED, 3)
    assert fresh(party.id).admitted == 3


def test_the_second_phone_gets_the_first_admission() -> None:
    performance = a_performance()
    party = a_party(performance, 2)
    admit(performance.id, party.reference, uuid4(), DOOR_A)
    second = admit(performance.id, party.reference, uuid4(), DOOR_B)
    assert (second.kind, second.people) == (VerdictKind.ALREADY_IN, 0)
    assert second.first is not None
    assert second.first.door == "Door A"
    assert second.first.at is not None
    assert recorded() == [VerdictKind.ADMITTED, VerdictKind.ALREADY_IN]


def test_the_same_scan_sent_twice_counts_once_with_the_same_verdict() -> None:
    performance = a_performance()
    party = a_party(performance, 4)
    scan = uuid4()
    first = admit(performance.id, party.reference, scan, DOOR_A, people=2)
    again = admit(performance.id, party.reference, scan, DOOR_A, people=2)
    assert (again.kind, again.people) == (first.kind, first.people) == (VerdictKind.ADMITTED, 2)
    assert again.replayed
    assert fresh(party.id).admitted == 2
    assert len(recorded()) == 1


def test_a_repeated_scan_has_no_first_admission() -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    scan = uuid4()
    first = admit(performance.id, ticket_token(party), scan, DOOR_A)
    again = admit(performance.id, ticket_token(party), scan, DOOR_A)
    assert (again.kind, again.people) == (first.kind, first.people) == (VerdictKind.ADMITTED, 3)
    assert again.replayed
    assert (first.first, again.first) == (None, None)


def test_a_repeated_scan_after_an_undo_has_the_current_party(
    database: psycopg.Connection[Any],
) -> None:
    performance = a_performance()
    party = fresh(a_party(performance, 3).id)  # and stays in the session, as read before
    scan = uuid4()
    admit(performance.id, ticket_token(party), scan, DOOR_A)
    undo(performance.id, scan, DOOR_A)
    database.execute("UPDATE reservation SET name = 'Bo' WHERE id = %s", [party.id])
    again = admit(performance.id, ticket_token(party), scan, DOOR_A)
    assert again.undone
    assert again.party is not None
    assert again.party.name == "Bo"


def test_a_repeated_first_scan_has_no_later_admission() -> None:
    performance = a_performance()
    party = a_party(performance, 2)
    scan = uuid4()
    for door, number in ((DOOR_A, scan), (DOOR_B, uuid4())):
        admit(performance.id, party.reference, number, door, people=1)
    again = admit(performance.id, party.reference, scan, DOOR_A, people=1)
    assert (again.kind, again.people, again.first) == (VerdictKind.ADMITTED, 1, None)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_scan_cannot_be_used_for_another_code(is_first: bool) -> None:
    performance = a_performance()
    parties = sorted([a_party(performance), a_party(performance)], key=lambda party: party.id)
    one, other = parties if is_first else reversed(parties)
    scan = uuid4()
    admit(performance.id, one.reference, scan, DOOR_A)
    for actor in (DOOR_A, DOOR_B):
        with pytest.raises(ScanReused):
            admit(performance.id, other.reference, scan, actor)
    assert fresh(other.id).admitted == 0
    # Each is in the scan log; the first scan is unchanged, and can still be repeated and undone.
    assert recorded() == [VerdictKind.ADMITTED, REUSED, REUSED]
    doors = select(Scan.door).where(Scan.reservation_id == other.id).order_by(Scan.scanned_at)
    assert db.session.scalars(doors).all() == [DOOR_A.door, DOOR_B.door]
    db.session.rollback()
    assert admit(performance.id, one.reference, scan, DOOR_A).replayed
    assert undo(performance.id, scan, DOOR_A).undone
    assert admit(performance.id, other.reference, uuid4(), DOOR_A).kind is VerdictKind.ADMITTED


def test_a_party_may_come_in_parts() -> None:
    performance = a_performance()
    party = a_party(performance, 4)

    def let_in(people: int | None, seen: int | None = None) -> tuple[VerdictKind, int]:
        verdict = admit(performance.id, party.reference, uuid4(), DOOR_A, people=people, seen=seen)
        return verdict.kind, verdict.people

    assert let_in(3, seen=0) == (VerdictKind.ADMITTED, 3)
    assert let_in(1, seen=0) == (VerdictKind.CHANGED, 0)
    assert let_in(2, seen=3) == (VerdictKind.TOO_MANY, 0)
    assert let_in(None, seen=3) == (VerdictKind.ADMITTED, 1)
    assert let_in(1) == (VerdictKind.ALREADY_IN, 0)


def facts_of(party: Any) -> tuple[UUID, str, str, str, int, int, int, int]:
    """The numbers of a party in a verdict."""
    return (
        party.id, party.reference, party.name, party.state, party.seats, party.admitted,
        party.released, party.outside,
    )  # fmt: skip


@pytest.mark.parametrize("people", [None, 1])
def test_the_verdict_has_the_party_after_the_scan(people: int | None) -> None:
    performance = a_performance()
    party = a_party(performance, 4)
    code = ticket_token(party)
    for _ in range(2):
        verdict = admit(performance.id, code, uuid4(), DOOR_A, people=people)
        assert facts_of(verdict.party) == facts_of(fresh(party.id))
        assert isinstance(verdict.party, Party)


def test_a_ticket_of_another_performance_names_that_performance() -> None:
    tonight, tomorrow = a_performance(), a_performance()
    verdict = admit(tonight.id, a_party(tomorrow).reference, uuid4(), DOOR_A)
    assert verdict.elsewhere is not None
    assert verdict.elsewhere.id == tomorrow.id


def test_a_first_scan_of_a_ticket_is_one_statement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    monkeypatch.delattr(scans, "_admit")
    assert admit(performance.id, ticket_token(party), uuid4(), DOOR_A).people == 3


def test_late_parties_lock_the_performance_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    performance = a_performance()
    late, one, other = (a_party(performance, seats) for seats in (1, 2, 2))
    with transaction() as session:
        session.get_one(Reservation, late.id).released = 1
    monkeypatch.setattr(scans, "lock_door", refuse)
    claim, scan = Claim(now(), VerdictKind.ADMITTED, 1), uuid4()
    assert admit(performance.id, one.reference, scan, DOOR_A, people=1).people == 1
    assert admit(performance.id, one.reference, scan, DOOR_A, people=1).replayed
    assert admit(performance.id, other.reference, uuid4(), DOOR_A, claim=claim).people == 1
    assert admit(performance.id, ticket_token(late), uuid4(), DOOR_A).kind is VerdictKind.RELEASED
    for asked in ({"late": True}, {"claim": claim}):
        with pytest.raises(Locked):
            admit(performance.id, late.reference, uuid4(), DOOR_A, **asked)


def test_a_late_party_is_admitted_by_its_current_state(database: psycopg.Connection[Any]) -> None:
    performance = a_performance()
    party = a_party(performance, 3)  # and stays in the session, as read before
    database.execute("UPDATE reservation SET released = 2 WHERE id = %s", [party.id])
    verdict = admit(performance.id, party.reference, uuid4(), DOOR_A, late=True)
    assert (verdict.kind, verdict.people) == (VerdictKind.ADMITTED, 3)
    assert facts_of(verdict.party) == facts_of(fresh(party.id))


class Locked(Exception):
    """Stands for the performance's lock, which must not be taken."""


def refuse(*_: object) -> None:
    raise Locked


def test_refusals() -> None:
    tonight, tomorrow = a_performance(), a_performance()
    pending, cancelled = a_party(tonight, confirmed=False), a_party(tonight)
    booking.cancel(cancelled.id)
    lapsed = a_party(tonight, confirmed=False)
    with transaction() as session:
        session.execute(
            text("UPDATE reservation SET hold_expires_at = now() WHERE id = :id"),
            {"id": lapsed.id},
        )
    holds.expire_lapsed_holds()

    def of(party: Reservation, kind: VerdictKind) -> dict[str, VerdictKind]:
        return {party.reference: kind, ticket_token(party): kind, write_ticket(party): kind}

    codes = {
        **of(pending, VerdictKind.NOT_CONFIRMED),
        **of(cancelled, VerdictKind.CANCELLED),
        **of(lapsed, VerdictKind.EXPIRED),
        **of(a_party(tomorrow), VerdictKind.WRONG_PERFORMANCE),
        "ZZZZZZZZ": VerdictKind.UNKNOWN,
        "": VerdictKind.UNKNOWN,
        "\0": VerdictKind.UNKNOWN,
        f"https://{'x' * MAX_CODE}/{ticket_token(pending)}": VerdictKind.UNKNOWN,
        ticket_token(pending)[:-1]: VerdictKind.UNKNOWN,
        write_ticket(pending)[:-1]: VerdictKind.UNKNOWN,
        f"https://{'x' * MAX_CODE}/T/{write_ticket(pending)}": VerdictKind.UNKNOWN,
        sign_ticket(tonight.id, "ZZZZZZZZ"): VerdictKind.UNKNOWN,
        visitor_token(pending): VerdictKind.UNKNOWN,
    }
    for code, kind in codes.items():
        verdict = admit(tonight.id, code, uuid4(), DOOR_A)
        assert (verdict.kind, verdict.people) == (kind, 0), code
    assert recorded() == list(codes.values())


def test_nobody_is_let_into_a_cancelled_performance() -> None:
    performance = a_performance()
    party = a_party(performance)
    with transaction() as session:
        session.execute(text("UPDATE performance SET cancelled_at = now()"))
    for code in (party.reference, ticket_token(party)):
        verdict = admit(performance.id, code, uuid4(), DOOR_A)
        assert verdict.kind is VerdictKind.PERFORMANCE_CANCELLED


def test_undoing_twice_counts_once() -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    scan = uuid4()
    admit(performance.id, party.reference, scan, DOOR_A)
    for _ in range(2):
        assert undo(performance.id, scan, DOOR_B).undone
        assert fresh(party.id).admitted == 0
    assert admit(performance.id, party.reference, scan, DOOR_A).undone, "a replay is no entry"
    assert admit(performance.id, party.reference, uuid4(), DOOR_A).people == 3
    with pytest.raises(ScanUnknown):
        undo(performance.id, uuid4(), DOOR_A)
    with pytest.raises(ScanUnknown):
        undo(a_performance().id, scan, DOOR_A)


def race(app: Flask, performance_id: int, code: str, scans: list[UUID]) -> list[Any]:
    """Scan the same ticket on several phones at once."""

    def scan(scan_id: UUID) -> object:
        with app.app_context():
            try:
                verdict = admit(performance_id, code, scan_id, DOOR_A)
            except IntegrityError:
                return "refused by the database"
            return verdict.kind, verdict.people

    with ThreadPoolExecutor(len(scans)) as phones:
        return list(phones.map(scan, scans))


def code_of(party: Reservation, form: str) -> str:
    """A reference is looked up and locked; a ticket is admitted by one statement."""
    make = {"ticket": write_ticket, "older ticket": ticket_token}.get(form)
    return make(party) if make else party.reference


each_code = pytest.mark.parametrize("form", ["ticket", "older ticket", "reference"])


@each_code
def test_many_phones_let_a_party_in_once(app: Flask, form: str) -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    code = code_of(party, form)
    answers = race(app, performance.id, code, [uuid4() for _ in range(8)])
    assert sorted(answers) == sorted(
        [(VerdictKind.ADMITTED, 3)] + [(VerdictKind.ALREADY_IN, 0)] * 7
    )
    assert fresh(party.id).admitted == 3


@each_code
def test_one_scan_on_many_connections_counts_once(app: Flask, form: str) -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    answers = race(app, performance.id, code_of(party, form), [uuid4()] * 8)
    assert answers == [(VerdictKind.ADMITTED, 3)] * 8
    assert fresh(party.id).admitted == 3
    assert race(app, performance.id, "ZZZZZZZZ", [uuid4()] * 8) == [(VerdictKind.UNKNOWN, 0)] * 8
    assert len(recorded()) == 2


def looking_together(phones: int) -> Any:
    everybody = threading.Barrier(phones, timeout=PATIENCE)

    def look(session: Session, reservation_id: UUID) -> LockedParty:
        reservation = session.get_one(Reservation, reservation_id, populate_existing=True)
        party = party_of(reservation)
        everybody.wait()
        assert party is not None
        return LockedParty(**asdict(party))

    return look


@pytest.fixture(params=["ticket", "older ticket", "reference"])
def unguarded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The form of a code, with the guard of its path removed: the lock, or the conditions on the party."""
    monkeypatch.setattr(facts, "lock_party", looking_together(4))
    anybody = select(*EXPECTED_FACTS)
    by = {UUID: Reservation.id, str: Reservation.reference}
    unguarded = {
        kind: scans.let_in(anybody.where(column == bindparam("named")))
        for kind, column in by.items()
    }
    monkeypatch.setattr(scans, "_LET_IN", unguarded)
    return str(request.param)


def test_without_the_lock_the_database_still_refuses(app: Flask, unguarded: str) -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    code = code_of(party, unguarded)
    answers = race(app, performance.id, code, [uuid4() for _ in range(4)])
    assert answers.count((VerdictKind.ADMITTED, 3)) == 1
    assert answers.count("refused by the database") == 3
    assert fresh(party.id).admitted == 3


def test_negative_control_without_lock_and_constraint_a_party_enters_four_times(
    app: Flask, unguarded: str, database: psycopg.Connection[Any]
) -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    code = code_of(party, unguarded)
    db.session.rollback()
    database.execute("ALTER TABLE reservation DROP CONSTRAINT ck_reservation_admitted_range")
    try:
        answers = race(app, performance.id, code, [uuid4() for _ in range(4)])
        assert answers == [(VerdictKind.ADMITTED, 3)] * 4
        assert fresh(party.id).admitted == 12
    finally:
        db.session.rollback()
        database.execute("TRUNCATE admission")
        database.execute(
            "ALTER TABLE reservation ADD CONSTRAINT ck_reservation_admitted_range"
            " CHECK (admitted BETWEEN 0 AND seats - released)"
        )
