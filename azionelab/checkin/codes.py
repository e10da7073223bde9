"""Which codes are ours by their form: the same rule as the app's (static_frontend/src/door/foreign.ts).

A camera reads whatever is in view, as the QR of the foyer's network or of a poster. Such a code is no attempt to
come in: it is not in the scan log.
"""

import re

from azionelab.bookings.references import read_reference

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# A ticket of which a part is missing is ours, too.
_ADDRESS = re.compile(r"/(T/[0-9]|checkin/ticket/)", re.IGNORECASE)


class CodeForeign(Exception):
    """A code that has not the form of a ticket or a reference of ours."""


def is_foreign(code: str) -> bool:
    """Whether a code is neither a ticket nor a reference by its form; of those that are, `admit` tells more."""
    typed = code.strip()
    last = typed.rstrip("/").rpartition("/")[2]
    is_ticket = _TOKEN.fullmatch(last) or _ADDRESS.search(typed)
    return not is_ticket and read_reference(typed) is None


def require_ours(code: str) -> None:
    """Raises CodeForeign."""
    if is_foreign(code):
        raise CodeForeign
