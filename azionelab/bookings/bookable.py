"""What a booking asks before it is written, in one statement: the evening, and who is in the way.

The statements are made once. They are asked for every booking, so they must not grow with the house:
each part is one look-up in an index that no other index could stand in for.
"""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from flask import current_app
from sqlalchemy import Row, bindparam, case, func, literal_column, select, true, union_all

from azionelab.bookings.errors import BookingClosed, PartyTooLarge, PerformanceUnknown, SoldOut
from azionelab.bookings.models import Reservation, lapsed
from azionelab.database import db
from azionelab.settings.config import Config
from azionelab.shows.models import Performance, Show
from azionelab.shows.window import Bookable, Window, booking_window

_HERE = Reservation.performance_id == bindparam("performance")
_FACTS: list[Any] = [
    Show.published,
    Performance.starts_at,
    Performance.booking_opens_at,
    Performance.booking_closes_at,
    Performance.cancelled_at,
    Performance.party_limit,
    Performance.capacity,
    (Performance.capacity - Performance.seats_held).label("unheld_seats"),
]
_EVENING = (
    select(*_FACTS)
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
    # Places are released of confirmed parties only.
    select(func.coalesce(func.sum(Reservation.seats), literal_column("0")))
    .where(_HERE, Reservation.is_unconfirmed_hold, Reservation.hold_expires_at > bindparam("at"))
    .scalar_subquery()
)
_EVENING_AND_RIVALS = _EVENING.outerjoin(_RIVALS, true()).add_columns(
    _UNCONFIRMED_LIMIT.label("unconfirmed_limit"),
    # Whose party fits beside all seats held need not have the unconfirmed ones summed up.
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


def read_evening(
    performance_id: int, key: UUID, email_key: str, at: datetime
) -> tuple[Row[Any] | None, list[Row[Any]]]:
    """The facts that `check_bookable` wants (None for an unknown performance), and the rivals.

    `unconfirmed_limit` is how many seats may be held unconfirmed (UNCONFIRMED_PERCENT of the house), and
    `unconfirmed_left` how many more, as far as one party could want them.

    A rival stands in the way of a booking: the same press of the button (`request_key`), the same
    address, or a hold whose time is over (`lapsed`). Its `rival` is the reservation's identity.
    """
    settings: Config = current_app.config["AZIONELAB"]
    asked = {
        "performance": performance_id,
        "key": key,
        "email": email_key,
        "at": at,
        "percent": settings.unconfirmed_percent,
    }
    found = db.session.connection().execute(_EVENING_AND_RIVALS, asked).all()
    return (found[0] if found else None), [row for row in found if row.rival is not None]


def check_bookable(evening: Row[Any] | None, seats: int, at: datetime) -> Row[Any]:
    """The evening, if it can be booked; PerformanceUnknown, BookingClosed, PartyTooLarge, SoldOut."""
    if evening is None or not evening.published:
        raise PerformanceUnknown
    window = booking_window(cast("Bookable", evening), at)
    if window is not Window.OPEN:
        raise BookingClosed(window, evening.booking_opens_at)
    if not 1 <= seats <= evening.party_limit:
        raise PartyTooLarge(evening.party_limit)
    if seats > evening.unheld_seats:
        raise SoldOut(evening.unheld_seats)
    return evening


def unheld_seats(performance_id: int) -> int:
    """The capacity less the seats held. Lapsed holds are held until they are expired.

    Not `seats_left` of the programme, where seats of lapsed holds are free already.
    """
    evening = db.session.execute(_EVENING, {"performance": performance_id}).one()
    return int(evening.unheld_seats)
