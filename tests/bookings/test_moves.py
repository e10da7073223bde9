"""Staff move a party to another performance, split it and merge two."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text

from azionelab.bookings import rules
from azionelab.bookings.box_office.groups import merge_parties, split_party
from azionelab.bookings.box_office.moves import move_party
from azionelab.bookings.box_office.outcomes import Outcome
from azionelab.bookings.box_office.undoing import find_undo, undo_change
from azionelab.bookings.door_notes import set_lateness, write_note
from azionelab.bookings.errors import (
    AddressTaken,
    HoldExpired,
    NotMergeable,
    NotMovable,
    NotSplittable,
    PartyInside,
    PartyTooLarge,
    PerformanceUnknown,
    ReservationChanged,
    ReservationEnded,
    SeatsReleased,
    SoldOut,
    UndoOver,
    VisitorErased,
)
from azionelab.bookings.models import Reservation
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.seats import no_show_seats
from azionelab.bookings.tickets.signing import write_ticket
from azionelab.checkin.devices.offline_list import changes_since
from azionelab.checkin.devices.registry import ticket_digest
from azionelab.checkin.scanning.scan_log import Claim
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo as undo_scan
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import db, now, transaction
from azionelab.shows.models import Performance
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    fresh,
    let_lapse,
    mails,
    seats_held,
    ticket_token,
)

pytestmark = pytest.mark.usefixtures("in_app")


def tonight(capacity: int = 10) -> Performance:
    curtain = now() + timedelta(minutes=20)
    return a_performance(capacity, starts_at=curtain, booking_closes_at=curtain)


def move(party: Reservation, target: Performance, **options: Any) -> Outcome:
    return move_party(party.id, target.id, fresh(party.id).changed_in, **options)


def undo(party: Reservation) -> Outcome:
    offer = find_undo(fresh(party.id))
    assert offer is not None
    return undo_change(offer.id)


def scanned(evening: Performance, party: Reservation, code: str) -> VerdictKind:
    return admit(evening.id, code, uuid4(), DOOR_A).kind


def test_a_party_is_moved_with_its_ticket() -> None:
    friday, saturday = a_performance(10), a_performance(10)
    party = a_party(friday, 4)
    reference = party.reference
    done = move(party, saturday)
    assert (fresh(party.id).performance_id, fresh(party.id).reference) == (saturday.id, reference)
    assert (seats_held(friday.id), seats_held(saturday.id)) == ((0, 0), (4, 4))
    assert done.free == 6
    assert mails(party) == ["confirm", "ticket", "changed"]
    told = " ".join(done.mails[0].paragraphs)
    assert saturday.show.title in told
    assert friday.show.title in told
    assert move(party, saturday).is_unchanged


def test_the_doors_know_where_a_moved_party_belongs() -> None:
    friday, saturday = tonight(), tonight()
    party = a_party(friday, 4)
    tickets = [write_ticket(fresh(party.id)), ticket_token(party), party.reference]
    move(party, saturday)
    for code in (*tickets, write_ticket(fresh(party.id))):
        assert scanned(friday, party, code) is VerdictKind.WRONG_PERFORMANCE
    for code in tickets:
        scan = uuid4()
        assert admit(saturday.id, code, scan, DOOR_A).kind is VerdictKind.ADMITTED
        undo_scan(saturday.id, scan, DOOR_A)


def digest(party: Reservation) -> str:
    """What a phone compares a signed ticket with."""
    return ticket_digest(write_ticket(party).partition("/")[2])


def test_the_doors_without_a_network_know_it_after_a_sync() -> None:
    friday, saturday = tonight(), tonight()
    party, other = a_party(friday, 4), a_party(friday)
    old_ticket = digest(fresh(party.id))
    there, here = changes_since(friday.id, None).cursor, changes_since(saturday.id, None).cursor
    move(party, saturday)
    for cursor in (there, None):
        (left,) = [
            one
            for one in changes_since(friday.id, cursor).parties
            if one.reference == party.reference
        ]
        assert (left.moved, left.state, left.name, left.note) == (True, "cancelled", "", "")
        assert left.admitted == 0
    for cursor in (here, None):
        (come,) = changes_since(saturday.id, cursor).parties
        assert (come.moved, come.state, come.name) == (False, "confirmed", "Ada Rossi")
        assert {old_ticket, digest(fresh(party.id))} <= set(come.tickets)
    everybody = changes_since(friday.id, None).parties
    assert {one.reference for one in everybody} == {party.reference, other.reference}


def test_a_party_that_comes_back_is_on_the_first_list_again() -> None:
    friday, saturday = tonight(), tonight()
    party = a_party(friday, 4)
    move(party, saturday)
    move(party, friday)
    (back,) = changes_since(friday.id, None).parties
    assert (back.moved, back.state) == (False, "confirmed")
    (left,) = changes_since(saturday.id, None).parties
    assert left.moved


def test_a_phone_that_let_them_in_at_the_old_door_reports_a_conflict() -> None:
    friday, saturday = tonight(), tonight()
    party = a_party(friday, 4)
    code = write_ticket(fresh(party.id))
    move(party, saturday)
    claim = Claim(now(), VerdictKind.ADMITTED, 4)
    verdict = admit(friday.id, code, uuid4(), DOOR_A, claim=claim)
    assert (verdict.kind, verdict.people) == (VerdictKind.WRONG_PERFORMANCE, 0)
    assert (fresh(party.id).admitted, verdict.claimed) == (0, 4)


def test_nobody_is_moved_who_is_in() -> None:
    friday, saturday = tonight(), a_performance(10)
    party = a_party(friday, 4)
    scan = uuid4()
    admit(friday.id, party.reference, scan, DOOR_A, people=1)
    with pytest.raises(PartyInside):
        move(party, saturday)
    undo_scan(friday.id, scan, DOOR_A)
    move(party, saturday)


def test_the_database_refuses_it_too(database: psycopg.Connection[Any]) -> None:
    friday, saturday = tonight(), a_performance(3)
    party, inside = a_party(friday, 4), a_party(friday, 1)
    admit(friday.id, inside.reference, uuid4(), DOOR_A)
    typed = "UPDATE reservation SET performance_id = %s WHERE id = %s"
    with pytest.raises(psycopg.errors.IntegrityError, match="while somebody is in"):
        database.execute(typed, [saturday.id, inside.id])
    with pytest.raises(psycopg.errors.CheckViolation, match="ck_performance_capacity_held"):
        database.execute(typed, [saturday.id, party.id])
    assert (seats_held(friday.id), seats_held(saturday.id)) == ((5, 5), (0, 0))


def test_only_where_there_is_room() -> None:
    friday, saturday = a_performance(10), a_performance(5)
    party = a_party(friday, 4)
    lapsing = a_party(saturday, 2, confirmed=False)
    with pytest.raises(SoldOut) as refusal:
        move(party, saturday)
    assert refusal.value.seats_left == 3
    let_lapse(lapsing)
    move(party, saturday)
    assert seats_held(saturday.id) == (4, 4)


def test_not_beside_a_booking_of_the_same_address() -> None:
    friday, saturday = a_performance(10), a_performance(10)
    party = a_party(friday, email="a@example.org")
    there = a_party(saturday, email="a@example.org")
    with pytest.raises(AddressTaken) as refusal:
        move(party, saturday)
    assert refusal.value.reference == there.reference


def test_only_to_a_performance_to_come() -> None:
    party = a_party(a_performance(10))
    over, off = a_performance(10, starts_at=now() - timedelta(hours=1)), a_performance(10)
    cancel_performance(off.id)
    for target in (over, off):
        with pytest.raises(NotMovable):
            move(party, target)
    with pytest.raises(PerformanceUnknown):
        move_party(party.id, 999_999, fresh(party.id).changed_in)


def test_a_party_that_missed_its_evening_is_moved_with_all_its_seats() -> None:
    friday, saturday = tonight(), a_performance(10)
    party = a_party(friday, 4)
    set_lateness(party.id, 20, by_staff=True)
    no_show_seats.release_no_shows(friday.id, with_late=True)
    assert seats_held(friday.id) == (0, 0)
    move(party, saturday)
    moved = fresh(party.id)
    assert (moved.released, moved.late_at) == (0, None)
    assert (seats_held(friday.id), seats_held(saturday.id)) == ((0, 0), (4, 4))


def test_an_unconfirmed_party_keeps_its_hold_and_is_asked_again() -> None:
    friday, saturday = a_performance(10), a_performance(10)
    party = a_party(friday, 4, confirmed=False)
    until = party.hold_expires_at
    move(party, saturday)
    moved = fresh(party.id)
    assert (moved.state, moved.hold_expires_at) == ("pending", until)
    assert mails(party) == ["confirm", "confirm"]
    let_lapse(party)
    with pytest.raises(HoldExpired):
        move(party, friday)


def test_what_has_ended_stays() -> None:
    party = a_party(a_performance(10))
    rules.cancel(party.id)
    with pytest.raises(ReservationEnded):
        move(party, a_performance(10))


def test_the_second_of_two_who_move_is_told() -> None:
    friday, saturday, sunday = (a_performance(10) for _ in range(3))
    party = a_party(friday)
    seen = fresh(party.id).changed_in
    move(party, saturday)
    with pytest.raises(ReservationChanged):
        move_party(party.id, sunday.id, seen)


def test_a_move_is_undone() -> None:
    friday, saturday = tonight(), a_performance(10)
    party = a_party(friday, 4)
    set_lateness(party.id, 20, by_staff=True)
    late_at = fresh(party.id).late_at
    move(party, saturday)
    undo(party)
    back = fresh(party.id)
    assert (back.performance_id, back.late_at) == (friday.id, late_at)
    assert (seats_held(friday.id), seats_held(saturday.id)) == ((4, 4), (0, 0))


def test_a_move_is_undone_only_while_the_old_seats_are_free() -> None:
    friday, saturday = a_performance(4), a_performance(10)
    party = a_party(friday, 4)
    move(party, saturday)
    a_party(friday, 1)
    with pytest.raises(SoldOut):
        undo(party)


def test_a_move_is_not_undone_when_they_are_in() -> None:
    friday, saturday = tonight(), tonight()
    party = a_party(friday, 4)
    move(party, saturday)
    offer = find_undo(fresh(party.id))
    assert offer is not None
    offer_id = offer.id
    admit(saturday.id, party.reference, uuid4(), DOOR_A)
    assert find_undo(fresh(party.id)) is None
    with pytest.raises(UndoOver):
        undo_change(offer_id)


def split(party: Reservation, seats: int, **options: Any) -> Outcome:
    stored = fresh(party.id)
    named = {"name": stored.name, "email": stored.email} | options
    return split_party(party.id, seats, stored.changed_in, **named)


def test_a_party_is_split() -> None:
    evening = a_performance(6)
    party, _full = a_party(evening, 4, name="Ada Rossi"), a_party(evening, 2)
    write_note(party.id, "row 1", "")
    done = split(party, 1)
    assert done.other_id is not None
    other = fresh(done.other_id)
    assert (other.name, other.seats, other.state, other.note) == (
        "Ada Rossi",
        1,
        "confirmed",
        "row 1",
    )
    assert (fresh(party.id).seats, seats_held(evening.id)) == (3, (6, 6))
    assert fresh(party.id).reference != other.reference
    assert (mails(party)[-1], mails(other)) == ("changed", ["changed"])
    assert [mail.recipient for mail in done.mails] == [party.email] * 2
    for one in (fresh(party.id), other):
        assert admit(evening.id, write_ticket(one), uuid4(), DOOR_A).people == one.seats


def test_a_split_and_a_merge_sent_again_change_nothing() -> None:
    evening = a_performance(10)
    party, other = a_party(evening, 4), a_party(evening, 2)
    seen = fresh(party.id).changed_in
    named = {"name": party.name, "email": party.email}
    first = split_party(party.id, 1, seen, **named)
    again = split_party(party.id, 1, seen, **named)
    assert (again.is_unchanged, again.other_id) == (True, first.other_id)
    seen = fresh(party.id).changed_in
    merge_parties(party.id, other.id, seen)
    assert merge_parties(party.id, other.id, seen).is_unchanged
    assert (fresh(party.id).seats, seats_held(evening.id)) == (5, (6, 6))


def test_the_mailbox_of_a_split_party_still_has_one_booking() -> None:
    evening = a_performance(10)
    party = a_party(evening, 4, email="a@example.org")
    split(party, 1)
    again = rules.reserve(evening.id, rules.Visitor("Ada", "a@example.org", "en"), 1)
    assert again.id == party.id


def test_the_other_part_may_have_an_address_of_its_own() -> None:
    evening = a_performance(10)
    party = a_party(evening, 4)
    taken = a_party(evening, email="taken@example.org")
    with pytest.raises(AddressTaken) as refusal:
        split(party, 1, email="taken@example.org")
    assert refusal.value.reference == taken.reference
    done = split(party, 1, name="Bruno Neri", email="bruno@example.org")
    assert done.other_id is not None
    assert fresh(done.other_id).email_key == "bruno@example.org"
    assert [mail.recipient for mail in done.mails] == [party.email, "bruno@example.org"]


def test_what_cannot_be_split() -> None:
    evening = tonight()
    party = a_party(evening, 4)
    for seats in (0, 4, 5):
        with pytest.raises(NotSplittable):
            split(party, seats)
    scan = uuid4()
    admit(evening.id, party.reference, scan, DOOR_A, people=1)
    with pytest.raises(PartyInside):
        split(party, 1)
    undo_scan(evening.id, scan, DOOR_A)
    no_show_seats.release_no_shows(evening.id)
    with pytest.raises(SeatsReleased):
        split(party, 1)
    no_show_seats.restore_no_shows(evening.id)
    with transaction() as session:
        session.execute(text("UPDATE reservation SET erased_at = now(), name = '', email = ''"))
    with pytest.raises(VisitorErased):
        split(party, 1)


def test_a_split_is_undone() -> None:
    evening = a_performance(4)
    party = a_party(evening, 4)
    done = split(party, 1)
    assert done.other_id is not None
    undo(party)
    assert (fresh(party.id).seats, fresh(done.other_id).state) == (4, "cancelled")
    assert seats_held(evening.id) == (4, 4)


def merge(kept: Reservation, other: Reservation, **options: Any) -> Outcome:
    return merge_parties(kept.id, other.id, fresh(kept.id).changed_in, **options)


@pytest.mark.parametrize("flip", [False, True])
def test_two_parties_are_merged(flip: bool) -> None:
    evening = a_performance(6)
    one, two = a_party(evening, 4), a_party(evening, 2)
    if flip:
        one, two = two, one
    write_note(one.id, "row 1", "")
    write_note(two.id, "late", "")
    done = merge(one, two)
    kept, other = fresh(one.id), fresh(two.id)
    assert (kept.seats, kept.note, other.state) == (6, "row 1 / late", "cancelled")
    assert seats_held(evening.id) == (6, 6)
    assert (mails(one)[-1], mails(two)[-1]) == ("changed", "cancelled")
    assert [mail.recipient for mail in done.mails] == [one.email, two.email]
    assert "is now part of this one" in " ".join(done.mails[0].paragraphs)
    assert kept.reference in " ".join(done.mails[1].paragraphs)


def test_what_cannot_be_merged() -> None:
    evening = tonight(capacity=300)
    party, waiting = a_party(evening, 4), a_party(evening, 2, confirmed=False)
    with pytest.raises(NotMergeable):
        merge(party, party)
    with pytest.raises(NotMergeable):
        merge(party, a_party(a_performance(10)))
    with pytest.raises(NotMergeable):
        merge(waiting, party)
    let_lapse(waiting)
    with pytest.raises(HoldExpired):
        merge(party, waiting)
    other = a_party(evening, 2)
    admit(evening.id, other.reference, uuid4(), DOOR_A)
    with pytest.raises(PartyInside):
        merge(party, other)
    with transaction() as session:
        session.execute(text("UPDATE reservation SET seats = 99 WHERE id = :id"), {"id": party.id})
    with pytest.raises(PartyTooLarge):
        merge(party, a_party(evening, 2))


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_merge_is_undone(confirmed: bool) -> None:
    evening = a_performance(6)
    kept, other = a_party(evening, 4), a_party(evening, 2, confirmed=confirmed)
    write_note(other.id, "late", "")
    before = [
        (fresh(one.id).seats, fresh(one.id).state, fresh(one.id).note) for one in (kept, other)
    ]
    until = fresh(other.id).hold_expires_at
    merge(kept, other)
    assert fresh(kept.id).seats == 6
    undo(kept)
    now_is = [
        (fresh(one.id).seats, fresh(one.id).state, fresh(one.id).note) for one in (kept, other)
    ]
    assert now_is == before
    assert fresh(other.id).hold_expires_at == until
    assert seats_held(evening.id) == (6, 6)


def test_a_rehearsed_move_split_and_merge_change_nothing() -> None:
    evening, other_evening = a_performance(10), a_performance(10)
    one, two = a_party(evening, 4), a_party(evening, 2)
    count = text("SELECT count(*) FROM reservation UNION ALL SELECT count(*) FROM mail")
    before = db.session.scalars(count).all()
    assert move(one, other_evening, rehearse=True).free == 6
    assert len(split(one, 1, rehearse=True).mails) == 2
    assert len(merge(one, two, rehearse=True).mails) == 2
    db.session.rollback()
    assert db.session.scalars(count).all() == before
    assert (fresh(one.id).performance_id, fresh(one.id).seats) == (evening.id, 4)
    assert seats_held(evening.id) == (6, 6)


def test_identities_decide_the_order_of_locks_not_who_is_kept() -> None:
    evening = a_performance(10)
    parties = sorted((a_party(evening, 1) for _ in range(2)), key=lambda party: party.id)
    assert isinstance(parties[0].id, UUID)
    merge(parties[1], parties[0])
    assert fresh(parties[1].id).seats == 2
