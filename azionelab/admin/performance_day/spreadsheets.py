"""A performance's parties and scans as tables for spreadsheets: their headings and rows."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from flask_babel import gettext

from azionelab.admin.exports.tables import Cell
from azionelab.admin.reservations.states import STATES
from azionelab.admin.scans import verdict_label
from azionelab.checkin.house.guests import Guest
from azionelab.checkin.models import Scan

_Table = tuple[list[str], Iterable[Sequence[Cell]]]


def guests_table(guests: Iterable[Guest]) -> _Table:
    """One row for each party and walk-in."""
    head = [
        gettext("Reference"),
        gettext("Name"),
        gettext("Seats"),
        gettext("State"),
        gettext("In"),
        gettext("Released"),
        gettext("Out during the interval"),
        gettext("First admitted"),
        gettext("Door"),
        gettext("Note"),
        gettext("Expected late, at about"),
        gettext("Wheelchair places"),
    ]
    rows = (
        [
            guest.reference,
            gettext("Walk-in") if guest.walk_in else guest.name,
            guest.seats,
            str(STATES[guest.state]),
            guest.admitted,
            guest.released,
            guest.outside,
            guest.first_at,
            guest.first_door,
            guest.note,
            guest.late_at,
            guest.wheelchair_places,
        ]
        for guest in guests
    )
    return head, rows


def attempts_table(attempts: Iterable[tuple[Scan, datetime | None]]) -> _Table:
    """One row for each scan. Scanned codes are not stored, so they are not included."""
    head = [
        gettext("When"),
        gettext("Received"),
        gettext("Verdict"),
        gettext("People"),
        gettext("Admitted offline"),
        gettext("Door"),
        gettext("By"),
        gettext("Reference"),
        gettext("Undone"),
    ]
    rows = (
        [
            scan.scanned_at,
            scan.received_at,
            verdict_label(scan.verdict),
            scan.people,
            scan.claimed,
            scan.door,
            scan.by,
            scan.reservation.reference if scan.reservation else None,
            undone_at,
        ]
        for scan, undone_at in attempts
    )
    return head, rows
