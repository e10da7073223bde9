"""A performance's parties and scans as CSV for spreadsheets. Made on demand, never stored."""

import csv
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from io import StringIO

from flask_babel import get_locale, gettext

from azionelab.admin.reservations.views import STATES
from azionelab.admin.scans import verdict_label
from azionelab.checkin.house.guests import Guest
from azionelab.checkin.models import Scan
from azionelab.validation.text import first_visible_character, remove_bidi_controls
from azionelab.web.dates import format_timestamp

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"  # byte order mark: without it Excel reads UTF-8 as Latin-1
_FORMULA = ("=", "+", "-", "@", "\N{MINUS SIGN}")
_BETWEEN_CELLS = re.compile(r"([,;|])")
_SEPARATORS = ("\t", "\r", "\n")

_Cell = str | int | datetime | None


def guests_csv(guests: Iterable[Guest]) -> bytes:
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
        ]
        for guest in guests
    )
    return _table(head, rows)


def attempts_csv(attempts: Iterable[tuple[Scan, datetime | None]]) -> bytes:
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
    return _table(head, rows)


def _table(head: list[str], rows: Iterable[list[_Cell]]) -> bytes:
    text = StringIO()
    # Spreadsheets expect semicolons in locales with a decimal comma.
    writer = csv.writer(text, delimiter="," if str(get_locale()) == "en" else ";")
    writer.writerow(head)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return (_MARK + text.getvalue()).encode()


def _plain(cell: _Cell) -> str | int:
    """A cell's content, with texts escaped that a spreadsheet would run as a formula (OWASP)."""
    if isinstance(cell, int):
        return cell
    if isinstance(cell, datetime):
        return format_timestamp(cell)
    text = remove_bidi_controls(cell or "")
    # A spreadsheet with another separator setting starts a new cell within a text.
    parts = _BETWEEN_CELLS.split(text)
    return "".join(f"'{part}" if _is_formula(part) else part for part in parts)


def _is_formula(text: str) -> bool:
    # Some spreadsheets drop invisible characters and read compatibility forms of signs as plain ones (NFKC).
    sign = unicodedata.normalize("NFKC", first_visible_character(text))
    return text.startswith(_SEPARATORS) or sign.startswith(_FORMULA)
