"""Moves what the rules wrote just now to when it happened, as the invented season has it.

Only moments are written here: states, seats and counts stay as the rules left them.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update

from azionelab.bookings.models import Reservation
from azionelab.checkin.models import Scan
from azionelab.database import transaction
from azionelab.shows.models import Performance

# The mails of bookings that were made before the last minutes count as sent. A few failed, as in every season.
_MAILS_OF_WHEN = """
UPDATE mail SET created_at = least(:at, CASE mail.kind
        WHEN 'confirm' THEN reservation.created_at
        WHEN 'ticket' THEN reservation.confirmed_at
        WHEN 'changed' THEN reservation.reduced_at
        ELSE coalesce(reservation.ended_at, reservation.confirmed_at) END)
FROM reservation WHERE reservation.id = mail.reservation_id
"""
_SENT = """
UPDATE mail SET delivery = 'sent', attempts = 1,
    sent_at = created_at + interval '9 seconds', tried_at = created_at + interval '9 seconds'
WHERE created_at < :at - interval '30 minutes'
"""
_FAILED = """
UPDATE mail SET delivery = 'failed', sent_at = NULL, refusal = 'recipient',
    last_error = '550 5.1.1 user unknown'
WHERE id IN (
    SELECT mail.id FROM mail JOIN reservation ON reservation.id = mail.reservation_id
    JOIN performance ON performance.id = reservation.performance_id
    WHERE mail.kind = 'ticket' AND mail.delivery = 'sent' AND performance.starts_at > :at
        AND reservation.state = 'confirmed'
    ORDER BY mail.created_at LIMIT 3
)
"""
_FINISHED_JOBS = """
DELETE FROM procrastinate_jobs WHERE task_name = 'mail.send' AND status = 'todo'
    AND args ->> 'mail_id' IN (SELECT id::text FROM mail WHERE delivery <> 'queued')
"""
_WALK_INS = """
UPDATE reservation SET created_at = scan.scanned_at, confirmed_at = scan.scanned_at,
    hold_expires_at = scan.scanned_at
FROM scan WHERE scan.reservation_id = reservation.id AND reservation.walk_in
"""
_ADMISSIONS = """
UPDATE admission SET admitted_at = scan.scanned_at FROM scan WHERE scan.id = admission.scan_id AND scan.id = ANY(:scans)
"""


def date_endings(decided: Mapping[UUID, datetime]) -> None:
    """Date the bookings that were cancelled, expired or reduced."""
    with transaction() as session:
        for column in (Reservation.ended_at, Reservation.reduced_at):
            found = session.scalars(
                select(Reservation.id).where(column.is_not(None), Reservation.id.in_(decided))
            )
            if rows := [{"id": each, column.key: decided[each]} for each in found]:
                session.execute(update(Reservation), rows)


def date_cancellations(cancelled: Mapping[int, datetime]) -> None:
    """Date cancelled performances, and the bookings that were cancelled with them."""
    with transaction() as session:
        for performance_id, at in cancelled.items():
            session.get_one(Performance, performance_id).cancelled_at = at
            session.execute(
                update(Reservation)
                .where(Reservation.performance_id == performance_id)
                .where(Reservation.ended_by == "performance")
                .values({"ended_at": at})
            )


def date_scans(scanned: Mapping[UUID, datetime], curtains: Mapping[int, datetime]) -> None:
    """Date scans, admissions, walk-ins, and releases of no-shows' seats, at the curtain."""
    with transaction() as session:
        rows = [
            {"id": identity, "scanned_at": at, "received_at": at}
            for identity, at in scanned.items()
        ]
        if rows:
            session.execute(update(Scan), rows)
        session.execute(text(_ADMISSIONS), {"scans": list(scanned)})
        session.execute(text(_WALK_INS))
        for performance_id, curtain in curtains.items():
            performance = session.get_one(Performance, performance_id)
            if performance.released_at is not None:
                performance.released_at = curtain


def date_mails(at: datetime) -> None:
    """Date the mails; all but the last minutes' were sent, some failed. Their jobs are not run."""
    with transaction() as session:
        for statement in (_MAILS_OF_WHEN, _SENT, _FAILED):
            session.execute(text(statement), {"at": at})
        session.execute(text(_FINISHED_JOBS))
