"""Reads the facts that decide about a booking in one statement: the performance, and rivals of the booking.

The statements are built once. They run for every booking, so their cost must not grow with the house: each part is
one look-up in an index.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import current_app
from sqlalchemy import bindparam, case, func, literal_column, select, true, union_all

from azionelab.bookings.errors import (
    BookingClosed,
    PartyTooLarge,
    PerformanceUnknown,
    refuse_unless_free,
)
from azionelab.bookings.models import Kind, Reservation, lapsed, unconfirmed
from azionelab.database import db, reading
from azionelab.settings.config import Config
from azionelab.shows.facts.seating import Places
from azionelab.shows.models import Performance
from azionelab.shows.performance_facts import PERFORMANCE_FACTS, PerformanceFacts
from azionelab.shows.window import Window, booking_window

_HERE = Reservation.performance_id == bindparam("performance")
_FACTS = (
    select(*PERFORMANCE_FACTS)
    .select_from(Performance)
    .join(Performance.show)
    .where(Performance.id == bindparam("performance"))
)
_RIVALS = union_all(
    *(
        select(
            Reservation.id,
            Reservation.request_key,
            lapsed(bindparam("at")).label("lapsed"),
        ).where(Reservation.is_live, *rival)
        for rival in (
            # The key is made of the performance too: it need not be asked for again.
            [Reservation.request_key == bindparam("key")],
            [_HERE, Reservation.email_key == bindparam("email")],
        )
    ),
    select(Reservation.id, Reservation.request_key, true().label("lapsed"))
    .where(_HERE, lapsed(bindparam("at")))
    .order_by(Reservation.hold_expires_at)
    .limit(literal_column("1")),
).subquery("rivals")
_UNCONFIRMED_LIMIT = Performance.capacity * bindparam("percent") / literal_column("100")
_UNCONFIRMED = (
    # Seats are released of confirmed parties only.
    select(func.coalesce(func.sum(Reservation.seats), literal_column("0")))
    .where(
        _HERE,
        unconfirmed(bindparam("at")),
        Reservation.holds_seats,
        Reservation.kind == literal_column(f"'{Kind.VISITOR}'"),
    )
    .scalar_subquery()
)
_FACTS_AND_RIVALS = _FACTS.outerjoin(_RIVALS, true()).add_columns(
    _UNCONFIRMED_LIMIT.label("unconfirmed_limit"),
    # A party that fits beside all seats held fits without summing up the unconfirmed ones.
    (
        _UNCONFIRMED_LIMIT
        - case(
            (
                Performance.seats_held + Performance.party_limit <= _UNCONFIRMED_LIMIT,
                Performance.seats_held,
            ),
            else_=_UNCONFIRMED,
        )
    ).label("unconfirmed_left"),
    _RIVALS.c.id.label("rival"),
    _RIVALS.c.request_key,
    _RIVALS.c.lapsed,
)


@dataclass(frozen=True)
class Rival:
    """A live reservation that conflicts with a booking.

    It has the same `request_key` (the same press of the button) or the same address, or its hold has `lapsed`.
    """

    reservation_id: UUID
    request_key: UUID
    lapsed: bool


@dataclass(frozen=True)
class BookingFacts:
    """What decides whether a booking is taken, and whether its seats are held before it is confirmed.

    `unconfirmed_limit` is how many seats may be held unconfirmed (UNCONFIRMED_PERCENT of the house), and
    `unconfirmed_left` how many more, as far as one party could want them.
    """

    performance: PerformanceFacts
    unconfirmed_limit: int
    unconfirmed_left: int
    rivals: list[Rival]


def read_booking_facts(
    performance_id: int, key: UUID, email_key: str, at: datetime
) -> BookingFacts:
    """The facts that decide about a booking by this request and address. Raises PerformanceUnknown."""
    settings: Config = current_app.config["AZIONELAB"]
    asked = {
        "performance": performance_id,
        "key": key,
        "email": email_key,
        "at": at,
        "percent": settings.unconfirmed_percent,
    }
    # A row for each rival, or one without; the facts of the performance are the same in all.
    with reading() as connection:
        rows = connection.execute(_FACTS_AND_RIVALS, asked).all()
    if not rows:
        raise PerformanceUnknown
    *facts, unconfirmed_limit, unconfirmed_left, _id, _key, _lapsed = rows[0]
    rivals = [Rival(*row[-3:]) for row in rows if row.rival is not None]
    return BookingFacts(PerformanceFacts(*facts), unconfirmed_limit, unconfirmed_left, rivals)


def check_bookable(performance: PerformanceFacts, wanted: Places, at: datetime) -> None:
    """Raise if these places cannot be booked.

    Raises PerformanceUnknown, BookingClosed, PartyTooLarge, SoldOut, WheelchairPlacesTaken.
    """
    if not performance.published:
        raise PerformanceUnknown
    window = booking_window(performance, at)
    if window is not Window.OPEN:
        raise BookingClosed(window, performance.booking_opens_at)
    if not 1 <= wanted.total <= performance.party_limit:
        raise PartyTooLarge(performance.party_limit)
    refuse_unless_free(wanted, performance.unheld)


def unheld_places(performance_id: int) -> Places:
    """The places that nobody holds: `PerformanceFacts.unheld` as they are now."""
    facts = db.session.execute(_FACTS, {"performance": performance_id}).one()
    return PerformanceFacts(*facts).unheld
