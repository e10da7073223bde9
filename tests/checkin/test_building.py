"""The number of people in the building misses nobody and counts nobody twice."""

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from azionelab.checkin.devices.putting_away import bring_back, note_done, put_away
from azionelab.checkin.devices.registry import (
    Device,
    find_device,
    note_revocation_received,
    note_seen,
    silent_devices,
)
from azionelab.checkin.house.building import Building, people_in
from azionelab.checkin.scanning.scan_log import Actor, Claim, ScanReused, record_revoked_scan
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import record_revoked_undo, undo
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import now
from azionelab.shows.models import Performance
from azionelab.staff.tokens import Scope, issue_token, revoke_token
from tests.factories import DOOR_A, DOOR_B, a_party, a_performance, ticket_token

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[object]


def claim(people: int) -> Claim:
    return Claim(now() - timedelta(minutes=3), VerdictKind.ADMITTED, people)


def parts(performance: Performance) -> tuple[int, int, int]:
    building = people_in(performance.id)
    assert building.people == building.counted + building.beyond + building.by_revoked
    return building.counted, building.beyond, building.by_revoked


def a_phone(performance: Performance, label: str) -> tuple[Actor, str]:
    token, text = issue_token(label, Scope.DOOR, 5, performance.id)
    return Actor(door=label, token_id=token.id, label=label), text


def device_of(text: str) -> Device:
    device = find_device(text)
    assert device is not None
    return device


def last_heard(database: Database, phone: Actor, minutes: float) -> None:
    heard = now() - timedelta(minutes=minutes)
    database.execute(
        "UPDATE api_token SET last_seen_at = %s WHERE id = %s", (heard, phone.token_id)
    )


def test_conflicts_and_people_let_in_by_a_revoked_phone_count() -> None:
    performance = a_performance(capacity=13)
    six, three = a_party(performance, 6), a_party(performance, 3)
    admit(performance.id, ticket_token(six), uuid4(), DOOR_A)
    admit(performance.id, ticket_token(three), uuid4(), DOOR_A)
    let_in_walk_ins(performance.id, 1, uuid4(), DOOR_A)
    # Two offline doors admitted the same ticket, and one an unknown ticket.
    admit(performance.id, ticket_token(three), uuid4(), DOOR_B, claim=claim(3))
    admit(performance.id, "Q" * 43, uuid4(), DOOR_B, claim=claim(2))
    phone, _ = a_phone(performance, "Door C")
    revoke_token(phone.token_id or 0)
    missing = a_party(performance, 3)
    record_revoked_scan(performance.id, ticket_token(missing), uuid4(), phone, claim(3))
    record_revoked_scan(performance.id, None, uuid4(), phone, claim(1))
    assert people_in(performance.id).people == 19
    assert parts(performance) == (10, 5, 4)
    assert parts(a_performance()) == (0, 0, 0)


def test_nobody_counts_twice_and_undone_people_do_not_count() -> None:
    performance = a_performance(capacity=4)
    party, scan, conflict, walk_ins = a_party(performance, 2), uuid4(), uuid4(), uuid4()
    for _ in range(2):
        admit(performance.id, ticket_token(party), scan, DOOR_A)
        admit(performance.id, ticket_token(party), conflict, DOOR_B, claim=claim(2))
        let_in_walk_ins(performance.id, 3, walk_ins, DOOR_B, claim(3))
    assert parts(performance) == (4, 3, 0)
    # The answer was lost: the phone sends the same scan as its own decision.
    admit(performance.id, ticket_token(party), scan, DOOR_A, claim=claim(2))
    assert parts(performance) == (4, 3, 0)
    undo(performance.id, conflict, DOOR_B)
    assert parts(performance) == (4, 1, 0)
    undo(performance.id, walk_ins, DOOR_B)
    undo(performance.id, walk_ins, DOOR_B)
    assert parts(performance) == (2, 0, 0)
    undo(performance.id, scan, DOOR_A)
    assert parts(performance) == (0, 0, 0)


def test_refused_people_do_not_count() -> None:
    performance = a_performance(capacity=4)
    party = a_party(performance, 2)
    sent_away = Claim(now(), VerdictKind.ALREADY_IN, 0)
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A, claim=sent_away)
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A, people=3)
    assert parts(performance) == (0, 0, 0)


def test_a_claim_under_a_reused_id_is_recorded_once() -> None:
    performance = a_performance()
    party, other, scan = a_party(performance, 2), a_party(performance, 3), uuid4()
    admit(performance.id, ticket_token(party), scan, DOOR_A)
    for _ in range(3):
        with pytest.raises(ScanReused):
            admit(performance.id, ticket_token(other), scan, DOOR_B, claim=claim(3))
    assert parts(performance) == (2, 3, 0)


def test_a_later_claim_overrides_an_undo() -> None:
    performance = a_performance()
    party, scan = a_party(performance, 2), uuid4()
    admit(performance.id, ticket_token(party), scan, DOOR_A)
    # Somebody undid it while the phone was silent; then the phone claims that it let them in.
    undo(performance.id, scan, DOOR_B)
    admit(performance.id, ticket_token(party), scan, DOOR_A, claim=claim(2))
    assert parts(performance) == (0, 2, 0)


def test_a_revoked_phone_undoes_only_its_own_later_scans() -> None:
    performance = a_performance()
    party, counted, told = a_party(performance, 2), uuid4(), uuid4()
    phone, _ = a_phone(performance, "Door C")
    admit(performance.id, ticket_token(party), counted, phone)
    revoke_token(phone.token_id or 0)
    record_revoked_scan(performance.id, None, told, phone, claim(4))
    record_revoked_undo(performance.id, told, DOOR_A)
    record_revoked_undo(performance.id, counted, phone)
    assert parts(performance) == (2, 0, 4)
    record_revoked_undo(performance.id, told, phone)
    record_revoked_scan(performance.id, None, told, phone, claim(4))
    assert parts(performance) == (2, 0, 0)


def known(building: Building) -> tuple[list[str], float]:
    """The silent phones, each with its minutes of silence."""
    minutes = (building.at - building.known_at) / timedelta(minutes=1)
    return [phone.label for phone in building.silent], round(minutes)


def test_the_number_is_certain_as_of_the_longest_silence(database: Database) -> None:
    performance = a_performance()
    assert known(people_in(performance.id)) == ([], 0)
    near, far, farther, never = (a_phone(performance, label)[0] for label in "ABCD")
    last_heard(database, near, 0.5)
    assert known(people_in(performance.id)) == ([], 0)
    last_heard(database, far, 10)
    last_heard(database, farther, 20)
    # A phone that never synced has no list, and admits nobody offline.
    assert known(people_in(performance.id)) == (["C", "B"], 20)
    assert known(people_in(a_performance().id)) == ([], 0)
    assert never.token_id


def test_a_phone_that_is_put_away_is_listed_until_it_is_heard_again(
    database: Database,
) -> None:
    performance = a_performance()
    used, drawer, done = (a_phone(performance, label) for label in "ABC")
    note_done(device_of(done[1]))
    for phone, _ in (used, drawer, done):
        last_heard(database, phone, 20)
    last_heard(database, used[0], 5)
    assert known(people_in(performance.id)) == (["B", "A"], 20)
    assert put_away(performance.id, drawer[0].token_id or 0) == "B"
    building = people_in(performance.id)
    assert known(building) == (["A"], 5)
    # It may hold unsent scans; the one that ended its evening by itself holds none.
    assert [phone.label for phone in building.put_away] == ["B"]
    assert silent_devices(performance.id) == ["A"]
    note_seen(device_of(drawer[1]))
    assert people_in(performance.id).put_away == []
    last_heard(database, drawer[0], 20)
    assert known(people_in(performance.id)) == (["B", "A"], 20)


def test_putting_away_can_be_undone_and_needs_the_right_performance(database: Database) -> None:
    performance = a_performance()
    phone, _ = a_phone(performance, "A")
    last_heard(database, phone, 20)
    number = phone.token_id or 0
    assert put_away(a_performance().id, number) is None
    assert known(people_in(performance.id)) == (["A"], 20)
    assert put_away(performance.id, number) == "A"
    assert bring_back(performance.id, number) == "A"
    assert known(people_in(performance.id)) == (["A"], 20)
    assert people_in(performance.id).put_away == []


def test_a_revoked_phone_may_go_on_offline_until_it_is_told(database: Database) -> None:
    performance = a_performance()
    phones = [a_phone(performance, label) for label in "ABC"]
    for minutes, (phone, _) in enumerate(phones, start=20):
        last_heard(database, phone, minutes)
        revoke_token(phone.token_id or 0)
    assert known(people_in(performance.id)) == (["C", "B", "A"], 22)
    device = device_of(phones[1][1])
    note_revocation_received(device)
    assert known(people_in(performance.id)) == (["C", "A"], 22)
    # That is written once; a phone that was heard at the time of its revocation counts as told.
    database.execute("UPDATE api_token SET last_seen_at = revoked_at WHERE label = 'B'")
    assert known(people_in(performance.id)) == (["C", "A"], 22)
    note_revocation_received(device)
    row = database.execute("SELECT last_seen_at = revoked_at FROM api_token WHERE label = 'B'")
    assert row.fetchone() == (True,)
