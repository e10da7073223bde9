"""A proof of work (ALTCHA): a browser computes for about a second before it books.

That is nothing for a visitor, and for a script it is a second per booking. No third party takes part: the site makes
the challenge, signs it, and checks the solution. It is asked for only while more bookings come in than people
make; without one a booking holds no seats until it is confirmed, and all of those together are limited.
"""

import json
from datetime import timedelta
from typing import cast

from altcha import create_challenge, verify_solution
from altcha.v2 import Payload
from werkzeug.exceptions import TooManyRequests

from azionelab.bookings.crowd.pressure import pressure
from azionelab.bookings.errors import TooManyUnproven
from azionelab.database import now
from azionelab.tokens import secret_keys
from azionelab.web.rate_limits import RateLimit, visitor_network

# A form may stay open for a while; pressed after that, it comes back with another challenge.
_LIFE = timedelta(hours=1)
_ALGORITHM = "PBKDF2/SHA-256"
_COST = 2_000  # rounds of a try; on average 256 tries find the solution
_MAX_FACTOR = 10.0
# A visitor corrects the form, or presses twice; a script that keeps a proof gains two bookings.
_uses = RateLimit("proof", lambda _settings: "3 per 1 hour")
# A place in the queue costs a proof of its own.
_places = RateLimit("proof-place", lambda _settings: "1 per 1 hour")
_unproven = RateLimit("unproven", lambda settings: settings.unproven_booking_limit)
_EVERYBODY = "everybody"
_PREPARED, _REQUIRED = 0.5, 1.0  # pressure


def write_challenge(*, always: bool = False) -> str | None:
    """A challenge as JSON, the harder the higher the pressure; None while nothing is to be proved.

    Forms carry one before it is required, so that few are open without one when it is. That of the queue `always` does.
    """
    level = pressure().read()
    if (level < _PREPARED and not always) or visitor_network() is None:
        return None
    challenge = create_challenge(
        _ALGORITHM,
        int(_COST * max(1.0, min(level, _MAX_FACTOR))),
        expires_at=now() + _LIFE,
        hmac_secret=_secret(secret_keys()[0]),
    )
    return json.dumps(challenge.to_dict())


def check_proof(proof: str, *, suspect: bool = False) -> bool:
    """Whether a booking may hold seats; TooManyUnproven when there are too many of those that may not.

    `suspect` bookings may not, whatever the pressure: they look like a script's. Writes to the database, so it must
    not be called inside a transaction.
    """
    if visitor_network() is None:
        return True
    if not suspect and (pressure().read() < _REQUIRED or _use_proof(proof, _uses)):
        pressure().add_booking()
        return True
    _count_unproven()
    return False


def check_place_proof(proof: str, *, suspect: bool = False) -> None:
    """Let somebody take a place in the queue, by a proof or among the few without; raises TooManyUnproven.

    Must not be called inside a transaction, as `check_proof`.
    """
    if visitor_network() is not None and (suspect or not _use_proof(proof, _places)):
        _count_unproven()


def _count_unproven() -> None:
    """Count somebody without a proof among those that are limited together; raises TooManyUnproven."""
    try:
        _unproven.count(_EVERYBODY)
    except TooManyRequests as limit:
        seconds = cast("int", limit.retry_after)
        raise TooManyUnproven(now() + timedelta(seconds=seconds)) from limit


def _use_proof(proof: str, uses: RateLimit) -> bool:
    """Whether this is the solution of a challenge of ours, not used too often; counts the use."""
    if not proof or not any(verify_solution(proof, _secret(key)).verified for key in secret_keys()):
        return False
    try:
        uses.count(Payload.from_base64(proof).challenge.parameters.nonce)
    except TooManyRequests:
        return False
    return True


def _secret(key: str) -> str:
    return f"azionelab/proof/{key}"
