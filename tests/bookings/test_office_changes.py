"""Staff change, cancel and take back a reservation, and undo that."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from azionelab.bookings import erasure, rules
from azionelab.bookings.box_office.changes import PartyEntries, change_party, entries_of
from azionelab.bookings.box_office.endings import cancel_party, reinstate_party
from azionelab.bookings.box_office.outcomes import Outcome
from azionelab.bookings.box_office.undoing import find_undo, undo_change
from azionelab.bookings.errors import (
    AddressTaken,
    BookingError,
    HoldExpired,
    PartyInside,
    PartyOverLimit,
    PerformanceStarted,
    ReservationChanged,
    ReservationEnded,
    SoldOut,
    UndoOver,
    VisitorErased,
)
from azionelab.bookings.mails.superseded import is_superseded
from azionelab.bookings.models import Reservation
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.seats import no_show_seats
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now, transaction
from azionelab.mail.models import Mail
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    fresh,
    let_lapse,
    mails,
    move,
    seats_held,
)

pytestmark = pytest.mark.usefixtures("in_app")


def change(party: Reservation, **entries: Any) -> Outcome:
    """Save the form of a reservation with these entries changed; other arguments are the rule's."""
    stored = fresh(party.id)
    options = {
        name: entries.pop(name) for name in ("reason", "notify", "rehearse") if name in entries
    }
    seen = entries.pop("seen", stored.changed_in)
    return change_party(party.id, replace(entries_of(stored), **entries), seen, **options)


def entries(party: Reservation) -> PartyEntries:
    return entries_of(fresh(party.id))


def undo(party: Reservation, **options: Any) -> Outcome:
    offer = find_undo(fresh(party.id))
    assert offer is not None
    return undo_change(offer.id, **options)


def begins(performance_id: int) -> None:
    """Let the curtain rise a minute ago."""
    with transaction() as session:
        session.execute(
            text("UPDATE performance SET starts_at = :at, booking_closes_at = :at WHERE id = :id"),
            {"at": now() - timedelta(minutes=1), "id": performance_id},
        )


def test_a_form_changes_all_at_once_and_one_mail_tells() -> None:
    evening = a_performance(10)
    party = a_party(evening, 4, name="Ana Rosi", email="ana@example.org")
    done = change(
        party,
        name="Anna Rossi",
        email="anna@example.org",
        locale="it",
        seats=5,
        note="wheelchair",
    )
    assert entries(party) == PartyEntries("Anna Rossi", "anna@example.org", "it", 5, "wheelchair")
    assert done.free == 5
    assert seats_held(evening.id) == (5, 5)
    assert mails(party) == ["confirm", "ticket", "changed"]
    (mail,) = done.mails
    assert mail.recipient == "anna@example.org"
    told = " ".join(mail.paragraphs)
    assert "Ora avete 5 posti (prima: 4)" in told
    again = rules.reserve(evening.id, rules.Visitor("A", "ANNA@example.org", "it"), 1)
    assert again.id == party.id, "the corrected address has its booking"


def test_a_rehearsal_says_the_same_and_changes_nothing() -> None:
    evening = a_performance(10)
    party = a_party(evening, 4)
    rehearsed = change(party, seats=6, rehearse=True)
    assert (entries(party).seats, seats_held(evening.id)) == (4, (4, 4))
    assert mails(party) == ["confirm", "ticket"]
    assert find_undo(fresh(party.id)) is None
    assert change(party, seats=6) == rehearsed


def test_staff_may_write_to_nobody() -> None:
    party = a_party(a_performance(10), 4)
    done = change(party, seats=2, notify=False)
    assert mails(party) == ["confirm", "ticket"]
    assert done.mails, "what would have been written"


def test_a_note_alone_is_not_written_to_the_visitor() -> None:
    party = a_party(a_performance(10))
    assert change(party, note="row 1").mails == ()
    assert mails(party) == ["confirm", "ticket"]


def test_the_same_entries_change_nothing() -> None:
    party = a_party(a_performance(10))
    assert change(party).is_unchanged
    assert find_undo(fresh(party.id)) is None


def test_an_unconfirmed_party_is_asked_again() -> None:
    party = a_party(a_performance(10), 2, confirmed=False)
    change(party, email="right@example.org", seats=3)
    assert mails(party) == ["confirm", "confirm"]


def test_the_second_of_two_staff_is_told() -> None:
    party = a_party(a_performance(10), 4)
    seen = fresh(party.id).changed_in
    change(party, seats=5)
    with pytest.raises(ReservationChanged):
        change(party, note="mine", seen=seen)
    assert entries(party).note == ""


def test_more_seats_only_while_they_are_free() -> None:
    evening = a_performance(6)
    party = a_party(evening, 4)
    lapsing = a_party(evening, 2, confirmed=False)
    with pytest.raises(SoldOut) as refusal:
        change(party, seats=5)
    assert refusal.value.seats_left == 0
    let_lapse(lapsing)
    change(party, seats=6)
    assert seats_held(evening.id) == (6, 6)
    with pytest.raises(SoldOut):
        change(party, seats=7, reason="a class")


def test_beyond_the_limit_with_a_reason() -> None:
    evening = a_performance(30)
    party = a_party(evening, 4)
    with pytest.raises(PartyOverLimit) as refusal:
        change(party, seats=7)
    assert refusal.value.limit == 6
    change(party, seats=7, reason="two families")
    assert entries(party).seats == 7


def test_not_below_those_who_are_in() -> None:
    evening = a_performance(10)
    party = a_party(evening, 4)
    admit(evening.id, party.reference, UUID(int=1), DOOR_A, people=3)
    with pytest.raises(PartyInside):
        change(party, seats=2)
    change(party, seats=3)
    change(party, seats=5)
    assert seats_held(evening.id) == (5, 5)


def test_released_seats_count_first_when_a_party_gets_smaller() -> None:
    curtain = now() + timedelta(minutes=20)
    evening = a_performance(10, starts_at=curtain, booking_closes_at=curtain)
    party = a_party(evening, 5)
    admit(evening.id, party.reference, UUID(int=1), DOOR_A, people=2)
    no_show_seats.release_no_shows(evening.id)
    change(party, seats=3)
    assert seats_held(evening.id) == (2, 2)


def test_what_the_door_says_of_a_smaller_party() -> None:
    party = a_party(a_performance(10), 4)
    change(party, seats=2)
    assert (fresh(party.id).reduced_from, fresh(party.id).reduced_by) == (4, "staff")
    change(party, seats=3)
    assert fresh(party.id).reduced_from == 4
    change(party, seats=5)
    assert fresh(party.id).reduced_from is None


def test_an_address_has_one_booking() -> None:
    evening = a_performance(10)
    party, other = a_party(evening), a_party(evening, email="other@example.org")
    with pytest.raises(AddressTaken) as refusal:
        change(party, email="Other@example.org")
    assert refusal.value.reference == other.reference
    rules.cancel(other.id)
    change(party, email="Other@example.org")


def test_no_seats_change_after_the_curtain_but_an_address_does() -> None:
    evening = a_performance(10)
    party = a_party(evening)
    begins(evening.id)
    with pytest.raises(PerformanceStarted):
        change(party, seats=3)
    change(party, name="Anna Rossi")


def test_an_erased_visitor_gets_no_name_again() -> None:
    party = a_party(a_performance(10))
    erasure.erase_on_request(party.id)
    for again in ({"name": "Ada"}, {"email": "a@example.org"}, {"note": "x"}):
        with pytest.raises(VisitorErased):
            change(party, **again)
    assert change(party, seats=3).mails == ()


@pytest.mark.parametrize("ended", [rules.cancel, lambda party_id: let_lapse(fresh(party_id))])
def test_what_has_ended_is_not_changed(ended: Callable[[UUID], object]) -> None:
    party = a_party(a_performance(10), confirmed=ended is rules.cancel)
    ended(party.id)
    with pytest.raises((ReservationEnded, HoldExpired)):
        change(party, seats=1)


def cancel(party: Reservation, **options: Any) -> Outcome:
    return cancel_party(party.id, fresh(party.id).changed_in, **options)


def reinstate(party: Reservation, **options: Any) -> Outcome:
    return reinstate_party(party.id, fresh(party.id).changed_in, **options)


@pytest.mark.parametrize("notify", [True, False])
def test_cancelled_with_or_without_a_mail(notify: bool) -> None:
    evening = a_performance(10)
    party = a_party(evening, 4)
    done = cancel(party, notify=notify)
    assert (fresh(party.id).state, fresh(party.id).ended_by) == ("cancelled", "staff")
    assert mails(party) == ["confirm", "ticket", *(["cancelled"] if notify else [])]
    assert (done.free, seats_held(evening.id)) == (10, (0, 0))
    assert cancel(party).is_unchanged


def test_nobody_is_cancelled_who_is_in() -> None:
    evening = a_performance(10)
    party = a_party(evening)
    admit(evening.id, party.reference, UUID(int=1), DOOR_A, people=1)
    with pytest.raises(PartyInside):
        cancel(party)


def test_a_cancellation_is_taken_back() -> None:
    evening = a_performance(10)
    party = a_party(evening, 4)
    confirmed_at = fresh(party.id).confirmed_at
    rules.cancel(party.id)
    done = reinstate(party)
    again = fresh(party.id)
    assert (again.state, again.ended_at, again.ended_by) == ("confirmed", None, None)
    assert again.confirmed_at == confirmed_at
    assert (done.free, seats_held(evening.id)) == (6, (4, 4))
    assert mails(party)[-1] == "changed"
    assert reinstate(party).is_unchanged


def test_the_mail_of_a_cancellation_taken_back_is_not_sent() -> None:
    party = a_party(a_performance(10))
    rules.cancel(party.id)
    reinstate(party, notify=False)
    deliveries = db.session.scalars(db.select(Mail.delivery).where(Mail.kind == "cancelled")).all()
    assert deliveries == ["not_sent"]


def test_an_expired_booking_is_taken_back_confirmed() -> None:
    evening = a_performance(10)
    party = a_party(evening, 4, confirmed=False)
    let_lapse(party)
    assert fresh(party.id).state == "pending"
    reinstate(party)
    assert (fresh(party.id).state, seats_held(evening.id)) == ("confirmed", (4, 4))


def test_not_without_room() -> None:
    evening = a_performance(5)
    party = a_party(evening, 4)
    rules.cancel(party.id)
    a_party(evening, 2)
    with pytest.raises(SoldOut) as refusal:
        reinstate(party)
    assert refusal.value.seats_left == 3


def test_not_beside_a_new_booking_of_the_address() -> None:
    evening = a_performance(10)
    party = a_party(evening, email="a@example.org")
    rules.cancel(party.id)
    other = a_party(evening, email="a@example.org")
    with pytest.raises(AddressTaken) as refusal:
        reinstate(party)
    assert refusal.value.reference == other.reference


def test_not_when_the_performance_is_cancelled_or_over() -> None:
    evening, over = a_performance(10), a_performance(10)
    party, late = a_party(evening), a_party(over)
    cancel_performance(evening.id)
    with pytest.raises(ReservationEnded):
        reinstate(party)
    rules.cancel(late.id)
    begins(over.id)
    with pytest.raises(PerformanceStarted):
        reinstate(late)


Deed = Callable[[Reservation], object]


@pytest.mark.parametrize(
    ("before", "deed"),
    [
        (lambda _party: None, lambda party: change(party, seats=5, name="B", note="x")),
        (lambda _party: None, lambda party: change(party, seats=2, email="b@example.org")),
        (lambda _party: None, cancel),
        (lambda party: rules.cancel(party.id), reinstate),
    ],
    ids=["larger", "smaller", "cancelled", "taken back"],
)
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_change_is_undone(before: Deed, deed: Deed, confirmed: bool) -> None:
    evening = a_performance(10)
    party = a_party(evening, 4, confirmed=confirmed)
    before(party)
    stored, held = entries(party), seats_held(evening.id)
    facts = [fresh(party.id).state, fresh(party.id).hold_expires_at]
    deed(party)
    undo(party)
    assert (entries(party), seats_held(evening.id)) == (stored, held)
    assert [fresh(party.id).state, fresh(party.id).hold_expires_at] == facts
    assert find_undo(fresh(party.id)) is None


def test_the_mail_about_an_undo_replaces_one_that_waits() -> None:
    party = a_party(a_performance(10), 4)
    change(party, seats=5)
    (mail,) = undo(party).mails
    assert "has been taken back" in " ".join(mail.paragraphs)
    assert mails(party)[-2:] == ["changed", "changed"]
    older, newer = db.session.scalars(
        db.select(Mail).where(Mail.kind == "changed").order_by(Mail.created_at)
    ).all()
    assert is_superseded(db.session(), older)
    assert not is_superseded(db.session(), newer)


def test_a_newer_mail_says_what_a_waiting_one_would_have_said() -> None:
    party = a_party(a_performance(10), 4)
    change(party, seats=5)
    (mail,) = change(party, seats=6).mails
    assert "6 seats (before: 4)" in " ".join(mail.paragraphs)


def test_an_undo_is_refused_when_the_seats_are_gone() -> None:
    evening = a_performance(5)
    party = a_party(evening, 4)
    change(party, seats=2)
    a_party(evening, 3)
    with pytest.raises(SoldOut):
        undo(party)
    assert find_undo(fresh(party.id)) is not None, "it may fit later"


def test_an_undo_has_its_time_and_its_state() -> None:
    party = a_party(a_performance(10), 4)
    change(party, seats=5)
    first = find_undo(fresh(party.id))
    assert first is not None
    first_id = first.id
    change(party, seats=6)
    with pytest.raises(UndoOver):
        undo_change(first_id)
    with transaction() as session:
        session.execute(text("UPDATE undo_offer SET made_at = made_at - interval '11 minutes'"))
    assert find_undo(fresh(party.id)) is None


def test_an_undo_happens_once() -> None:
    party = a_party(a_performance(10), 4)
    change(party, seats=5)
    offer = find_undo(fresh(party.id))
    assert offer is not None
    offer_id = offer.id
    undo_change(offer_id)
    with pytest.raises(UndoOver):
        undo_change(offer_id)
    assert entries(party).seats == 4


def test_erasing_a_person_erases_what_could_be_undone() -> None:
    party = a_party(a_performance(10), name="Ada Rossi")
    change(party, name="Anna Rossi")
    erasure.erase_on_request(party.id)
    assert db.session.scalar(text("SELECT count(*) FROM undo_offer")) == 0


def test_old_offers_are_deleted() -> None:
    first, second = a_party(a_performance(10)), a_party(a_performance(10))
    change(first, seats=3)
    with transaction() as session:
        session.execute(text("UPDATE undo_offer SET made_at = made_at - interval '11 minutes'"))
    change(second, seats=3)
    assert db.session.scalar(text("SELECT count(*) FROM undo_offer")) == 1


def test_undo_of_a_change_whose_refusals_are_the_rules() -> None:
    evening = a_performance(10)
    party = a_party(evening)
    cancel(party)
    move(evening.id, now() + timedelta(days=2))
    offer = find_undo(fresh(party.id))
    assert offer is not None
    offer_id = offer.id
    cancel_performance(evening.id)
    with pytest.raises(BookingError):
        undo_change(offer_id)


def test_in_an_application_of_one_share(make_app: Callable[..., Flask]) -> None:
    """A party without a hold gets its seats when it is taken back, and none by a larger form."""
    with make_app(UNCONFIRMED_PERCENT="34").app_context():
        evening = a_performance(6)
        visitor = rules.Visitor("Ada", "w@example.org", "en", "192.0.2.1")
        waiting = rules.reserve(evening.id, visitor, 3)
        assert not fresh(waiting.id).holds_seats
        change(waiting, seats=4)
        assert seats_held(evening.id) == (0, 0)
        cancel(waiting)
        reinstate(waiting)
        assert seats_held(evening.id) == (4, 4)


def test_the_reason_of_a_large_party_is_kept_and_undone() -> None:
    party = a_party(a_performance(30), 4)
    change(party, seats=8, reason="two families")
    assert fresh(party.id).limit_reason == "two families"
    change(party, seats=9)
    assert fresh(party.id).limit_reason == "two families"
    change(party, seats=6)
    assert fresh(party.id).limit_reason == ""
    undo(party)
    assert (fresh(party.id).seats, fresh(party.id).limit_reason) == (9, "two families")


def test_an_address_can_be_taken_away() -> None:
    party = a_party(a_performance(10))
    assert change(party, email="").mails == ()
    assert (fresh(party.id).email, fresh(party.id).email_key) == ("", None)
    assert change(party, seats=3).mails == ()
    assert len(change(party, email="new@example.org").mails) == 1
