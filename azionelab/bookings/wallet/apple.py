"""The pass for Apple Wallet (.pkpass): a signed ZIP archive of texts and pictures.

Form: developer.apple.com/documentation/walletpasses. A pass with the same pass type and serial number replaces the one
on the phone, which is how a change arrives (docs/decisions/0016-wallet-passes.md).
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from flask_babel import gettext

from azionelab.bookings.models import Reservation
from azionelab.bookings.wallet.facts import PassFacts, Texts, in_languages, read_pass_facts
from azionelab.bookings.wallet.pictures import pass_pictures
from azionelab.languages import current_language, language_tag
from azionelab.settings.wallet import AppleKeys
from azionelab.theme.colours import ON_ACCENT
from azionelab.web.site_urls import site_url

MIME_TYPE = "application/vnd.apple.pkpass"


def apple_pass(reservation: Reservation, keys: AppleKeys) -> bytes:
    """The ticket as a pass. That of an invalid ticket is void: it says why, and has no code."""
    facts, words = read_pass_facts(reservation), _Words()
    content = _describe(facts, words) | {
        "formatVersion": 1,
        "passTypeIdentifier": keys.pass_type,
        "teamIdentifier": keys.team,
        # As the UID of the calendar entry: the same for as long as the booking lives, whatever changes of it.
        "serialNumber": str(reservation.id),
    }
    files = {
        "pass.json": _json(content),
        **pass_pictures(facts.curtain, facts.theatre),
        **words.files(),
    }
    manifest = _json(
        {
            name: hashlib.sha1(file, usedforsecurity=False).hexdigest()
            for name, file in files.items()
        }
    )
    files |= {"manifest.json": manifest, "signature": _sign(manifest, keys)}
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        for name, file in files.items():
            packed.writestr(name, file)
    return archive.getvalue()


class _Words:
    """Texts of a pass in the current language, which its other languages are looked up by.

    So a phone in a language that the site does not have shows the one that the visitor reads the site in.
    """

    def __init__(self) -> None:
        self._known: dict[str, Texts] = {}

    def say(self, texts: Texts) -> str:
        """The text in the current language."""
        text = texts[current_language()]
        self._known[text] = texts
        return text

    def files(self) -> dict[str, bytes]:
        """A file of strings for each language."""
        lines: dict[str, list[str]] = {}
        for text, texts in self._known.items():
            for language, said in texts.items():
                lines.setdefault(language, []).append(f"{_quoted(text)} = {_quoted(said)};\n")
        return {
            f"{language_tag(language)}.lproj/pass.strings": "".join(told).encode()
            for language, told in lines.items()
        }


def _describe(facts: PassFacts, words: _Words) -> dict[str, Any]:
    def field(key: str, label: Callable[[], str], value: str, **more: Any) -> dict[str, Any]:
        return {"key": key, "label": words.say(in_languages(label)), "value": value, **more}

    title = words.say(facts.title)
    when = {
        "dateStyle": "PKDateStyleFull",
        "timeStyle": "PKDateStyleShort",
        "ignoresTimeZone": True,
    }
    note = (
        [field("note", lambda: gettext("Please note"), words.say(facts.void))] if facts.void else []
    )
    place = "\n".join(part for part in (facts.venue, facts.address) if part)
    described: dict[str, Any] = {
        "organizationName": facts.theatre,
        "description": words.say(
            {
                language: f"{text} · {facts.title[language]}"
                for language, text in in_languages(_ticket).items()
            }
        ),
        "backgroundColor": _rgb(facts.curtain.colour),
        "foregroundColor": _rgb(ON_ACCENT),
        "labelColor": _rgb(ON_ACCENT),
        "relevantDate": facts.starts_at.isoformat(timespec="seconds"),
        "expirationDate": facts.ends_at.isoformat(timespec="seconds"),
        "voided": bool(facts.void),
        "eventTicket": {
            "primaryFields": [field("show", lambda: gettext("Show"), title)],
            "secondaryFields": [
                field(
                    "when",
                    lambda: gettext("When"),
                    facts.starts_at.isoformat(timespec="seconds"),
                    **when,
                ),
            ],
            "auxiliaryFields": [
                *note,
                field("seats", lambda: gettext("Seats"), words.say(facts.seats)),
                field("where", lambda: gettext("Where"), facts.venue),
            ],
            "backFields": [
                field("place", lambda: gettext("Where"), place),
                field("reference", lambda: gettext("Reference"), facts.reference),
                field("changes", lambda: gettext("Changes"), words.say(facts.hint)),
                field(
                    "site", lambda: gettext("Programme"), site_url("shows.programme", language=None)
                ),
            ],
        },
    }
    if facts.curtain.logo is None:
        described["logoText"] = facts.theatre
    if facts.code:
        described["barcodes"] = [
            {
                "format": "PKBarcodeFormatQR",
                "message": facts.code,
                "messageEncoding": "iso-8859-1",
                "altText": facts.reference,
            }
        ]
    return described


def _ticket() -> str:
    return gettext("Ticket")


def _sign(manifest: bytes, keys: AppleKeys) -> bytes:
    """The manifest's detached signature with its chain (PKCS #7, DER)."""
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7  # noqa: PLC0415

    builder = pkcs7.PKCS7SignatureBuilder().set_data(manifest)
    builder = builder.add_signer(keys.certificate, keys.key, SHA256()).add_certificate(keys.issuer)
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    return builder.sign(Encoding.DER, options)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _quoted(text: str) -> str:
    """A string of a .strings file, which are escaped as JSON's."""
    return json.dumps(text, ensure_ascii=False)


def _rgb(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"
