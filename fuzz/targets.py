"""What reads bytes that strangers, staff's files and phones send. Whatever they are, it refuses or takes them, and never fails.

A target returns for bytes that it handled, refused ones too, and raises whatever else happened. It runs in an application
context with a database that the migrations made.
"""

import contextlib
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Flask

from azionelab.bookings.tickets.references import read_reference
from azionelab.bookings.tickets.signing import read_ticket, sign_ticket
from azionelab.checkin.codes import is_foreign
from azionelab.database import db
from azionelab.media.encoding import Refused, write_logo
from azionelab.shows.exchange.reading import read_file
from azionelab.shows.runs.sentence import read_sentence
from azionelab.shows.runs.tokens import SentenceError
from azionelab.shows.season import load_season
from azionelab.shows.season_file import SeasonError
from azionelab.tokens import Purpose, make_token, read_token
from azionelab.validation.email_addresses import mailbox_key, normalize_address

_ZONE, _TODAY = ZoneInfo("Europe/Rome"), date(2030, 3, 1)
_MOST_PIXELS = 4_000_000
_FIRST = "00000000-0000-0000-0000-000000000001"
DEVICE = (
    "FUZZ_DEVICE"  # the application's setting with a door's evening and the token of a phone there
)


class Broken(Exception):
    """Bytes were taken that had to be refused, or answered as no server should."""


@dataclass(frozen=True)
class Target:
    """Something that reads bytes: `seeds` are some that it takes, from which others are made."""

    read: Callable[[Flask, bytes], None]
    seeds: tuple[bytes, ...]


def _token(_app: Flask, data: bytes) -> None:
    """Tokens in addresses, tickets, references and whatever a camera sees. What is taken is as we write it, to the letter."""
    text = _text(data)
    for purpose in Purpose:
        identity = read_token(purpose, text)
        if identity and text != make_token(purpose, identity):
            raise Broken(f"a forged token was taken for {purpose}")
    ticket = read_ticket(text)
    if ticket and not text.strip().rstrip("/").endswith(sign_ticket(*ticket)):
        raise Broken("a forged ticket was taken")
    is_foreign(text)
    read_reference(text)


def _season_file(_app: Flask, data: bytes) -> None:
    """CSV and iCalendar files of staff."""
    db.session.rollback()
    read_file(_text(data), _ZONE, _TODAY, _slug_of)


def _calendar(app: Flask, data: bytes) -> None:
    """Lines of one repeating event."""
    event = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Play\r\nLOCATION:Hall\r\n"
    _season_file(app, event + data + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")


def _season_toml(_app: Flask, data: bytes) -> None:
    """Season files in TOML, which `flask load-season` reads."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(SeasonError):
            load_season(Path(file.name))


def _sentence(_app: Flask, data: bytes) -> None:
    """A sentence of staff, such as "every Friday at 21 in March"."""
    with contextlib.suppress(SentenceError):
        read_sentence(_text(data), _TODAY)


def _sync(app: Flask, data: bytes) -> None:
    """What a phone at the door sends after an hour without the network."""
    db.session.rollback()
    evening, token = app.config[DEVICE]
    answer = app.test_client().post(
        f"/api/v1/checkin/performances/{evening}/sync",
        app.config["AZIONELAB"].site_base_url,
        data=data,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    if answer.status_code not in (200, 400, 409, 413, 422, 429) or not answer.is_json:
        raise Broken(f"answered {answer.status}: {answer.data[:80]!r}")


def _picture(_app: Flask, data: bytes) -> None:
    """An uploaded picture."""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Refused):
        write_logo(data, Path(folder), _MOST_PIXELS)


def _address(_app: Flask, data: bytes) -> None:
    """An e-mail address as typed. What is taken is one line, and names one mailbox."""
    try:
        address = normalize_address(_text(data))
    except ValueError:
        return
    if re.search(r"[\s\x00-\x1f\x7f]", address) or address.count("@") != 1:
        raise Broken(f"{address!r} was taken")
    if mailbox_key(address) != mailbox_key(normalize_address(address)):
        raise Broken(f"{address!r} names two mailboxes")


def _text(data: bytes) -> str:
    """As a form's field is read."""
    return data.decode("utf-8", "replace")


def _slug_of(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")


_SCAN = {"kind": "scan", "scan_id": _FIRST, "code": "ABCD2345", "people": 2, "seen": 0, "way": "in"}
_OFFLINE = {"at": "2030-03-01T20:00:00+01:00", "verdict": "admitted", "people": 2}
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000040000000400806000000aa6971de0000000d49444154789c"
    "6360000002000001e221bc330000000049454e44ae426082"
)

TARGETS: Mapping[str, Target] = {
    "token": Target(
        _token, (b"/T/1234/5678", b"ABCD-2345", b"https://x/checkin/ticket/" + b"A" * 43)
    ),
    "csv": Target(
        _season_file,
        (
            b"show,venue,starts,seats\nPlay,Hall,2030-03-02 20:30,40\n",
            b'spettacolo;sala;data;ora;posti\n\'=Prova;Sala;2.3.2030;20:30:00;"40\n"\n',
        ),
    ),
    "calendar": Target(
        _calendar,
        (
            b"DTSTART;TZID=Europe/Rome:20300302T203000\r\nRRULE:FREQ=WEEKLY;COUNT=4;BYDAY=FR,SA",
            b"DTSTART:20300302T193000Z\r\nDTEND:20300302T213000Z\r\nEXDATE:20300309T193000Z",
            b"DTSTART;VALUE=DATE:20300302\r\nDURATION:PT2H\r\nRDATE:20300401T203000",
            b"DTSTART:20300102T193000\r\nRRULE:FREQ=YEARLY;INTERVAL=2;COUNT=3;BYMONTH=2;BYDAY=1SU;BYSETPOS=1",
        ),
    ),
    "season": Target(
        _season_toml,
        (
            b'[[venue]]\nname = "Hall"\n[[show]]\nslug = "play"\n[[performance]]\nstarts = 2030-03-02T20:30:00\n',
        ),
    ),
    "sentence": Target(
        _sentence,
        (
            b"every Friday and Saturday at 21 in March",
            "ogni venerdì alle 20:30 fino al 5 maggio".encode(),
        ),
    ),
    "sync": Target(
        _sync,
        (
            json.dumps({"version": 1, "cursor": None, "actions": [_SCAN]}).encode(),
            json.dumps(
                {"version": 1, "cursor": 7, "actions": [_SCAN | {"offline": _OFFLINE}]}
            ).encode(),
            json.dumps(
                {"version": 1, "actions": [{"kind": "undo", "scan_id": _FIRST}], "done": True}
            ).encode(),
        ),
    ),
    "picture": Target(
        _picture, (_PNG, b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", b"RIFF\x24\x00\x00\x00WEBPVP8 ")
    ),
    "address": Target(
        _address,
        (b"Ada.Rossi+tag@Example.org", "ada@bücher.example".encode(), b'"a b"@example.org'),
    ),
}


def forgeries(app: Flask) -> Iterator[bytes]:
    """Genuine tokens and tickets, each with a character changed: they look as near to genuine as it gets."""
    with app.app_context():
        genuine = [make_token(purpose, UUID(_FIRST)) for purpose in Purpose]
        genuine.append(sign_ticket(1, "ABCD2345"))
    for text in genuine:
        for place in range(0, len(text), 7):
            other = "B" if text[place] == "A" else "A"
            yield (text[:place] + other + text[place + 1 :]).encode()
