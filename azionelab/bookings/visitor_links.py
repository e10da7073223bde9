"""The private link of a booking, which only its visitor's mailbox gets: where one confirms, changes and cancels.

It holds a signed token. When staff correct the address to another mailbox, the links that the one before got open
nothing any more, since a stranger may read it: then the tokens name a `link_id` in place of the reservation's id. The
ticket is not part of this. It is shown at the door, names no address, and stays valid whoever holds it.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from azionelab.bookings.models import Reservation
from azionelab.tokens import Purpose, make_token, read_token, valid_tokens


def make_link_token(reservation: Reservation) -> str:
    """The token of a reservation's private link."""
    return make_token(Purpose.VISITOR, link_identity(reservation))


def link_tokens(reservation: Reservation) -> list[str]:
    """All tokens that open the reservation's page, those of older keys too."""
    return valid_tokens(Purpose.VISITOR, link_identity(reservation))


def read_link_token(token: str) -> UUID | None:
    """What a genuine token names: `is_linked` finds its reservation. None for any other."""
    return read_token(Purpose.VISITOR, token)


def is_linked(identity: UUID) -> ColumnElement[bool]:
    """The condition that a reservation's links name this identity."""
    by_id = and_(Reservation.id == identity, Reservation.link_id.is_(None))
    return or_(by_id, Reservation.link_id == identity)


def link_identity(reservation: Reservation) -> UUID:
    """What the tokens of a reservation's links name: its id, or another one since its address was corrected."""
    return reservation.link_id or reservation.id
