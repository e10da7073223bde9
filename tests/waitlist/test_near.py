"""Seats that come free near the curtain go to those in line who said that they are near, then to walk-ins."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from azionelab.bookings import rules
from azionelab.bookings.errors import BookingClosed, ReservationEnded
from azionelab.bookings.mails.messages import render
from azionelab.bookings.mails.superseded import is_outdated
from azionelab.bookings.models import Reservation
from azionelab.bookings.reminders.unsubscribing import unsubscribe
from azionelab.bookings.seats import holds
from azionelab.bookings.seats.no_show_seats import release_no_shows
from azionelab.bookings.transitions import consequences
from azionelab.checkin.pages.responses import counts_body
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.checkin.verdicts import VerdictKind
from azionelab.database import db, now, transaction
from azionelab.mail.models import Mail, MailKind
from azionelab.settings.night import Night
from azionelab.shows.models import Performance
from azionelab.shows.programme import find_listing
from azionelab.waitlist import near, near_mails, offers
from azionelab.waitlist import rules as waitlist
from tests.bookings.test_pages import fields
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    a_waiting_party,
    an_entry,
    fresh,
    let_lapse,
    mails,
    seats_held,
    visitor_token,
)
from tests.support.people import english
from tests.waitlist.test_pages import read


@pytest.fixture
def by_day(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An application without a night, so that tests do not depend on the time of day."""
    app = make_app(NIGHT_BEGINS="0", NIGHT_ENDS="0")
    with app.app_context():
        yield app


pytestmark = pytest.mark.usefixtures("by_day")


def tonight(*missing: int, minutes: int = 25) -> Performance:
    """A full performance that begins soon; none of its parties is in."""
    curtain = now() + timedelta(minutes=minutes)
    performance = a_performance(sum(missing), starts_at=curtain, booking_closes_at=curtain)
    for seats in missing:
        a_party(performance, seats)
    return performance


def a_near_party(performance: Performance, seats: int = 1, minutes: int = 5) -> Reservation:
    return near.say_near(a_waiting_party(performance.id, seats).id, minutes)


def states(*parties: Reservation) -> list[str]:
    return [fresh(party.id).state for party in parties]


def walk_in(performance: Performance, people: int) -> VerdictKind:
    return let_in_walk_ins(performance.id, people, uuid4(), DOOR_A).kind


def test_a_release_goes_to_those_who_are_near_in_their_order_then_to_walk_ins() -> None:
    performance = tonight(2, 3)
    away = a_waiting_party(performance.id, 2)
    four = a_near_party(performance, 4, minutes=10)
    two = a_near_party(performance, 2)
    one = a_near_party(performance, 1)
    release_no_shows(performance.id)
    # One seat is left for the single person; the pair is next for two.
    assert states(away, four, two, one) == ["waiting", "pending", "waiting", "pending"]
    assert mails(four)[-1] == MailKind.OFFER, "told at once"
    assert fresh(four.id).hold_expires_at <= now() + timedelta(minutes=10)
    assert walk_in(performance, 1) is VerdictKind.FULL, "what is on offer is held"

    waitlist.leave(four.id)
    assert states(two) == ["pending"], "refused: passed on at once"
    assert walk_in(performance, 3) is VerdictKind.FULL
    assert walk_in(performance, 2) is VerdictKind.ADMITTED, "nobody near is left for these"
    let_lapse(fresh(two.id))
    assert walk_in(performance, 2) is VerdictKind.ADMITTED, "not answered in time"

    rules.confirm(one.id)
    kept = release_no_shows(performance.id)
    assert (kept.places, kept.late_places) == (0, 1), "whoever took a seat is on the way"
    assert fresh(one.id).late_at == performance.starts_at
    assert seats_held(performance.id) == (5, 5)
    assert states(away) == ["waiting"]


def test_who_let_an_offer_lapse_has_another_chance_near_the_curtain_after_all_others() -> None:
    performance = tonight(2, 1, minutes=40)
    lapsed, refused, other = (a_waiting_party(performance.id, 1) for _ in range(3))
    rules.reduce_seats(_party_of(performance, 2), 1)
    let_lapse(fresh(lapsed.id))
    holds.expire_lapsed_holds()
    waitlist.leave(refused.id)
    assert states(lapsed, refused, other) == ["waiting", "cancelled", "pending"]
    rules.confirm(other.id)
    in_line = a_waiting_party(performance.id, 1)
    with transaction() as session:
        session.execute(
            update(Performance).values(
                starts_at=now() + timedelta(minutes=25), booking_closes_at=now()
            )
        )
    for party in (lapsed, in_line):
        near.say_near(party.id, 5)
    with pytest.raises(ReservationEnded):
        near.say_near(refused.id, 5)
    rules.cancel(_party_of(performance, 1))
    assert states(lapsed, in_line) == ["waiting", "pending"], "who had no offer yet comes first"
    waitlist.leave(in_line.id)
    assert states(lapsed) == ["pending"]
    assert seats_held(performance.id) == (3, 3)
    # Once: an offer near the curtain that nobody answers is the last one.
    let_lapse(fresh(lapsed.id))
    holds.expire_lapsed_holds()
    assert states(lapsed) == ["expired"]
    with pytest.raises(ReservationEnded):
        near.say_near(lapsed.id, 5)
    assert seats_held(performance.id) == (2, 2)


def _party_of(performance: Performance, seats: int) -> UUID:
    """One of its confirmed parties of so many people that did not wait."""
    db.session.rollback()
    return db.session.scalars(
        select(Reservation.id).where(
            Reservation.performance_id == performance.id,
            Reservation.state == "confirmed",
            Reservation.waiting_since.is_(None),
            Reservation.seats == seats,
        )
    ).first() or pytest.fail("no such party")


def test_who_waits_is_asked_once_on_the_day_and_told_when_an_offer_lapsed() -> None:
    performance = tonight(2, 1, minutes=170)
    lapsed, asked, knows, unsubscribed = (a_waiting_party(performance.id, 1) for _ in range(4))
    new = a_waiting_party(performance.id, 1)
    rules.cancel(_party_of(performance, 1))
    let_lapse(fresh(lapsed.id))
    with transaction() as session:
        session.execute(update(Performance).values(booking_closes_at=now()))
    holds.expire_lapsed_holds()
    assert mails(lapsed) == ["waitlist", "offer", "lapsed"]
    with transaction() as session:
        session.execute(
            update(Reservation)
            .where(Reservation.id != new.id)
            .values(waiting_since=now() - timedelta(days=1))
        )
    near.say_near(knows.id, 10)
    unsubscribe(unsubscribed.id, now())
    assert [near_mails.write_due(now()) for _ in range(2)] == [1, 0]
    mail = db.session.scalars(select(Mail).where(Mail.kind == MailKind.NEAR)).one()
    assert mail.reservation_id == asked.id
    message = render(mail)
    assert f"/waitlist/{visitor_token(asked)}" in message.link
    assert "/unsubscribe" in message.unsubscribe
    assert not is_outdated(mail, fresh(asked.id), now())
    waitlist.leave(asked.id)
    assert is_outdated(mail, fresh(asked.id), now())


@pytest.mark.parametrize(
    ("curtain", "at", "is_due"),
    [
        ("20:30", "17:29", False),
        ("20:30", "17:30", True),
        ("20:30", "18:59", True),
        ("20:30", "19:00", False),
        ("10:00", "07:30", False),
        ("10:00", "08:00", True),
        ("23:59", "22:00", False),
    ],
)
def test_nobody_is_asked_at_night_nor_too_late(curtain: str, at: str, is_due: bool) -> None:
    rome = ZoneInfo("Europe/Rome")
    day, time = (
        datetime.fromisoformat(f"2026-06-01 {each}").replace(tzinfo=rome) for each in (curtain, at)
    )
    assert near_mails.is_due(day, time, Night(22, 8, rome)) is is_due


def test_who_is_near_can_still_join_when_booking_is_closed(by_day: Flask) -> None:
    performance = tonight(2, minutes=100)
    visitor, address = english(by_day), f"/performances/{performance.id}/waitlist"

    def close(minutes_left: int) -> None:
        with transaction() as session:
            curtain = now() + timedelta(minutes=minutes_left)
            session.execute(update(Performance).values(starts_at=curtain, booking_closes_at=now()))

    close(181)
    assert "There is no waitlist" in visitor.get(address, follow_redirects=True).text
    with pytest.raises(BookingClosed):
        an_entry(performance.id)
    close(40)
    listed = visitor.get(f"/shows/{performance.show.slug}", follow_redirects=True).text
    assert f"/performances/{performance.id}/waitlist" in listed
    assert (
        "Booking is closed, but seats still come free"
        in visitor.get(address, follow_redirects=True).text
    )
    entry = an_entry(performance.id)
    place = f"/waitlist/{visitor_token(entry)}"
    assert "Do you want to wait for seats?" in visitor.get(place).text
    waitlist.take_place(entry.id)
    assert "Are you near the theatre?" in visitor.get(place).text
    rules.cancel(_party_of(performance, 2))
    assert states(entry) == ["waiting"], "not near"
    near.say_near(entry.id, 5)
    assert states(entry) == ["pending"]
    # Seats are free: who is near gets one at once.
    assert states(a_near_party(performance)) == ["pending"]
    close(0)
    with pytest.raises(BookingClosed):
        an_entry(performance.id)


def test_what_comes_free_later_is_offered_once_somebody_says_to_be_near() -> None:
    performance = tonight(2)
    party = a_waiting_party(performance.id, 1)
    release_no_shows(performance.id)
    assert states(party) == ["waiting"]
    near.say_near(party.id, 10)
    assert states(party) == ["pending"]
    # The button was still on the page: the offer stays.
    assert near.say_near(party.id, 0).is_unchanged


@pytest.mark.parametrize("why", ["takes it back", "said it long ago", "too far", "has begun"])
def test_nobody_is_offered_seats_who_is_not_near(why: str) -> None:
    performance = tonight(2)
    party = a_near_party(performance, 1, minutes=20 if why == "too far" else 5)
    if why == "takes it back":
        near.say_near(party.id, 0)
    said = {
        "said it long ago": "UPDATE reservation SET near_until = now() WHERE id = :id",
        "too far": "UPDATE performance SET starts_at = starts_at - interval '10 minutes',"
        " booking_closes_at = booking_closes_at - interval '10 minutes' WHERE id = :performance",
        "has begun": "UPDATE performance SET starts_at = now(), booking_closes_at = now() WHERE id = :performance",
    }.get(why)
    if said:
        db.session.execute(text(said), {"id": party.id, "performance": performance.id})
        db.session.commit()
    release_no_shows(performance.id)
    assert states(party) == ["waiting"]
    assert walk_in(performance, 2) is VerdictKind.ADMITTED


def test_it_can_be_said_on_the_day_by_who_is_in_line() -> None:
    early = tonight(1, minutes=181)
    waiting = a_waiting_party(early.id)
    with pytest.raises(near.NearClosed):
        near.say_near(waiting.id, 5)
    performance = tonight(1, minutes=100)
    with pytest.raises(near.NearClosed):
        near.say_near(a_waiting_party(performance.id).id, 7)
    party = a_near_party(performance)
    until = fresh(party.id).near_until
    assert until is not None
    assert until - now() <= timedelta(minutes=90)
    waitlist.leave(party.id)
    with pytest.raises(ReservationEnded):
        near.say_near(party.id, 5)


def test_from_the_place_in_line_to_the_ticket_and_what_the_door_sees(by_day: Flask) -> None:
    performance = tonight(2)
    party = a_waiting_party(performance.id, 2)
    visitor, place = english(by_day), f"/waitlist/{visitor_token(party)}"

    def press(address: str, **named: str) -> str:
        form = fields(visitor.get(place).text)
        form = {name: form[name] for name in form if name == "csrf_token"} | named
        return visitor.post(address, data=form, follow_redirects=True).text

    assert "Please choose how soon" in press(f"{place}/near"), "a scanner presses no button"
    assert "You can tell us this" in press(f"{place}/near", minutes="30")
    page = press(f"{place}/near", minutes="10")
    assert "You said that you can be here in 10 minutes." in read(page)
    assert '<noscript><meta http-equiv="refresh"' in page
    assert _counted(performance) == (1, 2, 0, None)
    release_no_shows(performance.id)
    until = fresh(party.id).hold_expires_at
    assert _counted(performance) == (0, 0, 2, until)
    assert "2 seats are held for you until" in read(visitor.get(place).text)
    assert "2 seats are held for you until" in read(press(place)), "a scanner presses no button"
    assert fresh(party.id).state == "pending"
    assert "/ticket.pdf" in press(place, coming="y")


def _counted(performance: Performance) -> tuple[object, ...]:
    db.session.rollback()
    listing = find_listing(performance.id, now())
    assert listing is not None
    body = counts_body(listing)
    return tuple(body[n] for n in ("near_parties", "near_people", "on_offer", "on_offer_until"))


def release_among_walk_ins(app: Flask) -> tuple[Performance, list[UUID], int]:
    """Ten doors let in walk-ins while ten seats are released; how many got in. Six single people are near."""
    performance = tonight(*[1] * 10)
    waiting = [a_near_party(performance).id for _ in range(6)]

    def at_door(_number: int) -> bool:
        with app.app_context():
            return walk_in(performance, 1) is VerdictKind.ADMITTED

    def release() -> None:
        with app.app_context():
            release_no_shows(performance.id)

    with ThreadPoolExecutor(8) as crowd:
        before = [crowd.submit(at_door, n) for n in range(10)]
        crowd.submit(release).result()
        after = [crowd.submit(at_door, n) for n in range(10)]
        admitted = sum(each.result() for each in (*before, *after))
    return performance, waiting, admitted


def test_walk_ins_during_a_release_get_what_nobody_near_is_offered(by_day: Flask) -> None:
    performance, waiting, admitted = release_among_walk_ins(by_day)
    assert [fresh(one).state for one in waiting] == ["pending"] * 6
    assert admitted == 4
    assert seats_held(performance.id) == (10, 10)


def test_negative_control_an_offer_after_the_commit_is_too_late(
    by_day: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consequences, "_followers", [])
    performance, waiting, admitted = release_among_walk_ins(by_day)
    offers.settle()
    assert admitted == 10
    assert [fresh(one).state for one in waiting] == ["waiting"] * 6
    assert seats_held(performance.id) == (10, 10)
