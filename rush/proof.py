"""The proof of work of a form, without the work: this machine could not compute thousands of proofs beside the site.

A visitor's solution belongs to a challenge of the same cost that is made here with the site's key, its solution being
known. The site checks it as any other. The visitor only waits as long as the work would have taken.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import altcha
from altcha.v2 import Payload

from bench.servers import SECRET_KEY
from rush.people import Kind

_CHALLENGE = re.compile(r'data-challenge="([^"]*)"')
_USUAL_COST = (
    2_000  # rounds of a try while nobody books (azionelab/bookings/crowd/proof_of_work.py)
)
# Assumed for a proof of that cost: a browser's, and one core's of a script in a fast language.
SECONDS = {Kind.PATIENT: 1.0, Kind.IMPATIENT: 1.0, Kind.SCRIPT: 0.25}
_LIFE = timedelta(hours=1)
_PREFIX = 1  # bytes of the key that a solution has to match


def asked_cost(page: str) -> int | None:
    """The cost of the challenge in a page's form; None without one."""
    found = _CHALLENGE.search(page)
    return int(json.loads(unescape(found[1]))["parameters"]["cost"]) if found else None


def seconds_for(kind: Kind, cost: int) -> float:
    """How long the work is assumed to take."""
    return SECONDS[kind] * cost / _USUAL_COST


def make_proof(cost: int, secret_key: str = SECRET_KEY) -> str:
    """The field `proof` of a form that asked for so much."""
    challenge = altcha.create_challenge(
        "PBKDF2/SHA-256",
        cost,
        counter=0,
        key_prefix_length=_PREFIX,
        expires_at=datetime.now(UTC) + _LIFE,
        hmac_secret=f"azionelab/proof/{secret_key}",
    )
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return Payload(challenge, solution).to_base64()
