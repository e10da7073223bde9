"""Finds people who booked before, while staff type a name or an address. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from azionelab.bookings.models import Kind, Reservation
from azionelab.database import db
from azionelab.shows.models import Performance
from azionelab.validation.email_addresses import mailbox_key

MAX_SHOWN = 8
_MAX_READ = 200  # bookings
_LEAST = 2  # characters


@dataclass(frozen=True)
class Customer:
    """Somebody whose data is still kept. `last` is the curtain of the performance they booked last.

    `seats_here` are those that they hold at the performance that staff book now.
    """

    name: str
    email: str
    locale: str
    last: datetime
    seats_here: int


def find_customers(typed: str, performance_id: int) -> list[Customer]:
    """People whose name, a word of it, or address begins so: whole names first, then who booked last.

    At most MAX_SHOWN; none for fewer than two characters. Erased names are not found, nor house seats.
    """
    wanted = " ".join(typed.split())
    if len(wanted) < _LEAST or "\0" in wanted:
        return []
    rows = db.session.execute(
        select(
            Reservation.name,
            Reservation.email,
            Reservation.locale,
            Reservation.seats,
            Reservation.state,
            Reservation.performance_id,
            Performance.starts_at,
        )
        .join(Reservation.performance)
        .where(
            Reservation.erased_at.is_(None),
            Reservation.kind.in_((Kind.VISITOR, Kind.BOX_OFFICE)),
            Reservation.walk_in.is_(False),
            or_(
                Reservation.name.istartswith(wanted, autoescape=True),
                Reservation.name.icontains(f" {wanted}", autoescape=True),
                Reservation.email.istartswith(wanted, autoescape=True),
            ),
        )
        .order_by(Reservation.created_at.desc())
        .limit(_MAX_READ)
    ).all()
    here: dict[tuple[str, str], int] = {}
    people: dict[tuple[str, str], Customer] = {}
    for row in rows:
        person = (row.name.casefold(), mailbox_key(row.email) if row.email else "")
        if row.performance_id == performance_id and row.state in ("pending", "confirmed"):
            here[person] = here.get(person, 0) + row.seats
        people.setdefault(
            person, Customer(row.name, row.email, row.locale, row.starts_at, seats_here=0)
        )
    found = [
        Customer(one.name, one.email, one.locale, one.last, here.get(person, 0))
        for person, one in people.items()
    ]
    found.sort(key=lambda one: not one.name.casefold().startswith(wanted.casefold()))
    return found[:MAX_SHOWN]
