"""Recognise foreign codes by their form, by the same rule as the app (static_frontend/src/door/rules/foreign-codes.ts).

A camera reads every QR in view, for example that of a wifi network or a poster. Such codes are not scans and stay
out of the scan log.
"""

import re

from azionelab.bookings.tickets.references import read_reference

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# A truncated ticket is not foreign.
_ADDRESS = re.compile(r"/(T/[0-9]|checkin/ticket/)", re.IGNORECASE)


class ForeignCode(Exception):
    """The code has neither the form of a ticket nor that of a reference."""


def is_foreign(code: str) -> bool:
    """Whether a code is neither a ticket nor a reference by its form. `admit` checks those that are."""
    typed = code.strip()
    last = typed.rstrip("/").rpartition("/")[2]
    is_ticket = _TOKEN.fullmatch(last) or _ADDRESS.search(typed)
    return not is_ticket and read_reference(typed) is None


def refuse_foreign(code: str) -> None:
    """Raises ForeignCode."""
    if is_foreign(code):
        raise ForeignCode
