"""The hidden performance that a smoke check books: made for it, and removed with all that came of it."""

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
from azionelab.database.row_versions import RowChange, write_as
from azionelab.mail.models import Mail
from azionelab.shows.models import Performance, Show, Venue
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import Scope, issue_token

SEATS = 2
_NAME = "smoke-check-"  # what all of it is named by; nothing else is
_ONLY_ONE = 0x617A696F6E6C02  # of the advisory lock
_AHEAD = timedelta(days=60)  # of tonight, so that the door's staff need not see it


class AnotherRuns(Exception):
    """Somebody else's smoke check is under way, whose stage must not be removed."""


@dataclass(frozen=True)
class Stage:
    """What a check needs to know: the performance, its show's address, a token for its door."""

    performance_id: int
    slug: str
    door_token: str


@contextmanager
def alone() -> Iterator[None]:
    """Let no second smoke check run beside this one; raises AnotherRuns.

    The lock is a transaction's, held open meanwhile: it ends with this process however that ends,
    and holds behind a pooler too.
    """
    with db.engine.connect() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        mine = text("SELECT pg_try_advisory_xact_lock(:key)")
        if not connection.scalar(mine, {"key": _ONLY_ONE}):
            raise AnotherRuns
        yield


def set_up() -> Stage:
    """Make a show that is published but not listed, one performance of it, and a door token."""
    name = f"{_NAME}{uuid4().hex}"
    curtain = now() + _AHEAD
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
    return Stage(performance.id, name, door_token)


def remove() -> int:
    """Remove every such stage, those of killed runs too, and say how many there were.

    What remains is the mails' jobs: they hold nobody's data, find no mail, and end well.
    """
    with transaction() as session:
        write_as(session, None, source=_NAME)
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
        # Nobody edited anything: the record of edits stays free of every run's deletions.
        session.execute(delete(RowChange).where(RowChange.source == _NAME))
    return len(performances)


def find_booking(stage: Stage) -> Reservation | None:
    """The booking of the stage as it is committed now."""
    with transaction() as session:
        return session.scalar(
            select(Reservation)
            .where(Reservation.performance_id == stage.performance_id)
            .execution_options(populate_existing=True)
        )


def find_mail(booking: Reservation) -> Mail | None:
    """The first mail of a booking, the one that asks to confirm it, as it is committed now."""
    with transaction() as session:
        return session.scalar(
            select(Mail)
            .where(Mail.reservation_id == booking.id)
            .order_by(Mail.created_at)
            .limit(1)
            .execution_options(populate_existing=True)
        )
