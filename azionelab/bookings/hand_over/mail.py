"""The mail by which a friend gets a booking, and its link."""

from uuid import UUID

from flask_babel import force_locale, gettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from azionelab.bookings.hand_over.models import HandOver
from azionelab.bookings.mails.address_links import write_message
from azionelab.bookings.models import Reservation
from azionelab.database import db
from azionelab.mail.message import Message
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


def write_hand_over(found: HandOver) -> Message:
    """The mail to the friend, in the language that they get; its link alone opens the offer."""
    with force_locale(found.locale):
        return write_message(
            found.email,
            gettext("Seats for you: %(show)s", show=found.reservation.performance.show.title),
            "hand_over",
            link=site_url("bookings.take_over", token=make_friend_token(found.id)),
            reservation=found.reservation,
            until=found.lapses_at,
        )


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
