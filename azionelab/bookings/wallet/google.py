"""The link that saves a ticket in Google Wallet: the pass itself, signed, in the address (JSON Web Token, RFC 7519).

Form: developers.google.com/wallet/tickets/events. Nothing is sent to Google before the visitor follows the link. Google
keeps what an id had when it was first saved: ids end with a digest of the content, so that a changed ticket is another
pass (docs/decisions/0016-wallet-passes.md).
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app

from azionelab.bookings.models import Reservation
from azionelab.bookings.wallet.facts import PassFacts, Texts, read_pass_facts
from azionelab.languages import current_language, language_tag
from azionelab.settings.wallet import GoogleKeys

SAVE = "https://pay.google.com/gp/v/save/"
MAX_LENGTH = 1800  # characters of a token; Google calls no longer one safe in a link
_Json = dict[str, Any]


@dataclass(frozen=True)
class _Size:
    """What is left out of a pass, and how long its texts are at most, in characters."""

    without: frozenset[str] = frozenset()
    longest: int = 200


_SPARE = ("translations", "colour", "confirmation")  # the dispensable first
# The first one that fits is taken.
_SIZES = (
    *(_Size(frozenset(_SPARE[:count])) for count in range(len(_SPARE) + 1)),
    *(_Size(frozenset(_SPARE), longest) for longest in (80, 60, 40, 25)),
    _Size(frozenset({*_SPARE, "venue"}), 40),
    _Size(frozenset({*_SPARE, "venue"}), 20),
)


def google_link(reservation: Reservation, keys: GoogleKeys, at: datetime) -> str:
    """The address that saves the pass of a valid ticket."""
    facts = read_pass_facts(reservation)
    for size in _SIZES:
        token = _sign(_claims(facts, keys, at, size), keys)
        if len(token) <= MAX_LENGTH:
            break
    return SAVE + token


def _claims(facts: PassFacts, keys: GoogleKeys, at: datetime, size: _Size) -> _Json:
    def say(texts: Texts) -> _Json:
        own = current_language()
        cut = {language: _cut(text, size.longest) for language, text in texts.items()}
        said: _Json = {"defaultValue": _said(own, cut[own])}
        others = [_said(language, text) for language, text in cut.items() if text != cut[own]]
        if others and "translations" not in size.without:
            said["translatedValues"] = others
        return said

    def say_plain(text: str) -> _Json:
        return say({current_language(): text})

    event: _Json = {
        "issuerName": _cut(facts.theatre, size.longest),
        "reviewStatus": "UNDER_REVIEW",
        "eventName": say(facts.title),
        # Without an offset it is the time at the venue.
        "dateTime": {"start": facts.starts_at.replace(tzinfo=None).isoformat(timespec="minutes")},
    }
    ticket: _Json = {
        "state": "ACTIVE",
        "ticketType": say(facts.seats),
        "barcode": {"type": "QR_CODE", "value": facts.code, "alternateText": facts.reference},
        "validTimeInterval": {"end": {"date": facts.ends_at.isoformat(timespec="minutes")}},
    }
    # Google wants both of a venue.
    if facts.address and "venue" not in size.without:
        event["venue"] = {"name": say_plain(facts.venue), "address": say_plain(facts.address)}
    if "colour" not in size.without:
        event["hexBackgroundColor"] = facts.curtain.colour
    if "confirmation" not in size.without:
        ticket["reservationInfo"] = {"confirmationCode": facts.reference}
    event["id"] = ticket["classId"] = _identity(event)
    ticket["id"] = _identity(ticket)
    return {
        "iss": keys.email,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(at.timestamp()),
        "payload": {"eventTicketClasses": [event], "eventTicketObjects": [ticket]},
    }


def _identity(content: _Json) -> str:
    """The id of content: the issuer's number, and a digest of 60 bits, so that other content has another id."""
    issuer = current_app.config["AZIONELAB"].google_wallet_issuer
    digest = base64.b32encode(hashlib.sha256(_json(content)).digest()).decode()
    return f"{issuer}.{digest[:12]}"


def _said(language: str, text: str) -> _Json:
    return {"language": language_tag(language), "value": text}


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _sign(claims: _Json, keys: GoogleKeys) -> str:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    signed = b".".join(_encode(_json(part)) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    signature = keys.key.sign(signed, PKCS1v15(), SHA256())
    return b".".join((signed, _encode(signature))).decode()


def _json(content: _Json) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _encode(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
