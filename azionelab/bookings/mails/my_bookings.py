"""The link by which somebody finds the coming bookings of their address again."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from azionelab.bookings.mails.address_links import AddressLink
from azionelab.bookings.models import Reservation, State
from azionelab.database import db, now
from azionelab.mail.models import MailKind
from azionelab.mail.outbox import enqueue
from azionelab.shows.models import Performance


def _coming(email_key: str) -> Sequence[Reservation]:
    """Bookings and places in line of a mailbox for performances to come, by start."""
    return db.session.scalars(
        select(Reservation)
        .join(Reservation.performance)
        .where(
            Reservation.email_key == email_key,
            or_(Reservation.is_live, Reservation.state == State.WAITING),
            Performance.starts_at > now(),
        )
        .order_by(Performance.starts_at, Reservation.id)
        .options(
            joinedload(Reservation.performance).joinedload(Performance.show),
            joinedload(Reservation.performance).joinedload(Performance.venue),
        )
    ).all()


MY_BOOKINGS = AddressLink(
    name="my-bookings",
    endpoint="bookings.my_bookings_list",
    find=_coming,
    enqueue=lambda session, reservation_id: enqueue(session, reservation_id, MailKind.MY_BOOKINGS),
)
