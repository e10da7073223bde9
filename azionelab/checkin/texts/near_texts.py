"""Texts about people on the waitlist who are near the theatre, and the seats on offer to them."""

from flask_babel import ngettext

from azionelab.checkin.texts.plurals import Text, plural_forms
from azionelab.waitlist.line import NearTheDoor
from azionelab.web.dates import format_time


def describe_near(near: NearTheDoor) -> list[str]:
    """Who waits near, and what is on offer to them; nothing when nobody and nothing is."""
    waiting, told = near.waiting, []
    if waiting.parties:
        told.append(_near(waiting.seats, waiting.parties))
    if near.until is not None:
        told.append(_on_offer(near.on_offer, format_time(near.until)))
    return told


def near_texts() -> dict[str, Text]:
    """Texts of the door app, keyed as in app_texts.py."""
    return {
        "near.waiting": plural_forms(lambda n: _near(n, "{parties}")),
        "near.on_offer": plural_forms(lambda n: _on_offer(n, "{at}")),
    }


def _near(people: int, parties: int | str) -> str:
    return ngettext(
        "%(num)s person on the waitlist is near (parties: %(parties)s).",
        "%(num)s people on the waitlist are near (parties: %(parties)s).",
        people,
        parties=parties,
    )


def _on_offer(seats: int, at: str) -> str:
    return ngettext(
        "On offer to people near until %(at)s: %(num)s seat.",
        "On offer to people near until %(at)s: %(num)s seats.",
        seats,
        at=at,
    )
