"""The booking rules, one at a time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from azionelab.bookings import erasure, performance_changes, rules
from azionelab.bookings.errors import (
    BookingClosed,
    CapacityBelowHeld,
    HoldExpired,
    NamesErased,
    NotFewerSeats,
    PartyInside,
    PartyTooLarge,
    PerformanceStarted,
    PerformanceUnknown,
    ReservationEnded,
    SoldOut,
)
from azionelab.bookings.models import Reservation, State
from azionelab.bookings.seats import holds
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.database import NestedTransaction, db, now, transaction
from azionelab.mail.models import Delivery, Mail, MailKind
from azionelab.shows.models import Performance, Show
from azionelab.shows.programme import find_listing
from azionelab.shows.window import CurtainPast, CurtainTooFar, Window
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    a_visitor,
    change_capacity,
    fresh,
    let_lapse,
    mails,
    move,
    seats_held,
)

pytestmark = pytest.mark.usefixtures("in_app")


def queued_jobs() -> int:
    return int(db.session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0)


def put(performance: Performance, away: timedelta) -> None:
    """Let the evening be that far from now, as if so much time had passed."""
    with transaction() as session:
        session.execute(
            text("UPDATE performance SET starts_at = :at WHERE id = :id"),
            {"at": now() + away, "id": performance.id},
        )


def changing(**facts: Any) -> Callable[[Performance], None]:
    """A change of a performance's facts."""

    def change(performance: Performance) -> None:
        for name, fact in facts.items():
            setattr(performance, name, fact)

    return change


def test_reserving_holds_seats_and_enqueues_its_mail() -> None:
    performance = a_performance(capacity=5)
    reservation = rules.reserve(performance.id, a_visitor(), 3)
    assert reservation.state == State.PENDING
    assert reservation.hold_expires_at - reservation.created_at == timedelta(minutes=30)
    assert seats_held(performance.id) == (3, 3)
    assert mails(reservation) == [MailKind.CONFIRM]
    assert queued_jobs() == 1


def test_a_refused_booking_leaves_neither_mail_nor_job() -> None:
    performance = a_performance(capacity=2)
    with pytest.raises(SoldOut) as refusal:
        rules.reserve(performance.id, a_visitor(), 3)
    assert refusal.value.seats_left == 2
    assert db.session.scalars(select(Mail)).all() == []
    assert queued_jobs() == 0


@pytest.mark.parametrize("seats", [0, -1, 7, 10**9])
def test_a_party_is_of_one_to_the_limit(seats: int) -> None:
    performance = a_performance(capacity=50, party_limit=6)
    with pytest.raises(PartyTooLarge) as refusal:
        rules.reserve(performance.id, a_visitor(), seats)
    assert refusal.value.limit == 6


@pytest.mark.parametrize(
    ("window", "facts"),
    [
        (Window.NOT_YET_OPEN, {"booking_opens_at": timedelta(minutes=1)}),
        (Window.CLOSED, {"booking_closes_at": timedelta(seconds=-1)}),
        (Window.PAST, {"starts_at": timedelta(seconds=-1), "booking_closes_at": timedelta(1)}),
        (Window.CANCELLED, {"cancelled_at": timedelta(hours=-1)}),
    ],
)
def test_a_closed_window_refuses(window: Window, facts: dict[str, timedelta]) -> None:
    performance = a_performance(**{name: now() + delta for name, delta in facts.items()})
    with pytest.raises(BookingClosed) as refusal:
        rules.reserve(performance.id, a_visitor(), 1)
    assert refusal.value.window is window


def test_unknown_and_unpublished_performances_are_unknown() -> None:
    hidden = a_performance(published=False)
    for number in (hidden.id, 2**31 - 1):
        with pytest.raises(PerformanceUnknown):
            rules.reserve(number, a_visitor(), 1)


def test_the_same_press_makes_one_booking() -> None:
    performance, visitor, press = a_performance(), a_visitor(), uuid4()
    first = rules.reserve(performance.id, visitor, 2, press)
    again = rules.reserve(performance.id, visitor, 2, press)
    assert again.id == first.id
    assert mails(first) == [MailKind.CONFIRM]


def test_the_same_press_with_a_mended_address_is_another_booking() -> None:
    performance, press = a_performance(), uuid4()
    wrong = rules.reserve(performance.id, a_visitor("ada@exmaple.org"), 2, press)
    right = rules.reserve(performance.id, a_visitor("ada@example.org"), 2, press)
    assert right.id != wrong.id


def test_the_same_press_with_a_mended_name_is_another_booking() -> None:
    """So its owner is written to, by whose address there is a booking, and nothing is changed unseen."""
    performance, press = a_performance(), uuid4()
    first = rules.reserve(performance.id, a_visitor("ada@example.org", "Ada Rosi"), 2, press)
    again = rules.reserve(performance.id, a_visitor("ada@example.org", "Ada Rossi"), 2, press)
    assert again.id == first.id
    assert mails(first) == [MailKind.CONFIRM, MailKind.EXISTING]


@pytest.mark.parametrize("end", [let_lapse, lambda booked: rules.cancel(booked.id)])
def test_the_same_press_after_its_booking_ended_books_again(
    end: Callable[[Reservation], object],
) -> None:
    """A dead booking is of no use to who presses: they want seats, and a mail that leads to them."""
    performance, visitor, press = a_performance(), a_visitor(), uuid4()
    first = rules.reserve(performance.id, visitor, 2, press)
    end(first)
    again = rules.reserve(performance.id, visitor, 2, press)
    assert again.id != first.id
    assert not fresh(first.id).is_live
    assert mails(again) == [MailKind.CONFIRM]
    assert rules.reserve(performance.id, visitor, 2, press).id == again.id
    assert seats_held(performance.id) == (2, 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [("info@straße.de", "info@strasse.de"), ("info@βόλος.gr", "info@βόλοσ.gr")],
)
def test_domains_that_differ_in_one_letter_are_two_mailboxes(one: str, other: str) -> None:
    performance = a_performance()
    first = rules.reserve(performance.id, a_visitor(one), 2)
    assert rules.reserve(performance.id, a_visitor(other), 2).id != first.id
    assert rules.reserve(performance.id, a_visitor(one), 2).id == first.id


def test_an_address_that_booked_is_written_to_about_that_booking() -> None:
    performance = a_performance()
    first = rules.reserve(performance.id, a_visitor("Ada@Example.org"), 2)
    again = rules.reserve(performance.id, a_visitor("ada@example.ORG"), 4)
    assert again.id == first.id
    assert again.seats == 2
    assert mails(first) == [MailKind.CONFIRM, MailKind.EXISTING]
    rules.reserve(performance.id, a_visitor("ada@example.org"), 4)
    rules.confirm(first.id)
    rules.reserve(performance.id, a_visitor("ada@example.org"), 4)
    told = [MailKind.CONFIRM, MailKind.EXISTING, MailKind.TICKET]
    assert mails(first) == told, "a mailbox is not filled by pressing"
    # What else it was told meanwhile does not matter.
    make_notices_older("4 minutes 30 seconds")
    rules.reserve(performance.id, a_visitor("ada@example.org"), 4)
    assert sorted(mails(first)) == sorted(told), "not within five minutes"
    make_notices_older("30 seconds")
    rules.reserve(performance.id, a_visitor("ada@example.org"), 4)
    assert sorted(mails(first)) == sorted([*told, MailKind.EXISTING])


def test_what_another_booking_was_told_lately_is_told_this_one_too() -> None:
    performance = a_performance()
    emails = ["ada@example.org", "bea@example.org", "cleo@example.org"]
    parties = {rules.reserve(performance.id, a_visitor(one), 2).id: one for one in emails}
    before, first, behind = sorted(parties)
    for party in (first, before, behind):
        again = rules.reserve(performance.id, a_visitor(parties[party]), 2)
        assert again.id == party
        assert mails(again) == [MailKind.CONFIRM, MailKind.EXISTING]


def make_notices_older(by: str) -> None:
    """Let what a mailbox was told of a booking that it has be older."""
    with transaction() as session:
        older = "UPDATE mail SET created_at = created_at - CAST(:by AS interval) WHERE kind = :kind"
        session.execute(text(older), {"by": by, "kind": MailKind.EXISTING})


def test_a_full_house_says_so_to_all_alike() -> None:
    performance = a_performance(capacity=2)
    a_party(performance, 2, email="ada@example.org")
    for address in ("ada@example.org", "someone.else@example.org"):
        with pytest.raises(SoldOut):
            rules.reserve(performance.id, a_visitor(address), 1)


def test_a_lapsed_hold_is_free_at_once_without_any_worker() -> None:
    performance = a_performance(capacity=2)
    let_lapse(a_party(performance, 2, confirmed=False))
    shown = find_listing(performance.id, now())
    assert shown is not None
    assert shown.seats_left == 2
    rules.reserve(performance.id, a_visitor(), 2)
    assert seats_held(performance.id) == (2, 2)


def test_the_worker_expires_lapsed_holds_only() -> None:
    one, other = a_performance(), a_performance()
    lapsed = [a_party(one, 2, confirmed=False), a_party(other, 3, confirmed=False)]
    kept = [a_party(one, 1, confirmed=False), a_party(one, 1)]
    for reservation in lapsed:
        let_lapse(reservation)
    assert holds.expire_lapsed_holds() == 2
    assert [fresh(r.id).state for r in lapsed] == [State.EXPIRED] * 2
    assert [fresh(r.id).state for r in kept] == [State.PENDING, State.CONFIRMED]
    assert seats_held(one.id) == (2, 2)
    assert holds.expire_lapsed_holds() == 0


def test_confirming_is_idempotent_and_sends_one_ticket() -> None:
    reservation = a_party(a_performance(), confirmed=False)
    assert rules.confirm(reservation.id).state == State.CONFIRMED
    assert rules.confirm(reservation.id).state == State.CONFIRMED
    assert mails(reservation) == [MailKind.CONFIRM, MailKind.TICKET]


def test_a_lapsed_hold_cannot_be_confirmed_whether_or_not_it_was_expired() -> None:
    performance = a_performance()
    reservation = a_party(performance, confirmed=False)
    let_lapse(reservation)
    with pytest.raises(HoldExpired):
        rules.confirm(reservation.id)
    holds.expire_lapsed_holds()
    with pytest.raises(HoldExpired):
        rules.confirm(reservation.id)


def test_cancelling_gives_the_seats_back_once() -> None:
    performance = a_performance()
    reservation = a_party(performance, 4)
    rules.cancel(reservation.id)
    rules.cancel(reservation.id)
    assert seats_held(performance.id) == (0, 0)
    assert mails(reservation) == [MailKind.CONFIRM, MailKind.TICKET, MailKind.CANCELLED]
    with pytest.raises(ReservationEnded):
        rules.confirm(reservation.id)


def test_a_party_that_is_in_cannot_cancel_or_shrink_below_itself() -> None:
    performance = a_performance()
    reservation = a_party(performance, 4)
    admit(performance.id, reservation.reference, uuid4(), DOOR_A, people=2)
    with pytest.raises(PartyInside):
        rules.cancel(reservation.id)
    with pytest.raises(PartyInside):
        rules.reduce_seats(reservation.id, 1)
    assert rules.reduce_seats(reservation.id, 2).seats == 2


def test_fewer_seats_keeps_the_ticket() -> None:
    performance = a_performance()
    reservation = a_party(performance, 4)
    rules.reduce_seats(reservation.id, 3)
    assert seats_held(performance.id) == (3, 3)
    assert mails(reservation)[-1] == MailKind.CHANGED
    for seats in (4, 0, -1):
        with pytest.raises(NotFewerSeats):
            rules.reduce_seats(reservation.id, seats)


def test_after_the_curtain_the_visitor_changes_nothing() -> None:
    performance = a_performance()
    reservation = a_party(performance, 4)
    with transaction() as session:
        session.execute(text("UPDATE performance SET starts_at = now()"))
    for change in (
        lambda: rules.cancel(reservation.id),
        lambda: rules.reduce_seats(reservation.id, 1),
    ):
        with pytest.raises(PerformanceStarted):
            change()


def test_capacity_is_not_cut_below_what_is_held() -> None:
    performance = a_performance(capacity=10)
    a_party(performance, 4)
    let_lapse(a_party(performance, 5, confirmed=False))
    with pytest.raises(CapacityBelowHeld) as refusal:
        change_capacity(performance.id, 3)
    assert refusal.value.held == 4
    assert change_capacity(performance.id, 4).capacity == 4


def test_calling_an_evening_off_writes_to_every_live_party_once() -> None:
    performance = a_performance()
    parties = [a_party(performance), a_party(performance, confirmed=False)]
    gone = a_party(performance)
    rules.cancel(gone.id)
    assert performance_changes.cancel_performance(performance.id) == 2
    assert performance_changes.cancel_performance(performance.id) is None
    assert all(mails(party)[-1] == MailKind.PERFORMANCE_CANCELLED for party in parties)
    assert mails(gone)[-1] == MailKind.CANCELLED
    assert seats_held(performance.id) == (0, 0)


def test_an_evening_called_off_is_called_off_for_those_who_are_in_too() -> None:
    performance = a_performance()
    inside = a_party(performance, 3)
    scan = uuid4()
    admit(performance.id, inside.reference, scan, DOOR_A, people=2)
    assert performance_changes.cancel_performance(performance.id) == 1
    assert performance_changes.cancel_performance(performance.id) is None
    assert mails(inside) == [MailKind.CONFIRM, MailKind.TICKET, MailKind.PERFORMANCE_CANCELLED]
    # The books still say who was there.
    assert (fresh(inside.id).state, fresh(inside.id).admitted) == (State.CONFIRMED, 2)
    assert not fresh(inside.id).has_ticket
    undo(performance.id, scan, DOOR_A)
    for change in (
        lambda: rules.cancel(inside.id),
        lambda: rules.reduce_seats(inside.id, 1),
    ):
        with pytest.raises(ReservationEnded):
            change()


def test_a_hold_that_outlived_its_evening_cannot_be_confirmed() -> None:
    performance = a_performance()
    late = a_party(performance, confirmed=False)
    with transaction() as session:
        # As when the evening is called off while the booking is being written.
        session.execute(text("UPDATE performance SET cancelled_at = now()"))
    with pytest.raises(ReservationEnded):
        rules.confirm(late.id)
    assert fresh(late.id).state == State.PENDING


def test_names_and_addresses_are_erased_when_they_served_their_purpose() -> None:
    old = a_performance()
    played = a_party(old)
    coming = a_performance()
    kept, gone = a_party(coming), a_party(coming)
    rules.cancel(gone.id)
    with transaction() as session:
        session.execute(
            text("UPDATE performance SET starts_at = now() - interval '31 days' WHERE id = :id"),
            {"id": old.id},
        )
        session.execute(
            text("UPDATE reservation SET ended_at = now() - interval '31 days' WHERE id = :id"),
            {"id": gone.id},
        )
    assert erasure.erase_personal_data() == 2
    for reservation in (played, gone):
        erased = fresh(reservation.id)
        assert (erased.name, erased.email, erased.email_key) == ("", "", None)
        assert erased.seats == 2
    assert fresh(kept.id).email.endswith("@example.org")
    assert erasure.erase_personal_data() == 0


def test_many_names_are_erased_in_several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "_AT_ONCE", 2)
    performance = a_performance()
    parties = [a_party(performance) for _ in range(5)]
    put(performance, timedelta(days=-31))
    assert erasure.erase_personal_data() == 5
    erased = [fresh(party.id) for party in parties]
    assert {party.name for party in erased} == {""}
    assert len({party.changed_in for party in erased}) == 3


def test_name_and_address_are_erased_on_request_and_nothing_else() -> None:
    performance = a_performance(capacity=10)
    party, other = a_party(performance, 3), a_party(performance, 2)
    admit(performance.id, party.reference, uuid4(), DOOR_A, people=1)
    erased = erasure.erase_on_request(party.id)
    assert not erased.is_unchanged
    row = fresh(party.id)
    assert (row.name, row.email, row.email_key) == ("", "", None)
    assert (row.seats, row.admitted, row.state) == (3, 1, State.CONFIRMED)
    assert row.erased_at is not None
    assert row.erased_at == row.erasure_requested_at
    assert seats_held(performance.id) == (5, 5)
    assert fresh(other.id).name == "Ada Rossi"
    assert erasure.erase_on_request(party.id).is_unchanged
    assert fresh(party.id).erased_at == row.erased_at
    # Mails that waited are not sent, and no other is written.
    waiting = select(Mail.reservation_id).where(Mail.delivery == Delivery.QUEUED)
    assert set(db.session.scalars(waiting)) == {other.id}
    known = mails(party)
    rules.reduce_seats(party.id, 2)
    assert move(performance.id, performance.starts_at + timedelta(hours=1)) == 1
    assert performance_changes.cancel_performance(performance.id) == 1
    assert mails(party) == known
    assert fresh(party.id).seats == 2


def test_an_evening_that_was_moved_keeps_its_names_until_it_is_over_in_its_turn() -> None:
    performance = a_performance()
    party = a_party(performance)
    put(performance, timedelta(days=-29))
    assert move(performance.id, now() + timedelta(days=60)) == 1
    assert erasure.erase_personal_data() == 0
    assert fresh(party.id).name == "Ada Rossi"
    put(performance, timedelta(days=-31))
    assert erasure.erase_personal_data() == 1


def test_an_evening_whose_names_were_erased_is_not_moved_any_more() -> None:
    performance = a_performance(capacity=10)
    party = a_party(performance)
    put(performance, timedelta(days=-31))
    # Before the erasing as well as after it: who erases need not lock the evening.
    for _ in range(2):
        for days in (-40, -1, 60):
            with pytest.raises(NamesErased):
                move(performance.id, now() + timedelta(days=days))
        erasure.erase_personal_data()
    assert fresh(party.id).name == ""
    assert change_capacity(performance.id, 9).capacity == 9


@pytest.mark.parametrize(
    ("refusal", "days"), [(CurtainPast, -1), (CurtainTooFar, 365 * 6), (CurtainTooFar, 365 * 7900)]
)
def test_a_coming_evening_stays_within_the_seasons(refusal: type[Exception], days: int) -> None:
    performance = a_performance()
    before = performance.starts_at
    a_party(performance)
    with pytest.raises(refusal):
        move(performance.id, now() + timedelta(days=days))
    db.session.rollback()
    assert performance.starts_at == before
    assert MailKind.MOVED not in db.session.scalars(select(Mail.kind)).all()
    assert move(performance.id, now() + timedelta(days=365 * 4)) == 1


def test_live_parties_are_written_to_when_their_evening_moves() -> None:
    performance = a_performance()
    live = [a_party(performance), a_party(performance, confirmed=False)]
    gone, lapsed = a_party(performance), a_party(performance, confirmed=False)
    rules.cancel(gone.id)
    let_lapse(lapsed)
    assert move(performance.id, performance.starts_at + timedelta(hours=1)) == 2
    assert [mails(party)[-1] for party in live] == [MailKind.MOVED] * 2
    for party in (gone, lapsed):
        assert MailKind.MOVED not in mails(party)
    assert queued_jobs() == db.session.scalar(select(func.count(Mail.id)))
    elsewhere = a_performance().venue_id
    to_elsewhere = {"venue_id": elsewhere}
    assert performance_changes.change_performance(performance.id, changing(**to_elsewhere)) == 2
    # What no visitor needs to know, or can come to any more, is told to nobody.
    assert (
        performance_changes.change_performance(
            performance.id, changing(party_limit=3, **to_elsewhere)
        )
        == 0
    )
    with pytest.raises(CapacityBelowHeld):
        performance_changes.change_performance(
            performance.id, changing(capacity=1, starts_at=now() + timedelta(days=9))
        )
    performance_changes.cancel_performance(performance.id)
    assert move(performance.id, now() + timedelta(days=9)) == 0
    assert [mails(live[0]).count(kind) for kind in (MailKind.MOVED, MailKind.TICKET)] == [2, 1]


def test_a_use_case_owns_its_transaction() -> None:
    performance = a_performance()
    with transaction(), pytest.raises(NestedTransaction):
        rules.reserve(performance.id, a_visitor(), 1)
    db.session.add(Show(slug="stray", title="Stray"))
    with pytest.raises(NestedTransaction):
        rules.reserve(performance.id, a_visitor(), 1)
    db.session.rollback()
