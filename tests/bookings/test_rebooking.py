"""The parties of a cancelled performance, moved to another one: one by one, and several at once."""

from uuid import UUID, uuid4

import pytest
from flask_babel import force_locale

from azionelab.bookings import erasure, rules
from azionelab.bookings.box_office.book_for import Guest, Terms, book_for
from azionelab.bookings.box_office.house_seats import keep_back
from azionelab.bookings.box_office.moves import move_party
from azionelab.bookings.box_office.undoing import find_undo, undo_change
from azionelab.bookings.errors import (
    AddressTaken,
    NotMovable,
    ReservationChanged,
    ReservationEnded,
    SeatsOfHouse,
    SoldOut,
    VisitorErased,
)
from azionelab.bookings.evenings.rebooking import (
    Rebooking,
    RebookingChanged,
    parties_to_rebook,
    rebook_parties,
)
from azionelab.bookings.mails.texts import text_for
from azionelab.bookings.models import Reservation
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.bookings.tickets.signing import write_ticket
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import db
from azionelab.mail.models import Mail, MailKind
from azionelab.shows.models import Performance
from tests.factories import DOOR_A, a_party, a_performance, fresh, mails, seats_held

pytestmark = pytest.mark.usefixtures("in_app")


def seen(*parties: Reservation) -> dict[UUID, int]:
    return {party.id: fresh(party.id).changed_in for party in parties}


def move(party: Reservation, target: Performance, *, notify: bool = True) -> None:
    move_party(party.id, target.id, fresh(party.id).changed_in, notify=notify)


def state(party: Reservation) -> tuple[str, int]:
    stored = fresh(party.id)
    return stored.state, stored.performance_id


def deliveries(party: Reservation) -> list[tuple[str, str]]:
    rows = db.session.query(Mail).filter_by(reservation_id=party.id).order_by(Mail.created_at)
    return [(mail.kind, mail.delivery) for mail in rows]


def test_a_party_of_a_cancelled_performance_is_moved_with_its_ticket() -> None:
    friday, saturday = a_performance(10), a_performance(10)
    party = a_party(friday, 4)
    ticket = write_ticket(party)
    cancel_performance(friday.id)
    move(party, saturday)
    assert state(party) == ("confirmed", saturday.id)
    assert (seats_held(friday.id), seats_held(saturday.id)) == ((0, 0), (4, 4))
    # One mail, which says both: the one about the cancellation had not left.
    assert deliveries(party)[-2:] == [("performance_cancelled", "not_sent"), ("changed", "queued")]
    mail = db.session.query(Mail).filter_by(reservation_id=party.id, kind="changed").one()
    with force_locale("en"):
        text = text_for(MailKind.CHANGED, fresh(party.id), {}, mail.changed)
    told = " ".join(text.paragraphs)
    assert f"is cancelled: {friday.show.title}" in told
    assert f"at another one: {saturday.show.title}" in told
    assert admit(friday.id, ticket, uuid4(), DOOR_A).kind is VerdictKind.WRONG_PERFORMANCE
    assert admit(saturday.id, ticket, uuid4(), DOOR_A).kind is VerdictKind.ADMITTED


def test_nobody_is_written_to_if_staff_say_so() -> None:
    friday, saturday = a_performance(10), a_performance(10)
    party = a_party(friday, 4)
    cancel_performance(friday.id)
    move(party, saturday, notify=False)
    assert deliveries(party)[-1] == ("performance_cancelled", "not_sent")


def test_the_move_is_undone() -> None:
    friday, saturday = a_performance(10), a_performance(10)
    party = a_party(friday, 4)
    cancel_performance(friday.id)
    before = fresh(party.id)
    ended = (before.ended_at, before.ended_by, before.confirmed_at, before.hold_expires_at)
    move(party, saturday)
    offer = find_undo(fresh(party.id))
    assert offer is not None
    undo_change(offer.id)
    after = fresh(party.id)
    assert state(party) == ("cancelled", friday.id)
    assert (after.ended_at, after.ended_by, after.confirmed_at, after.hold_expires_at) == ended
    assert seats_held(saturday.id) == (0, 0)


def test_who_is_not_moved_from_a_cancelled_performance() -> None:
    friday, full, saturday = a_performance(40), a_performance(3), a_performance(10)
    party, gone, erased = a_party(friday, 4), a_party(friday, 2), a_party(friday, 1)
    booked = a_party(friday, 1, email="ada@example.org")
    a_party(saturday, 1, email="ada@example.org")
    house = keep_back(friday.id, "Press", 2)
    rules.cancel(gone.id)
    cancel_performance(friday.id)
    erasure.erase_on_request(erased.id)
    for one, target, refusal in (
        (party, full, SoldOut),
        (gone, saturday, ReservationEnded),
        (erased, saturday, VisitorErased),
        (booked, saturday, AddressTaken),
        (house, saturday, SeatsOfHouse),
    ):
        with pytest.raises(refusal):
            move(one, target)
    assert deliveries(party)[-1] == ("performance_cancelled", "queued")
    assert [one.id for one in parties_to_rebook(friday.id)] == [party.id, booked.id]


def test_several_parties_are_moved_as_far_as_there_is_room() -> None:
    friday, saturday = a_performance(20), a_performance(7)
    one, two, three = (a_party(friday, seats) for seats in (4, 5, 3))
    no_mail = book_for(friday.id, Guest("By telephone", "", "en"), 1, Terms())
    cancel_performance(friday.id)
    chosen = seen(one, two, three, no_mail)
    plan = rebook_parties(friday.id, saturday.id, chosen)
    # First come, first served: the third fits, though the second does not.
    assert (plan.moved, plan.seats, plan.free) == ((one.id, three.id), 7, 0)
    left = [(each.name, each.seats, type(each.refusal)) for each in plan.left_behind]
    assert left == [(two.name, 5, SoldOut), ("By telephone", 1, SoldOut)]
    assert [mail.recipient for mail in plan.mails] == [one.email, three.email]
    assert seats_held(saturday.id) == (0, 0)
    expected = frozenset(plan.moved)
    with pytest.raises(RebookingChanged):
        rebook_parties(friday.id, saturday.id, chosen, expected=expected | {two.id})
    assert seats_held(saturday.id) == (0, 0)
    done = rebook_parties(friday.id, saturday.id, chosen, expected=expected)
    assert (done.moved, done.already) == (plan.moved, 0)
    assert state(one) == state(three) == ("confirmed", saturday.id)
    assert state(two) == ("cancelled", friday.id)
    assert seats_held(saturday.id) == (7, 7)
    assert mails(two)[-1] == "performance_cancelled"
    again = rebook_parties(friday.id, saturday.id, seen(one, three), expected=expected)
    assert (again.moved, again.already, again.mails) == (plan.moved, 2, ())
    assert mails(one).count("changed") == 1


def test_one_who_was_moved_or_changed_meanwhile_is_named() -> None:
    friday, saturday, sunday = a_performance(20), a_performance(10), a_performance(10)
    moved, changed, fine = (a_party(friday, 2) for _ in range(3))
    cancel_performance(friday.id)
    chosen = seen(moved, changed, fine) | {changed.id: 1}
    move(moved, sunday)
    plan = rebook_parties(friday.id, saturday.id, chosen)
    assert plan.moved == (fine.id,)
    refusals = {each.reservation_id: type(each.refusal) for each in plan.left_behind}
    assert refusals == {moved.id: ReservationChanged, changed.id: ReservationChanged}


def test_only_from_a_cancelled_performance_to_one_to_come() -> None:
    friday, saturday = a_performance(10), a_performance(10)
    party = a_party(friday, 2)

    def rebook(target: Performance) -> Rebooking:
        return rebook_parties(friday.id, target.id, seen(party))

    with pytest.raises(NotMovable):
        rebook(saturday)
    cancel_performance(friday.id)
    assert rebook(saturday).moved == (party.id,)
    cancel_performance(saturday.id)
    with pytest.raises(NotMovable):
        rebook(saturday)
