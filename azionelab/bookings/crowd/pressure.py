"""How many bookings come in that nobody confirms: the measure of a flood of scripted ones."""

import threading
import time
from datetime import timedelta

from flask import Flask, current_app
from sqlalchemy import func, or_, select

from azionelab.bookings.models import Kind, Reservation, State
from azionelab.database import db, now

WINDOW = timedelta(minutes=10)
_REMEMBERED = 1.0  # seconds that a process uses a count
_ENOUGH = 20  # times the setting: a count beyond it changes nothing


class Pressure:
    """The unconfirmed bookings of the last ten minutes, as a multiple of PROOF_ABOVE_BOOKINGS."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value = 0.0
        self._until = 0.0  # by this process's monotonic clock

    def read(self) -> float:
        """The pressure, 1.0 at the setting. Counted anew every second."""
        at = time.monotonic()
        with self._lock:
            if at < self._until:
                return self._value
            # Others go on with the old count while this thread counts.
            self._until = at + _REMEMBERED
        queue_above: int = current_app.config["AZIONELAB"].queue_above_bookings
        count = _count_unconfirmed(max(_threshold() * _ENOUGH, queue_above))
        with self._lock:
            self._value = count / _threshold()
            return self._value

    def bookings(self) -> int:
        """The unconfirmed bookings of the last ten minutes."""
        return round(self.read() * _threshold())

    def add_booking(self) -> None:
        """Count a booking of this process, so that a flood is noticed before the next count."""
        with self._lock:
            self._value += 1 / _threshold()


def _threshold() -> int:
    threshold: int = current_app.config["AZIONELAB"].proof_above_bookings
    return threshold


def _count_unconfirmed(most: int) -> int:
    """The visitors' bookings and waitlist entries of the last ten minutes that nobody has confirmed, up to `most`."""
    recent = (
        select(Reservation.id)
        .where(
            Reservation.created_at > now() - WINDOW,
            Reservation.kind == Kind.VISITOR,
            or_(
                Reservation.is_pending & Reservation.network.is_not(None),
                # Entries of the waitlist whose mailbox nobody has confirmed.
                (Reservation.state == State.WAITING) & Reservation.waiting_since.is_(None),
            ),
        )
        .limit(most)
    )
    return db.session.scalar(select(func.count()).select_from(recent.subquery())) or 0


def init_pressure(app: Flask) -> None:
    """Create the application's measure."""
    app.extensions["booking_pressure"] = Pressure()


def pressure() -> Pressure:
    """This site's measure."""
    measure: Pressure = current_app.extensions["booking_pressure"]
    return measure
