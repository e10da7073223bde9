"""The box office books for somebody: with and without an address, above the limit, held, at the desk."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select, text

from azionelab.bookings import erasure, performance_changes, rules
from azionelab.bookings.box_office.book_for import Guest, Terms, book_for
from azionelab.bookings.box_office.errors import (
    AlreadyBooked,
    HoldTooLong,
    PerformanceOver,
    SameName,
    UndoTooLate,
)
from azionelab.bookings.box_office.just_booked import UNDO_FOR, undo_booking
from azionelab.bookings.errors import (
    BookingClosed,
    HoldExpired,
    PartyInside,
    PartyOverLimit,
    PartyTooLarge,
    PerformanceUnknown,
    SoldOut,
)
from azionelab.bookings.mails.messages import read_draft
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.bookings.seats import holds
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import db, now, transaction
from azionelab.mail.models import Delivery, Mail
from azionelab.shows.models import Performance
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    a_visitor,
    fresh,
    let_lapse,
    mails,
    move,
    seats_held,
)

pytestmark = pytest.mark.usefixtures("in_app")
CALLER = Guest("Ada Rossi", "", "en")
WRITER = Guest("Ada Rossi", "ada@example.org", "en")
AT_DESK = Guest("Walk-ins", "", "en", at_desk=True)


def set_back(reservation: Reservation, by: timedelta) -> None:
    """Let it have been made earlier."""
    with transaction() as session:
        session.execute(
            text("UPDATE reservation SET created_at = created_at - :by WHERE id = :id"),
            {"by": by, "id": reservation.id},
        )


def test_somebody_without_an_address_is_confirmed_at_once_and_let_in() -> None:
    performance = a_performance(10)
    booked = book_for(performance.id, CALLER, 3)
    stored = fresh(booked.id)
    assert (stored.state, stored.kind, stored.seats) == (State.CONFIRMED, Kind.BOX_OFFICE, 3)
    assert (stored.email, stored.email_key) == ("", None)
    assert mails(booked) == []
    assert seats_held(performance.id) == (3, 3)
    verdict = admit(performance.id, stored.reference, uuid4(), DOOR_A)
    assert (verdict.kind, verdict.people) == (VerdictKind.ADMITTED, 3)


def test_many_without_an_address_are_booked_for_one_evening() -> None:
    performance = a_performance(10)
    for name in ("Ada", "Bruno", "Carla"):
        book_for(performance.id, Guest(name, "", "it"), 2)
    assert seats_held(performance.id) == (6, 6)


def test_who_has_an_address_gets_the_ticket_unless_staff_write_to_nobody() -> None:
    performance = a_performance(10)
    assert mails(book_for(performance.id, WRITER, 2)) == ["ticket"]
    quiet = Guest("Bruno", "bruno@example.org", "en")
    assert mails(book_for(performance.id, quiet, 2, Terms(with_mail=False))) == []


def test_the_capacity_is_the_same_for_everybody() -> None:
    performance = a_performance(5)
    book_for(performance.id, CALLER, 4)
    for terms in (Terms(), Terms(limit_reason="School"), Terms(held_until=performance.starts_at)):
        with pytest.raises(SoldOut) as refused:
            book_for(performance.id, WRITER, 2, terms)
        assert refused.value.seats_left == 1
    assert seats_held(performance.id) == (4, 4)
    assert db.session.scalar(select(func.count(Reservation.id))) == 1
    assert db.session.scalar(select(func.count(Mail.id))) == 0


def test_seats_of_lapsed_holds_are_taken_also_of_the_same_address() -> None:
    performance = a_performance(5)
    lapsed = a_party(performance, 5, confirmed=False, email=WRITER.email)
    let_lapse(lapsed)
    assert book_for(performance.id, WRITER, 5).state == State.CONFIRMED
    assert fresh(lapsed.id).state == State.EXPIRED


def test_a_party_above_the_limit_needs_a_reason_which_is_erased_with_the_name() -> None:
    performance = a_performance(60)
    school = Guest("Liceo Volta, 3B", "", "it", contact="Prof. Bianchi, 333 1234567")
    with pytest.raises(PartyOverLimit) as refused:
        book_for(performance.id, school, 27)
    assert refused.value.limit == performance.party_limit
    booked = book_for(performance.id, school, 27, Terms(limit_reason="School class"))
    stored = fresh(booked.id)
    assert (stored.limit_reason, stored.contact) == ("School class", school.contact)
    with pytest.raises(PartyTooLarge):
        book_for(performance.id, school, 101, Terms(limit_reason="School class"))
    erasure.erase_on_request(booked.id)
    stored = fresh(booked.id)
    assert (stored.name, stored.limit_reason, stored.contact) == ("", "", "")


def test_a_reason_that_is_not_needed_is_not_kept() -> None:
    booked = book_for(a_performance(10).id, CALLER, 2, Terms(limit_reason="School class"))
    assert fresh(booked.id).limit_reason == ""


def test_staff_book_outside_of_the_booking_window_until_the_end() -> None:
    early = a_performance(10, booking_opens_at=now() + timedelta(hours=2))
    playing = a_performance(10, starts_at=now() - timedelta(hours=1))
    over = a_performance(10, starts_at=now() - timedelta(hours=3))
    for performance in (early, playing):
        assert book_for(performance.id, CALLER, 2).state == State.CONFIRMED
    with pytest.raises(PerformanceOver):
        book_for(over.id, CALLER, 2)
    performance_changes.cancel_performance(early.id)
    with pytest.raises(BookingClosed):
        book_for(early.id, Guest("Bruno", "", "en"), 2)


def test_an_address_that_has_a_booking_is_reported_with_it() -> None:
    performance, other = a_performance(10), a_performance(10)
    booked = a_party(performance, 2, email="ada@example.org", name="Ada Neri")
    with pytest.raises(AlreadyBooked) as refused:
        book_for(performance.id, Guest("Ada", "ADA@example.org", "en"), 2)
    double = refused.value
    assert (double.reservation_id, double.reference) == (booked.id, booked.reference)
    assert (double.name, double.seats) == ("Ada Neri", 2)
    assert book_for(performance.id, Guest("Ada", "", "en"), 2).state == State.CONFIRMED
    assert book_for(other.id, Guest("Ada", "ada@example.org", "en"), 2).state == State.CONFIRMED


def test_the_same_name_without_an_address_is_asked_about() -> None:
    performance = a_performance(10)
    first = book_for(performance.id, CALLER, 2)
    with pytest.raises(SameName) as refused:
        book_for(performance.id, Guest("ada rossi", "", "en"), 1)
    assert refused.value.reservation_id == first.id
    book_for(performance.id, CALLER, 1, Terms(same_name=True))
    assert seats_held(performance.id) == (3, 3)


def test_the_same_press_books_once() -> None:
    performance, press = a_performance(10), uuid4()
    first = book_for(performance.id, WRITER, 2, press=press)
    again = book_for(performance.id, WRITER, 2, press=press)
    assert (again.id, again.is_unchanged) == (first.id, True)
    nameless = book_for(performance.id, CALLER, 2, Terms(same_name=True), press)
    assert nameless.id != first.id
    assert book_for(performance.id, CALLER, 2, press=press).id == nameless.id
    assert mails(first) == ["ticket"]


def test_what_is_held_until_a_moment_is_free_after_it() -> None:
    performance = a_performance(4)
    until = now() + timedelta(hours=5)
    held = book_for(performance.id, CALLER, 4, Terms(held_until=until))
    assert (held.state, held.hold_expires_at) == (State.PENDING, until)
    with pytest.raises(SoldOut):
        rules.reserve(performance.id, a_visitor(), 1)
    assert holds.expire_lapsed_holds() == 0
    let_lapse(held)
    rules.reserve(performance.id, a_visitor(), 4)
    assert fresh(held.id).state == State.EXPIRED
    with pytest.raises(HoldExpired):
        rules.confirm(held.id)


def test_staff_confirm_what_is_held_for_somebody_without_an_address() -> None:
    performance = a_performance(4)
    held = book_for(performance.id, CALLER, 4, Terms(held_until=performance.starts_at))
    assert rules.confirm(held.id).state == State.CONFIRMED
    assert mails(held) == []


def test_nothing_is_held_longer_than_until_the_curtain() -> None:
    performance = a_performance(4)
    for until in (performance.starts_at + timedelta(seconds=1), now()):
        with pytest.raises(HoldTooLong):
            book_for(performance.id, CALLER, 1, Terms(held_until=until))


def test_holds_follow_the_curtain_and_end_with_it() -> None:
    performance = a_performance(9)
    curtain, early = performance.starts_at, now() + timedelta(hours=2)
    until_curtain = book_for(performance.id, CALLER, 1, Terms(held_until=curtain))
    until_early = book_for(performance.id, Guest("B", "", "en"), 1, Terms(held_until=early))
    visitor = a_party(performance, 1, confirmed=False)
    move(performance.id, curtain + timedelta(days=1))
    assert fresh(until_curtain.id).hold_expires_at == curtain + timedelta(days=1)
    assert fresh(until_early.id).hold_expires_at == early
    soon = now() + timedelta(hours=1)
    move(performance.id, soon)
    assert fresh(until_early.id).hold_expires_at == soon
    assert fresh(visitor.id).hold_expires_at == visitor.hold_expires_at


def test_what_staff_hold_leaves_the_visitors_share_whole(make_app: Callable[..., Flask]) -> None:
    with make_app(UNCONFIRMED_PERCENT="50").app_context():
        performance = a_performance(20)
        terms = Terms(held_until=performance.starts_at, limit_reason="School")
        book_for(performance.id, CALLER, 10, terms)
        network = rules.Visitor("V", "v@example.org", "en", "192.0.2.1")
        assert rules.reserve(performance.id, network, 5).holds_seats
        other = rules.Visitor("W", "w@example.org", "en", "192.0.2.2")
        assert rules.reserve(performance.id, other, 5).holds_seats
        assert seats_held(performance.id) == (20, 20)


def test_the_share_still_counts_visitors_beside_what_staff_hold(
    make_app: Callable[..., Flask], database: psycopg.Connection[Any]
) -> None:
    with make_app(UNCONFIRMED_PERCENT="50").app_context():
        performance = a_performance(20)
        book_for(performance.id, CALLER, 5, Terms(held_until=performance.starts_at))
        for number in (1, 2):
            visitor = rules.Visitor("V", f"v{number}@example.org", "en", f"192.0.2.{number}")
            assert rules.reserve(performance.id, visitor, 5).holds_seats
        late = rules.Visitor("L", "late@example.org", "en", "192.0.2.3")
        assert not rules.reserve(performance.id, late, 1).holds_seats
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="unconfirmed"):
            database.execute("UPDATE reservation SET holds_seats = true WHERE NOT holds_seats")


def test_walk_ins_at_the_desk_count_as_walk_ins_and_have_a_ticket() -> None:
    performance = a_performance(10)
    book_for(performance.id, AT_DESK, 2)
    second = book_for(performance.id, AT_DESK, 8)
    counts = house_counts([performance.id])[performance.id]
    assert (counts.walk_ins, counts.expected, counts.free) == (10, 10, 0)
    verdict = admit(performance.id, second.reference, uuid4(), DOOR_A)
    assert (verdict.kind, verdict.people) == (VerdictKind.ADMITTED, 8)


def test_a_booking_just_made_is_undone_without_a_mail() -> None:
    performance = a_performance(10)
    booked = book_for(performance.id, WRITER, 2)
    assert undo_booking(booked.id) is False
    assert (fresh(booked.id).state, mails(booked)) == (State.CANCELLED, ["ticket"])
    assert db.session.scalar(select(Mail.delivery)) == Delivery.NOT_SENT
    assert seats_held(performance.id) == (0, 0)
    assert undo_booking(booked.id) is False
    assert mails(book_for(performance.id, WRITER, 2)) == ["ticket"]


def test_who_has_the_ticket_already_is_told_that_it_was_undone() -> None:
    booked = book_for(a_performance(10).id, WRITER, 2)
    with transaction() as session:
        session.execute(text("UPDATE mail SET delivery = 'sent', sent_at = now()"))
    assert undo_booking(booked.id) is True
    assert mails(booked) == ["ticket", "cancelled"]


def test_only_what_staff_have_just_made_is_undone() -> None:
    performance = a_performance(10)
    old, inside = (book_for(performance.id, Guest(name, "", "en"), 1) for name in ("A", "B"))
    visitors = a_party(performance)
    set_back(old, UNDO_FOR + timedelta(seconds=1))
    admit(performance.id, inside.reference, uuid4(), DOOR_A)
    for party, refusal in ((old, UndoTooLate), (visitors, UndoTooLate), (inside, PartyInside)):
        with pytest.raises(refusal):
            undo_booking(party.id)
    assert seats_held(performance.id) == (4, 4)


@pytest.mark.parametrize("held", [False, True])
def test_the_mail_says_that_the_box_office_booked(held: bool) -> None:
    performance = a_performance(10)
    until = now() + timedelta(hours=5)
    booked = book_for(performance.id, WRITER, 2, Terms(held_until=until if held else None))
    mail = db.session.scalars(select(Mail).where(Mail.reservation_id == booked.id)).one()
    draft = read_draft(mail.id)
    assert draft is not None
    message = draft.build()
    assert "Our box office has booked these seats for you" in message.text
    assert "Dear" in message.text
    assert ("until" in message.text) is held
    assert ("If you did not ask for this booking" in message.text) is held


def test_visitors_are_not_told_of_a_box_office() -> None:
    party = a_party(a_performance(10))
    kinds = db.session.scalars(select(Mail).where(Mail.reservation_id == party.id))
    drafts = [read_draft(mail_id) for mail_id in [mail.id for mail in kinds]]
    assert all(draft and "box office has" not in draft.build().text for draft in drafts)


def test_an_unknown_performance_is_refused() -> None:
    with pytest.raises(PerformanceUnknown):
        book_for(999, CALLER, 1)


def test_a_name_alone_is_kept_as_long_as_an_address() -> None:
    performance: Performance = a_performance(10, starts_at=now() - timedelta(hours=1))
    booked = book_for(performance.id, CALLER, 1)
    assert erasure.erase_personal_data() == 0
    with transaction() as session:
        session.execute(
            text(
                "UPDATE performance SET starts_at = now() - interval '400 days',"
                " booking_closes_at = now() - interval '400 days',"
                " booking_opens_at = now() - interval '401 days'"
            )
        )
    assert erasure.erase_personal_data() == 1
    assert fresh(booked.id).name == ""
