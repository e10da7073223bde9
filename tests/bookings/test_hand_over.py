"""A booking is handed to a friend: its seats never come free, and one of both has it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from azionelab.bookings import erasure, locks
from azionelab.bookings import rules as bookings
from azionelab.bookings.errors import (
    BookingError,
    NotConfirmed,
    PartyInside,
    PerformanceStarted,
    ReservationChanged,
    ReservationEnded,
)
from azionelab.bookings.hand_over import rules
from azionelab.bookings.hand_over.errors import (
    FriendHasBooking,
    HandOverEnded,
    HandOverOpen,
    HandOverTaken,
    OwnAddress,
)
from azionelab.bookings.hand_over.mail import make_friend_token
from azionelab.bookings.hand_over.models import LASTS, HandOver
from azionelab.bookings.models import Reservation
from azionelab.bookings.pages.consent import Consent
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now
from azionelab.mail.models import Mail, MailKind
from tests.bookings.test_locks import MAIL_GATE, Race, without_its_lock
from tests.bookings.test_pages import ENGLISH, fields
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    a_visitor,
    a_waiting_party,
    an_offer,
    fresh,
    mails,
    seats_held,
    visitor_token,
)
from tests.support.processes import eventually
from tests.support.smtp import Delivered, SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")
BEA = "bea@example.org"


def accept(found: HandOver) -> Reservation:
    seen = fresh(found.reservation_id).changed_in
    return rules.accept(found.id, "Bea Verdi", "en", Consent.BOOKING, seen)


def stored(found: HandOver) -> HandOver:
    db.session.rollback()
    return db.session.get_one(HandOver, found.id, populate_existing=True)


def send(client: FlaskClient, address: str, page: str, **typed: str) -> TestResponse:
    form = fields(client.get(page).text) | typed
    return client.post(address, data=form, headers=ENGLISH)


@pytest.mark.usefixtures("worker")
def test_a_friend_gets_the_seats_and_nobody_else_does(
    app: Flask, client: FlaskClient, smtp_server: SmtpServer
) -> None:
    performance = a_performance(capacity=3)
    party = a_party(performance, 3, name="Ada Rossi")
    waiting = a_waiting_party(performance.id)
    own = f"/en/bookings/{visitor_token(party)}"
    answer = send(client, f"{own}/hand-over", own, friend="Bea", friend_email=BEA)
    assert answer.status_code == 303
    page = client.get(own, headers=ENGLISH).text
    assert f"You have offered this booking to \u2068Bea\u2069 ({BEA})" in page
    assert fresh(party.id).has_ticket

    def sent(to: str) -> list[Delivered]:
        return [m for m in smtp_server.messages if m.recipients == [to]]

    eventually(lambda: len(sent(BEA)) == 1, "the mail to the friend")
    (mail,) = sent(BEA)
    link = next(word for word in mail.text().split() if "/hand-over/" in word)
    assert link in mail.html()
    for part in (mail.text(), mail.html()):
        assert "Ada Rossi" in part
        assert performance.show.title in part
        assert party.reference not in part
        assert party.email not in part
        assert visitor_token(party) not in part
    address = link.removeprefix(app.config["AZIONELAB"].site_base_url)
    shown = client.get(address, headers=ENGLISH)
    assert "gives you 3 seats" in shown.text
    assert "no-store" in shown.headers["Cache-Control"]
    assert send(client, address, address).status_code == 422, "without consent"
    accepted = send(client, address, address, name="Bea", consent="y")
    assert accepted.status_code == 303
    assert "Your ticket is on its way" in client.get(accepted.location, headers=ENGLISH).text
    (row,) = db.session.query(HandOver).all()
    assert row.accepted_as
    taken = fresh(row.accepted_as)
    assert (taken.name, taken.email, taken.seats, taken.state) == ("Bea", BEA, 3, "confirmed")
    assert taken.consent == Consent.BOOKING
    assert taken.reference != party.reference
    assert (row.name, row.email) == ("", "")
    assert fresh(party.id).state == "cancelled"
    assert admit(performance.id, party.reference, uuid4(), DOOR_A).people == 0
    assert seats_held(performance.id) == (3, 3)
    assert fresh(waiting.id).is_waiting, "the seats never came free"
    assert "Handed over to your friend" in client.get(own, headers=ENGLISH).text
    assert mails(taken) == ["ticket"]
    eventually(lambda: len(sent(party.email)) == 3, "the mail to the holder")
    last = sent(party.email)[-1]
    assert "handed over" in last.message["Subject"]
    assert b"METHOD:CANCEL" in last.message.as_bytes()
    again = send(client, address, "/en/my-data", consent="y", name="Bea")
    assert "You have accepted these seats" in client.get(again.location, headers=ENGLISH).text
    assert seats_held(performance.id) == (3, 3)


def _begins(party: Reservation) -> None:
    db.session.execute(
        text("UPDATE performance SET starts_at = :past WHERE id = :id"),
        {"past": now() - timedelta(minutes=1), "id": party.performance_id},
    )
    db.session.commit()


@pytest.mark.parametrize(
    ("happens", "refusal"),
    [
        (lambda party: bookings.cancel(party.id), (ReservationEnded, HandOverEnded)),
        (lambda party: cancel_performance(party.performance_id), (ReservationEnded, HandOverEnded)),
        (_begins, (PerformanceStarted, HandOverEnded)),
        (
            lambda party: admit(party.performance_id, party.reference, uuid4(), DOOR_A, people=1),
            (PartyInside, PartyInside),
        ),
    ],
    ids=["cancelled", "performance cancelled", "begun", "somebody is in"],
)
def test_what_cannot_be_handed_over_any_more(
    happens: Callable[[Reservation], Any], refusal: tuple[type[BookingError], type[BookingError]]
) -> None:
    curtain = now() + timedelta(minutes=20)
    performance = a_performance(starts_at=curtain, booking_closes_at=curtain)
    party, offered = a_party(performance), a_party(performance)
    found = an_offer(offered)
    happens(party)
    if fresh(offered.id).has_ticket and fresh(offered.id).performance.starts_at > now():
        happens(offered)
    with pytest.raises(refusal[0]):
        an_offer(fresh(party.id))
    with pytest.raises(refusal[1]):
        accept(found)
    assert not mails(offered).count("ticket") - 1


def test_an_offer_goes_to_one_friend_who_may_refuse(client: FlaskClient) -> None:
    party, unconfirmed = a_party(a_performance()), a_party(a_performance(), confirmed=False)
    with pytest.raises(NotConfirmed):
        an_offer(unconfirmed)
    with pytest.raises(OwnAddress):
        an_offer(party, party.email)
    found = an_offer(party)
    assert an_offer(party).id == found.id, "the same press again"
    with pytest.raises(HandOverOpen):
        an_offer(party, "third@example.org")
    page = f"/en/hand-over/{make_friend_token(found.id)}"
    assert send(client, f"{page}/decline", page).status_code == 422, "as a scanner would"
    assert send(client, f"{page}/decline", page, sure="y").status_code == 303
    assert "no longer offered" in client.get(page).text
    assert (stored(found).name, stored(found).email) == ("", "")
    with pytest.raises(HandOverEnded):
        accept(found)
    second = an_offer(party, "third@example.org")
    own = f"/en/bookings/{visitor_token(party)}"
    assert send(client, f"{own}/withdraw", own).status_code == 303
    with pytest.raises(HandOverEnded):
        accept(second)
    assert fresh(party.id).has_ticket


def test_what_the_friend_saw_is_what_they_accept() -> None:
    party = a_party(a_performance(), 4)
    found, seen = an_offer(party), fresh(party.id).changed_in
    bookings.reduce_seats(party.id, 2)
    with pytest.raises(ReservationChanged):
        rules.accept(found.id, "Bea", "en", Consent.BOOKING, seen)
    assert accept(found).seats == 2


def test_a_wheelchair_place_goes_along() -> None:
    performance = a_performance(capacity=2, wheelchair_places=1)
    booked = bookings.reserve(performance.id, a_visitor(), 2, uuid4(), wheelchair_places=1)
    taken = accept(an_offer(bookings.confirm(booked.id)))
    assert (taken.seats, taken.wheelchair_places) == (2, 1)
    assert seats_held(performance.id) == (2, 2)


def test_a_friend_with_a_booking_is_told_so_and_the_holder_is_not(client: FlaskClient) -> None:
    performance = a_performance()
    party = a_party(performance)
    a_party(performance, email=BEA)
    found = an_offer(party, BEA)
    page = f"/en/hand-over/{make_friend_token(found.id)}"
    answer = send(client, page, page, name="Bea", consent="y")
    assert answer.status_code == 409
    assert "You have a booking for this evening already" in answer.text
    with pytest.raises(FriendHasBooking):
        accept(found)
    assert fresh(party.id).has_ticket
    assert stored(found).ended_at is None


def test_an_offer_lapses_after_two_days_or_at_the_curtain(monkeypatch: pytest.MonkeyPatch) -> None:
    soon = an_offer(a_party(a_performance(starts_at=now() + timedelta(hours=5))))
    later = an_offer(a_party(a_performance(starts_at=now() + timedelta(days=9))))
    assert stored(soon).lapses_at == fresh(soon.reservation_id).performance.starts_at
    assert stored(later).lapses_at == later.created_at + LASTS
    assert rules.end_lapsed() == 0
    monkeypatch.setattr(rules, "now", lambda: now() + timedelta(hours=6))
    with pytest.raises(HandOverEnded):
        accept(soon)
    assert rules.end_lapsed() == 1
    monkeypatch.setattr(rules, "now", lambda: now() + LASTS)
    with pytest.raises(HandOverEnded):
        accept(later)
    assert rules.end_lapsed() == 1
    assert stored(later).email == ""


def test_the_friends_address_goes_with_the_holders() -> None:
    party = a_party(a_performance())
    found = an_offer(party)
    erasure.erase_on_request(party.id)
    assert (stored(found).name, stored(found).email) == ("", "")
    with pytest.raises(HandOverEnded):
        accept(found)


def test_a_booking_is_no_address_book(client: FlaskClient) -> None:
    party = a_party(a_performance())
    own = f"/en/bookings/{visitor_token(party)}"
    told = []
    for number in range(4):
        friend = f"friend-{number}@example.org"
        answer = send(client, f"{own}/hand-over", own, friend="Bea", friend_email=friend)
        told.append(answer.status_code)
        send(client, f"{own}/withdraw", own)
    assert told == [303, 303, 303, 429]
    refused = send(client, f"{own}/hand-over", own, friend="Bea", friend_email="bea")
    assert "not a valid e-mail" in refused.text
    assert 'value="Bea"' in refused.text
    to_friends = db.session.query(Mail).filter_by(reservation_id=party.id, kind=MailKind.HAND_OVER)
    assert to_friends.count() == 3
    assert db.session.query(Mail).filter_by(reservation_id=party.id).count() == 2 + 3


LOCKS = ("_PERFORMANCE", "_RESERVATION")


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "negative control"])
@pytest.mark.parametrize("first", ["cancel", "accept"])
def test_one_of_both_has_the_seats(
    app: Flask, database_url: str, monkeypatch: pytest.MonkeyPatch, first: str, locked: bool
) -> None:
    """The holder cancels, or takes the offer back, in the moment in which the friend accepts."""
    performance = a_performance()
    party = a_party(performance, 3)
    found = an_offer(party)
    taking = partial(
        rules.accept, found.id, "Bea", "en", Consent.BOOKING, fresh(party.id).changed_in
    )
    if not locked:
        for name in LOCKS:
            monkeypatch.setattr(locks, name, without_its_lock(getattr(locks, name)))
        monkeypatch.setattr(rules, "refuse_other_version", lambda *_: None)
    acts: tuple[Callable[[], Any], Callable[[], Any]] = {
        "cancel": (partial(bookings.cancel, party.id), taking),
        "accept": (taking, partial(rules.withdraw, party.id)),
    }[first]
    told = Race(app, database_url).run(MAIL_GATE, *acts)
    if not locked:
        assert told == ["done", "done"]
        return
    assert told == ["done", "HandOverEnded" if first == "cancel" else HandOverTaken.__name__]
    seats = 0 if first == "cancel" else 3
    assert seats_held(performance.id) == (seats, seats)


def test_the_same_friend_accepts_once(app: Flask, database_url: str) -> None:
    performance = a_performance(capacity=3)
    party = a_party(performance, 3)
    found = an_offer(party)
    taking = partial(
        rules.accept, found.id, "Bea", "en", Consent.BOOKING, fresh(party.id).changed_in
    )
    assert Race(app, database_url).run(MAIL_GATE, taking, taking) == ["done", "HandOverTaken"]
    assert seats_held(performance.id) == (3, 3)


def test_a_friend_of_a_forged_link_sees_nothing(client: FlaskClient) -> None:
    party = a_party(a_performance())
    for token in (visitor_token(party), make_friend_token(party.id), "x"):
        assert client.get(f"/en/hand-over/{token}").status_code == 404
