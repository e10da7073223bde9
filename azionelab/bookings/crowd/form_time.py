"""When a form was shown, signed in a hidden field: a form that comes back at once was filled in by a script.

The time is that of the first page: a form that comes back with a remark keeps it, so whoever corrects a word is not
too quick. A script that waits, or keeps a field, passes; rate limits and the proof of work are for those.
"""

from datetime import datetime, timedelta

from flask import current_app
from itsdangerous import BadSignature, TimestampSigner

from azionelab.database import now
from azionelab.tokens import signing_keys

_SHOWN = "form"


def keep_or_stamp(stamp: str | None) -> str:
    """The stamp of a form that was shown before, if it is genuine, or else a new one."""
    return stamp if stamp and _read(stamp) else _signer().sign(_SHOWN).decode()


def is_too_quick(stamp: str | None) -> bool:
    """Whether the form was first shown less than FORM_MIN_SECONDS ago, or does not say when.

    Stamps have whole seconds, rounded down: up to a second less is enough.
    """
    least = timedelta(seconds=current_app.config["AZIONELAB"].form_min_seconds)
    if not least:
        return False
    shown = _read(stamp or "")
    return shown is None or now() - shown < least


def _read(stamp: str) -> datetime | None:
    try:
        text, shown = _signer().unsign(stamp, return_timestamp=True)
    except BadSignature:
        return None
    return shown if text == _SHOWN.encode() else None


def _signer() -> TimestampSigner:
    return TimestampSigner(signing_keys(), salt="azionelab.bookings.form")
