"""No more reminders and messages about a booking: the link that these mails carry, and what it does.

Mailboxes show it as a button of their own (RFC 2369, RFC 8058). It needs no login and does nothing else: its token opens
no booking. All other mails about the booking still come: the ticket, changes, the question whether one still comes.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from azionelab.bookings.models import Reservation
from azionelab.bookings.reminders.models import Unsubscribed
from azionelab.bookings.visitor_links import is_linked, link_identity
from azionelab.database import db, transaction
from azionelab.mail.models import MailKind
from azionelab.tokens import Purpose, make_token, read_token, valid_tokens
from azionelab.web.site_urls import site_url

# Those that the visitor need not get: others say what became of the booking.
KINDS = (MailKind.REMINDER, MailKind.NEAR, MailKind.MESSAGE)
IS_UNSUBSCRIBED = exists().where(Unsubscribed.reservation_id == Reservation.id)


def make_unsubscribe_token(reservation: Reservation) -> str:
    """The token of the link; it ends like the booking's own when the address is corrected."""
    return make_token(Purpose.UNSUBSCRIBE, link_identity(reservation))


def unsubscribe_tokens(reservation: Reservation) -> list[str]:
    """All valid ones, those of older keys too."""
    return valid_tokens(Purpose.UNSUBSCRIBE, link_identity(reservation))


def unsubscribe_url(kind: MailKind, reservation: Reservation) -> str:
    """The address of the page, in the current language; "" for a mail that the visitor has to get."""
    if kind not in KINDS:
        return ""
    return site_url("bookings.unsubscribe", token=make_unsubscribe_token(reservation))


def find_subscriber(token: str) -> Reservation | None:
    """The booking of a link; None when the link is not genuine, or has ended."""
    identity = read_token(Purpose.UNSUBSCRIBE, token)
    if identity is None:
        return None
    return db.session.scalar(select(Reservation).where(is_linked(identity)))


def unsubscribe(reservation_id: UUID, at: datetime) -> None:
    """Send no more reminders and messages about a booking. Again, it changes nothing."""
    with transaction() as session:
        session.execute(
            insert(Unsubscribed)
            .values(reservation_id=reservation_id, at=at)
            .on_conflict_do_nothing()
        )


def is_unsubscribed(session: Session, reservation: Reservation) -> bool:
    """Whether its visitor wants no more of them."""
    return session.get(Unsubscribed, reservation.id) is not None
