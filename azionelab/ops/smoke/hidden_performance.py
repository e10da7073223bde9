"""The hidden performance that a smoke check books: creates it, and removes it with everything booked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import delete, select, text

from azionelab.bookings.locks import lock_performance
from azionelab.bookings.models import Reservation
from azionelab.checkin.models import Admission, Scan
from azionelab.database import db, now, transaction
from azionelab.database.row_versions import RowChange, record_author
from azionelab.mail.models import Mail
from azionelab.shows.models import Performance, Show, Venue
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import Scope, issue_token

SEATS = 2
_NAME = "smoke-check-"  # prefix of all names here; nothing else has it
_LOCK_KEY = 0x617A696F6E6C02  # of the advisory lock
_STARTS_IN = timedelta(days=60)  # from now, so that the door's staff do not see it


class AlreadyRunning(Exception):
    """Another smoke check is running; its performance must not be removed."""


@dataclass(frozen=True)
class HiddenPerformance:
    """The performance's id, its show's slug, and a token for its door."""

    performance_id: int
    slug: str
    door_token: str


@contextmanager
def exclusive() -> Iterator[None]:
    """Prevent a second smoke check at the same time; raises AlreadyRunning.

    A transaction-level advisory lock, in a transaction held open: it is released when this process dies, and
    works behind a connection pooler.
    """
    with db.engine.connect() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        try_lock = text("SELECT pg_try_advisory_xact_lock(:key)")
        if not connection.scalar(try_lock, {"key": _LOCK_KEY}):
            raise AlreadyRunning
        yield


def create() -> HiddenPerformance:
    """Create a published but unlisted show with one performance, and a door token."""
    name = f"{_NAME}{uuid4().hex}"
    curtain = now() + _STARTS_IN
    _, door_token = issue_token(name, Scope.DOOR, hours=1)
    with transaction() as session:
        performance = Performance(
            show=Show(slug=name, title="Smoke check", published=True, listed=False),
            venue=Venue(name=name, address=""),
            starts_at=curtain,
            booking_opens_at=now() - timedelta(hours=1),
            booking_closes_at=curtain - timedelta(hours=1),
            capacity=SEATS,
            party_limit=SEATS,
        )
        session.add(performance)
    return HiddenPerformance(performance.id, name, door_token)


def remove() -> int:
    """Remove all such performances, also those of killed runs; returns their number.

    The mails' jobs remain: they hold no personal data, find no mail, and succeed.
    """
    with transaction() as session:
        record_author(session, None, source=_NAME)
        named = Show.slug.startswith(_NAME), Show.listed.is_(False)
        found = select(Performance.id).join(Performance.show).where(*named).order_by(Performance.id)
        performances = list(session.scalars(found))
        for performance_id in performances:
            lock_performance(session, performance_id)
            booked = select(Reservation.id).where(Reservation.performance_id == performance_id)
            session.execute(delete(Admission).where(Admission.reservation_id.in_(booked)))
            session.execute(delete(Scan).where(Scan.performance_id == performance_id))
            session.execute(delete(Reservation).where(Reservation.performance_id == performance_id))
            session.execute(delete(Performance).where(Performance.id == performance_id))
        session.execute(delete(Show).where(*named))
        session.execute(delete(Venue).where(Venue.name.startswith(_NAME)))
        session.execute(delete(ApiToken).where(ApiToken.label.startswith(_NAME)))
        # Keep the deletions of each run out of the record of edits.
        session.execute(delete(RowChange).where(RowChange.source == _NAME))
    return len(performances)


def find_booking(performance: HiddenPerformance) -> Reservation | None:
    """The booking of the hidden performance, as committed now."""
    with transaction() as session:
        return session.scalar(
            select(Reservation)
            .where(Reservation.performance_id == performance.performance_id)
            .execution_options(populate_existing=True)
        )


def find_mail(booking: Reservation) -> Mail | None:
    """The booking's first mail, which asks to confirm it, as committed now."""
    with transaction() as session:
        return session.scalar(
            select(Mail)
            .where(Mail.reservation_id == booking.id)
            .order_by(Mail.created_at)
            .limit(1)
            .execution_options(populate_existing=True)
        )
