"""Reservation: a party's booking of one performance."""

from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    and_,
    false,
    literal_column,
    text,
    true,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from azionelab.bookings.party import Party, PartyCounts
from azionelab.database import Base, UserText
from azionelab.shows.limits import MAX_PARTY
from azionelab.shows.models import Performance

MAX_NAME = 120  # characters
MAX_EMAIL = 254  # characters, RFC 5321
MAX_NOTE = 200  # characters: what fits on a phone's card
MAX_CONTACT = 200  # characters, of a reason too
_IS_LIVE, _ALONE = text("state IN ('pending', 'confirmed')"), text("email_key IS NULL")


class State(StrEnum):
    """A reservation's life: pending, then confirmed, cancelled or expired. Some wait in line for seats before."""

    WAITING = "waiting"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Kind(StrEnum):
    """How a reservation was made. HOUSE are seats kept back for the theatre, DESK walk-ins at the desk."""

    VISITOR = "visitor"
    BOX_OFFICE = "box_office"
    DESK = "desk"
    HOUSE = "house"


LIVE = (State.PENDING, State.CONFIRMED)  # what has not ended; it holds seats if `holds_seats`


class Reservation(PartyCounts, Base):
    """A party's booking. Only transitions/ changes its state and its seats.

    Name and e-mail are empty after they were erased; `erasure_requested_at` is set when the visitor asked for it.

    `admitted` counts the people of the party who are in. Triggers on `admission` maintain it, and
    `ck_reservation_admitted_range` refuses more than the party (migration 0002). `outside` of them went out and may come back (migration 0029).

    A `walk_in` came without a booking and has no name or e-mail. `released` seats are not held any more, since
    the party did not come in time; it stays confirmed. `changed_in` is the last transaction that changed the row,
    written by a trigger (migration 0008).

    `network` is a keyed digest of the visitor's network, and `network_limit` the unconfirmed seats that it may
    hold. A trigger erases both when the reservation is not pending any more (migration 0015).
    A pending reservation without `holds_seats` gets its seats when it is confirmed, if so many are free then (migration
    0020). A WAITING one holds none (waitlist/). An offer, told `offered_at`, makes it pending; it waits on if nobody answers.

    `note` is written by staff for the door. A trigger erases it with the name (migration 0026). `late_at` is about
    when the party comes, if it announced a late arrival. history.py reads `ended_by` and `reduced_...`. Of `kind` HOUSE the
    `name` is the note why the seats are kept back, and `hold_expires_at` when they are released; nobody is let in by them.
    Seats given to somebody are a booking of its own, `taken_from` those. A group has a `contact`, and a party above the
    limit a `limit_reason`; a trigger erases both with the name (migration 0035).
    """

    __tablename__ = "reservation"
    __table_args__ = (
        UniqueConstraint("reference"),
        Index(
            "uq_reservation_link_id",
            "link_id",
            unique=True,
            postgresql_where=text("link_id IS NOT NULL"),
        ),
        Index("ix_reservation_performance_id", "performance_id"),
        # An address holds at most one live booking of a performance.
        Index(
            "uq_reservation_live_email",
            "performance_id",
            "email_key",
            unique=True,
            postgresql_where=_IS_LIVE,
        ),
        # One press of the button is one live booking, however often it is sent.
        Index("uq_reservation_live_request", "request_key", unique=True, postgresql_where=_IS_LIVE),
        Index(
            "ix_reservation_hold",
            "performance_id",
            "hold_expires_at",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_reservation_created_at", "created_at"),
        Index(
            "ix_reservation_email_key", "email_key", postgresql_where=text("email_key IS NOT NULL")
        ),
        # Bookings without a mailbox of their own, by azionelab/bookings/people/persons.py.
        Index("ix_reservation_name_alone", "name", postgresql_where=_ALONE),
        Index("ix_reservation_email_alone", "email", postgresql_where=_ALONE),
        # Finds people, by azionelab/admin/people/search.py (migration people_search).
        Index(
            "ix_reservation_search",
            text(
                "search_keys(name::text, email::text, reference::text, note::text, contact::text)"
            ),
            postgresql_using="gin",
        ),
        Index(
            "ix_reservation_waiting",
            "performance_id",
            "waiting_since",
            "id",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "uq_reservation_waiting_email",
            "performance_id",
            "email_key",
            unique=True,
            postgresql_where=text("state = 'waiting'"),
        ),
        # Asked by the trigger for every booking, under the performance's lock.
        Index(
            "ix_reservation_network",
            "performance_id",
            "network",
            postgresql_where=text("state = 'pending' AND network IS NOT NULL"),
        ),
        Index(
            "ix_reservation_taken_from",
            "taken_from",
            postgresql_where=text("taken_from IS NOT NULL"),
        ),
        CheckConstraint(f"seats BETWEEN 1 AND {MAX_PARTY}", name="seats_range"),
        CheckConstraint(
            "state IN ('pending', 'confirmed', 'cancelled', 'expired', 'waiting')", name="state"
        ),
        CheckConstraint("state <> 'waiting' OR NOT holds_seats", name="waiting_holds_none"),
        CheckConstraint("admitted BETWEEN 0 AND seats - released", name="admitted_range"),
        CheckConstraint("released BETWEEN 0 AND seats", name="released_range"),
        CheckConstraint("wheelchair_places BETWEEN 0 AND seats", name="wheelchair_range"),
        CheckConstraint("outside >= 0", name="outside_range"),
        CheckConstraint("admitted = 0 OR state = 'confirmed'", name="admitted_confirmed"),
        CheckConstraint("(state <> 'confirmed') OR confirmed_at IS NOT NULL", name="confirmed_at"),
        CheckConstraint(
            "walk_in OR erased_at IS NOT NULL OR (name <> ''"
            " AND (email = '' AND email_key IS NULL OR email <> '' AND email_key <> ''))",
            name="visitor_present",
        ),
        CheckConstraint("(network IS NULL) = (network_limit IS NULL)", name="network_limited"),
        CheckConstraint("holds_seats OR state <> 'confirmed'", name="confirmed_holds"),
        CheckConstraint(f"char_length(note) <= {MAX_NOTE}", name="note_length"),
        CheckConstraint("kind IN ('visitor', 'box_office', 'desk', 'house')", name="kind"),
        CheckConstraint(f"char_length(contact) <= {MAX_CONTACT}", name="contact_length"),
        CheckConstraint(f"char_length(limit_reason) <= {MAX_CONTACT}", name="limit_reason_length"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    reference: Mapped[str]  # for people: read aloud, typed at the door; opens nothing by itself
    performance_id: Mapped[int] = mapped_column(ForeignKey("performance.id", ondelete="RESTRICT"))
    name: Mapped[UserText]
    email: Mapped[str]  # empty when the box office booked for somebody without one
    email_key: Mapped[str | None]  # the address folded, so that one mailbox is one key
    locale: Mapped[str]
    seats: Mapped[int]
    wheelchair_places: Mapped[int] = mapped_column(default=0, server_default="0")
    state: Mapped[str] = mapped_column(default=State.PENDING)
    holds_seats: Mapped[bool] = mapped_column(default=True, server_default=true())
    admitted: Mapped[int] = mapped_column(default=0, server_default="0")
    outside: Mapped[int] = mapped_column(default=0, server_default="0")
    walk_in: Mapped[bool] = mapped_column(default=False, server_default=false())
    released: Mapped[int] = mapped_column(default=0, server_default="0")
    note: Mapped[UserText] = mapped_column(default="", server_default="")
    contact: Mapped[UserText] = mapped_column(default="", server_default="")
    limit_reason: Mapped[UserText] = mapped_column(default="", server_default="")
    consent: Mapped[str | None]  # what the visitor agreed to (pages/consent.py)
    kind: Mapped[str] = mapped_column(default=Kind.VISITOR, server_default=Kind.VISITOR.value)
    taken_from: Mapped[UUID | None] = mapped_column(
        ForeignKey("reservation.id", ondelete="SET NULL")
    )
    late_at: Mapped[datetime | None]
    changed_in: Mapped[int] = mapped_column(BigInteger, server_default="0")
    network: Mapped[bytes | None] = mapped_column(LargeBinary)
    network_limit: Mapped[int | None]
    unconfirmed_limit: Mapped[int | None]
    # What private links name in place of `id` since staff corrected the address (visitor_links.py).
    link_id: Mapped[UUID | None]
    request_key: Mapped[UUID]  # derived from the form's key and what was asked for
    created_at: Mapped[datetime]
    hold_expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    waiting_since: Mapped[datetime | None]  # in line, with a mailbox that was confirmed
    offered_at: Mapped[datetime | None]
    near_minutes: Mapped[int | None]  # how far away a waiting party says it is
    near_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # when it was cancelled or expired
    ended_by: Mapped[str | None]
    reduced_from: Mapped[int | None]
    reduced_at: Mapped[datetime | None]
    reduced_by: Mapped[str | None]
    erased_at: Mapped[datetime | None]
    erasure_requested_at: Mapped[datetime | None]
    performance: Mapped[Performance] = relationship()

    # Not stored: a rule sets it on the returned reservation when it changed nothing.
    is_unchanged = False
    # Whether the page says that seats are held: of an address that has a booking already, as of a new one.
    shown_as_held = True

    @hybrid_property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.state in LIVE

    @is_live.inplace.expression
    @classmethod
    def _is_live(cls) -> ColumnElement[bool]:
        return cls.state.in_([_literal(state) for state in LIVE])

    @hybrid_property
    def is_pending(self) -> bool:
        """Whether it waits to be confirmed, its hold over or not."""
        return self.state == State.PENDING

    @is_pending.inplace.expression
    @classmethod
    def _is_pending(cls) -> ColumnElement[bool]:
        return cls.state == _literal(State.PENDING)

    @property
    def is_waiting(self) -> bool:
        """Whether it is on the waitlist and has no offer, its mailbox confirmed or not."""
        return self.state == State.WAITING

    @property
    def has_let_offer_lapse(self) -> bool:
        """Whether it waits after an offer that it did not answer: only near the curtain it may be offered seats again."""
        return self.is_waiting and self.offered_at is not None

    @property
    def only_waited(self) -> bool:
        """Whether it is on the waitlist, or ended there: it had no offer, or let one lapse."""
        return self.is_waiting or bool(self.waiting_since and not self.holds_seats)

    def is_lapsed(self, at: datetime) -> bool:
        """Whether its hold is over, though nobody may have marked it as expired yet."""
        return self.is_pending and self.hold_expires_at <= at

    @property
    def has_ticket(self) -> bool:
        """Whether it has a valid ticket: it is confirmed, and the performance takes place."""
        return self.state == State.CONFIRMED and self.performance.cancelled_at is None

    def __str__(self) -> str:
        return self.reference


def lapsed(at: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """The condition that a reservation's hold is over, as `is_lapsed` says of one."""
    return and_(Reservation.is_pending, Reservation.hold_expires_at <= at)


def unconfirmed(at: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """The condition that a reservation can still be confirmed: pending, and its hold not over."""
    return and_(Reservation.is_pending, Reservation.hold_expires_at > at)


_PARTY_FIELDS = [field.name for field in fields(Party)]
# What to select for `Party(*row)`.
PARTY_COLUMNS: tuple[Any, ...] = tuple(getattr(Reservation, name) for name in _PARTY_FIELDS)


def party_of(reservation: Reservation | None) -> Party | None:
    """The party of a reservation as it is at this moment; None when there is no reservation."""
    if reservation is None:
        return None
    return Party(*(getattr(reservation, name) for name in _PARTY_FIELDS))


def _literal(state: State) -> ColumnElement[str]:
    """A state as a literal: with a parameter the planner would not know that the partial indexes apply."""
    return literal_column(f"'{state}'")
