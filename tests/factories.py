"""Factories for tests: performances, visitors, parties, made through models and rules."""

import itertools
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text

from azionelab.bookings import performance_changes, rules
from azionelab.bookings.hand_over.models import HandOver
from azionelab.bookings.hand_over.rules import offer
from azionelab.bookings.models import Reservation
from azionelab.bookings.visitor_links import make_link_token
from azionelab.checkin.scanning.scan_log import Actor
from azionelab.database import db, now, transaction
from azionelab.mail.models import Mail
from azionelab.shows.models import Performance, Show, Venue
from azionelab.tokens import Purpose, make_token
from azionelab.waitlist import rules as waitlist

_numbers = itertools.count(1)
DOOR_A = Actor(door="Door A", label="Anna")
DOOR_B = Actor(door="Door B", label="Bruno")


def a_performance(capacity: int = 10, **facts: Any) -> Performance:
    """A bookable performance, tomorrow, of a new published show."""
    number = next(_numbers)
    curtain = facts.pop("starts_at", now() + timedelta(days=1))
    show = facts.pop("show", None) or Show(
        slug=f"show-{number}", title=f"Show {number}", published=facts.pop("published", True)
    )
    with transaction() as session:
        performance = Performance(
            show=show,
            venue=facts.pop("venue", None) or Venue(name=f"Venue {number}", address="Via Roma 1"),
            starts_at=curtain,
            booking_opens_at=facts.pop("booking_opens_at", curtain - timedelta(days=30)),
            booking_closes_at=facts.pop("booking_closes_at", curtain - timedelta(hours=1)),
            capacity=capacity,
            **facts,
        )
        session.add(performance)
    return performance


def a_visitor(email: str | None = None, name: str = "Ada Rossi", locale: str = "en") -> Any:
    """A visitor with a unique address."""
    return rules.Visitor(name, email or f"visitor-{next(_numbers)}@example.org", locale)


def a_party(
    performance: Performance, seats: int = 2, *, confirmed: bool = True, **visitor: Any
) -> Reservation:
    """A reservation, by default confirmed."""
    reservation = rules.reserve(performance.id, a_visitor(**visitor), seats, uuid4())
    return rules.confirm(reservation.id) if confirmed else reservation


def an_offer(party: Reservation, email: str = "friend@example.org") -> HandOver:
    """A party's open offer to a friend."""
    offer(party.id, rules.Visitor("Bea Verdi", email, "en"), fresh(party.id).changed_in)
    return db.session.scalars(
        select(HandOver).where(HandOver.reservation_id == party.id, HandOver.ended_at.is_(None))
    ).one()


def change_capacity(performance_id: int, capacity: int) -> Performance:
    """Change a performance's capacity, as staff do."""
    performance_changes.change_performance(
        performance_id, lambda performance: setattr(performance, "capacity", capacity)
    )
    return db.session.get_one(Performance, performance_id)


def move(performance_id: int, starts_at: datetime) -> int:
    """Move a performance, as staff do; returns the number of parties that get a mail."""
    return performance_changes.change_performance(
        performance_id, lambda performance: setattr(performance, "starts_at", starts_at)
    )


def let_lapse(reservation: Reservation) -> None:
    """Make a hold lapse, as if HOLD_MINUTES had passed."""
    with transaction() as session:
        session.execute(
            text("UPDATE reservation SET hold_expires_at = :past WHERE id = :id"),
            {"past": now() - timedelta(seconds=1), "id": reservation.id},
        )


def visitor_token(reservation: Reservation) -> str:
    """The token in the visitor's mails."""
    return make_link_token(reservation)


def ticket_token(reservation: Reservation) -> str:
    """The token of a QR code from before 0.4; `write_ticket` makes today's."""
    return make_token(Purpose.TICKET, reservation.id)


def seats_held(performance_id: int) -> tuple[int, int]:
    """The committed counter, and the sum of seats that it must equal."""
    db.session.rollback()
    held = db.session.scalar(select(Performance.seats_held).where(Performance.id == performance_id))
    live = db.session.scalar(
        text(
            "SELECT coalesce(sum(seats - released), 0) FROM reservation"
            " WHERE performance_id = :id"
            " AND (state = 'confirmed' OR state = 'pending' AND holds_seats)"
        ),
        {"id": performance_id},
    )
    return held or 0, int(live or 0)


def wheelchair_places_held(performance_id: int) -> int:
    """The committed sum of the wheelchair places that live parties hold: the last of their places to be released."""
    db.session.rollback()
    return int(
        db.session.scalar(
            text(
                "SELECT coalesce(sum(least(wheelchair_places, seats - released)), 0) FROM reservation"
                " WHERE performance_id = :id"
                " AND (state = 'confirmed' OR state = 'pending' AND holds_seats)"
            ),
            {"id": performance_id},
        )
        or 0
    )


def fresh(reservation_id: UUID) -> Reservation:
    """The reservation as committed now."""
    db.session.rollback()
    reservation = db.session.get(Reservation, reservation_id, populate_existing=True)
    assert reservation is not None
    return reservation


def mails(reservation: Reservation) -> list[str]:
    """The kinds of the mails about a booking, the oldest first."""
    db.session.rollback()
    kinds = select(Mail.kind).where(Mail.reservation_id == reservation.id).order_by(Mail.created_at)
    return list(db.session.scalars(kinds))


def an_entry(
    performance_id: int, seats: int = 1, *, wheelchair_places: int = 0, **visitor: Any
) -> Reservation:
    """An entry of the waitlist, whose mailbox is not confirmed yet."""
    who = a_visitor(**visitor)
    waitlist.join(performance_id, who, seats, wheelchair_places=wheelchair_places)
    return db.session.scalars(
        select(Reservation).where(Reservation.email == who.email, Reservation.state == "waiting")
    ).one()


def a_waiting_party(performance_id: int, seats: int = 1, **facts: Any) -> Reservation:
    """A party at the end of a performance's line; or one that was offered seats at once. `facts` as of an entry."""
    return waitlist.take_place(an_entry(performance_id, seats, **facts).id)
