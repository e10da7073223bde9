"""The booking rules at their boundaries: the last moment and the first one after it, one seat, one evening."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from azionelab.bookings import erasure, performance_changes, rules
from azionelab.bookings.errors import NamesErased, PerformanceStarted, SeatsChanged, SoldOut
from azionelab.bookings.models import State
from azionelab.bookings.seats import holds
from azionelab.bookings.seats.bookable import unheld_places
from azionelab.bookings.transitions import consequences, parties
from azionelab.database import db, transaction
from azionelab.mail.models import Delivery, Mail, MailKind
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance
from azionelab.shows.window import CurtainPast
from tests.factories import (
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

INSTANT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)

Clock = Callable[[datetime], None]


@pytest.fixture
def it_is(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let it be another time for the booking rules."""

    def later(moment: datetime) -> None:
        for module in (rules, holds, consequences, parties, performance_changes, erasure):
            monkeypatch.setattr(module, "now", lambda: moment)

    return later


def test_an_evening_is_booked_whatever_other_evenings_are() -> None:
    earlier, evening, later = (a_performance(capacity) for capacity in (9, 2, 9))
    for other in (earlier, later):
        a_party(other, 2, email="ada@example.org")
    with pytest.raises(SoldOut) as refused:
        rules.reserve(evening.id, a_visitor("ada@example.org"), 3)
    assert refused.value.seats_left == 2
    booked = rules.reserve(evening.id, a_visitor("ada@example.org"), 2)
    assert booked.performance_id == evening.id
    assert seats_held(evening.id) == (2, 2)
    assert [unheld_places(one.id).seats for one in (earlier, evening, later)] == [7, 0, 7]


def test_holds_of_other_evenings_are_expired_with_their_own() -> None:
    evenings = [a_performance() for _ in range(3)]
    holds = [a_party(evening, confirmed=False) for evening in evenings]
    for hold in holds:
        let_lapse(hold)
    change_capacity(evenings[1].id, 9)
    assert [fresh(hold.id).state for hold in holds] == [
        State.PENDING,
        State.EXPIRED,
        State.PENDING,
    ]


def test_who_was_refused_is_not_told_of_as_many_seats_as_they_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Others took the seats after they were seen free, and gave them back before they were counted."""
    performance = a_performance(capacity=3)
    others = a_party(performance, 3)
    count = rules.unheld_places

    def given_back(performance_id: int) -> Places:
        rules.cancel(others.id)
        return count(performance_id)

    monkeypatch.setattr(rules, "check_bookable", lambda evening, _seats, _at: evening)
    monkeypatch.setattr(rules, "unheld_places", given_back)
    with pytest.raises(SoldOut) as refused:
        rules.reserve(performance.id, a_visitor(), 3)
    assert refused.value.seats_left == 2


def test_a_visitor_changes_a_booking_until_the_curtain(it_is: Clock) -> None:
    performance = a_performance()
    party = a_party(performance, 3)
    curtain = performance.starts_at
    it_is(curtain)
    for change in (lambda: rules.cancel(party.id), lambda: rules.reduce_seats(party.id, 2)):
        with pytest.raises(PerformanceStarted):
            change()
    it_is(curtain - INSTANT)
    assert rules.reduce_seats(party.id, 1).seats == 1
    assert rules.cancel(party.id).state == State.CANCELLED


def test_who_confirms_again_is_told_so() -> None:
    party = a_party(a_performance(), confirmed=False)
    assert not rules.confirm(party.id).is_unchanged
    db.session.rollback()
    db.session.expunge_all()
    assert rules.confirm(party.id).is_unchanged


@pytest.mark.parametrize("seen", [3, 5])
def test_seats_are_given_back_from_as_many_as_were_seen(seen: int) -> None:
    party = a_party(a_performance(), 4)
    with pytest.raises(SeatsChanged):
        rules.reduce_seats(party.id, 2, seen)
    assert fresh(party.id).seats == 4
    assert rules.reduce_seats(party.id, 2, 4).seats == 2


def test_a_party_that_has_not_confirmed_is_not_written_to_about_fewer_seats() -> None:
    """It has no ticket that would say otherwise, and sees what it did."""
    party = a_party(a_performance(), 4, confirmed=False)
    rules.reduce_seats(party.id, 3)
    assert mails(party) == [MailKind.CONFIRM]


def test_an_evening_has_begun_at_its_curtain(it_is: Clock) -> None:
    """From then on its time is only corrected: nobody is written to."""
    performance = a_performance()
    a_party(performance)
    curtain = performance.starts_at
    it_is(curtain)
    assert move(performance.id, curtain - HOUR) == 0
    assert move(performance.id, curtain) == 0
    assert move(performance.id, curtain + INSTANT) == 1
    with pytest.raises(CurtainPast):
        move(performance.id, curtain)


def test_an_evening_that_is_earlier_or_where_it_was_before_is_told() -> None:
    house, other = a_performance(), a_performance()
    a_party(other)
    assert move(other.id, other.starts_at - HOUR) == 1

    def to_the_first_house(performance: Performance) -> None:
        performance.venue_id = house.venue_id

    assert performance_changes.change_performance(other.id, to_the_first_house) == 1


def test_names_are_kept_for_thirty_days_and_no_moment_longer(it_is: Clock) -> None:
    performance = a_performance()
    played, cancelled = a_party(performance), a_party(performance)
    ended_at = rules.cancel(cancelled.id).ended_at
    assert ended_at is not None
    for end, party in ((ended_at, cancelled), (performance.starts_at, played)):
        it_is(end + timedelta(days=30))
        assert erasure.erase_personal_data() == 0
        it_is(end + timedelta(days=30) + INSTANT)
        assert erasure.erase_personal_data() == 1
        assert fresh(party.id).name == ""


def test_an_address_that_nobody_confirmed_is_kept_for_three_days(it_is: Clock) -> None:
    performance = a_performance()
    party = a_party(performance, confirmed=False)
    let_lapse(party)
    holds.expire_lapsed_holds()
    ended_at = fresh(party.id).ended_at
    assert ended_at is not None
    it_is(ended_at + timedelta(days=3))
    assert erasure.erase_personal_data() == 0
    it_is(ended_at + timedelta(days=3) + INSTANT)
    assert erasure.erase_personal_data() == 1
    assert fresh(party.id).email == ""


def test_an_evening_is_moved_as_long_as_its_names_are_kept(it_is: Clock) -> None:
    performance = a_performance()
    curtain = performance.starts_at
    it_is(curtain + timedelta(days=30) + INSTANT)
    with pytest.raises(NamesErased):
        move(performance.id, curtain + HOUR)
    db.session.rollback()
    # The form writes the time that it showed.
    assert move(performance.id, curtain + timedelta()) == 0
    it_is(curtain + timedelta(days=30))
    assert move(performance.id, curtain + HOUR) == 0


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_times_of_booking_follow_the_curtain_unless_they_are_written(by: timedelta) -> None:
    curtain = a_performance().starts_at + timedelta(days=9)
    opens, closes, day = curtain - 8 * HOUR, curtain - 4 * HOUR, timedelta(days=1)
    performance = a_performance(starts_at=curtain, booking_opens_at=opens, booking_closes_at=closes)

    def times(**written: datetime) -> list[timedelta]:
        """How much later booking opens and closes after the curtain was moved by a day."""

        def change(changed: Performance) -> None:
            changed.starts_at += day
            for name, moment in written.items():
                setattr(changed, name, moment)

        before = db.session.get_one(Performance, performance.id)
        was = before.booking_opens_at, before.booking_closes_at
        performance_changes.change_performance(performance.id, change)
        return [before.booking_opens_at - was[0], before.booking_closes_at - was[1]]

    assert times() == [day, day]
    assert times(booking_opens_at=opens + day + by) == [by, day]
    assert times(booking_closes_at=closes + 2 * day + by) == [day, by]


def test_a_change_without_a_move_leaves_the_times_of_booking() -> None:
    """Also those of before they were checked: booking that closes after the curtain."""
    curtain = a_performance().starts_at
    performance = a_performance(starts_at=curtain, booking_closes_at=curtain + HOUR)
    changed = change_capacity(performance.id, 9)
    assert (changed.capacity, changed.booking_closes_at) == (9, curtain + HOUR)


def test_erasing_on_request_stops_mails_of_one_party_that_wait_and_no_others() -> None:
    performance = a_performance()
    before, party, behind = sorted(a_party(performance, 2).id for _ in range(3))
    rules.reduce_seats(party, 1)
    with transaction() as session:
        for kind, delivery in (
            (MailKind.CONFIRM, Delivery.SENT),
            (MailKind.TICKET, Delivery.FAILED),
        ):
            session.execute(
                update(Mail)
                .where(Mail.reservation_id == party, Mail.kind == kind)
                .values(delivery=delivery)
            )
    erasure.erase_on_request(party)
    db.session.rollback()
    found = db.session.execute(select(Mail.kind, Mail.delivery).where(Mail.reservation_id == party))
    assert {mail.kind: mail.delivery for mail in found} == {
        MailKind.CONFIRM: Delivery.SENT,
        MailKind.TICKET: Delivery.FAILED,
        MailKind.CHANGED: Delivery.NOT_SENT,
    }
    waiting = select(Mail.reservation_id).where(Mail.delivery == Delivery.QUEUED)
    assert set(db.session.scalars(waiting)) == {before, behind}
