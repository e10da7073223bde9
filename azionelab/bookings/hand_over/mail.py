"""The link by which a friend gets a booking."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.bookings.hand_over.models import HandOver
from azionelab.bookings.models import Reservation
from azionelab.database import db
from azionelab.shows.models import Performance
from azionelab.tokens import Purpose, make_token, read_token
from azionelab.web.site_urls import site_url


def make_friend_token(hand_over_id: UUID) -> str:
    """The token of the friend's link."""
    return make_token(Purpose.HAND_OVER, hand_over_id)


def find_hand_over(token: str) -> HandOver | None:
    """The offer that a friend's link names, with its booking; None for no genuine token."""
    identity = read_token(Purpose.HAND_OVER, token)
    return _read(identity) if identity else None


def friend_link(found: HandOver) -> str:
    """The link of the mail to the friend, which alone opens the offer."""
    return site_url("bookings.take_over", token=make_friend_token(found.id))


def _read(hand_over_id: UUID) -> HandOver | None:
    performance = joinedload(HandOver.reservation).joinedload(Reservation.performance)
    return db.session.scalar(
        select(HandOver)
        .where(HandOver.id == hand_over_id)
        .options(
            performance.joinedload(Performance.show), performance.joinedload(Performance.venue)
        )
        .execution_options(populate_existing=True)
    )
