"""Why a ticket is not what it was: what the door says of cancelled, expired, smaller and released bookings.

The door app fills the same table in (static_frontend/src/door/changes.ts).
"""

from datetime import datetime

from flask_babel import gettext

from azionelab.bookings.changes import ended, reduced
from azionelab.bookings.locks import PartyRow
from azionelab.bookings.models import Reservation
from azionelab.database import now
from azionelab.web.dates import clock, dateformat, is_same_day


def change_words() -> dict[str, str]:
    """By what changed and who did it; `when` is one of the first two."""
    when, seats, num = "{when}", "{seats}", "{num}"
    return {
        "when.today": gettext("today at %(at)s", at="{at}"),
        "when.day": gettext("on %(day)s at %(at)s", day="{day}", at="{at}"),
        "cancelled.visitor": gettext("Cancelled by the visitor %(when)s.", when=when),
        "cancelled.staff": gettext("Cancelled by the staff %(when)s.", when=when),
        "cancelled.performance": gettext("Cancelled with the evening %(when)s.", when=when),
        "cancelled.since": gettext("This booking was cancelled %(when)s.", when=when),
        "expired.staff": gettext("The staff released its unconfirmed seats %(when)s.", when=when),
        "expired.since": gettext(
            "It was not confirmed in time: its seats went back %(when)s.", when=when
        ),
        "performance_cancelled.since": gettext(
            "The evening was cancelled %(when)s: nobody is let in.", when=when
        ),
        "reduced.visitor": gettext(
            "Made smaller from %(seats)s to %(num)s by the visitor %(when)s",
            seats=seats,
            num=num,
            when=when,
        ),
        "reduced.staff": gettext(
            "Made smaller from %(seats)s to %(num)s by the staff %(when)s",
            seats=seats,
            num=num,
            when=when,
        ),
        "released.since": gettext("Released as no-shows %(when)s: %(num)s", when=when, num=num),
    }


def tell_end(kind: str, party: Reservation | PartyRow, cancelled_at: datetime | None) -> str:
    """Why its booking is refused, by whom and when; "" when nobody wrote that down."""
    words = change_words()
    if kind == "performance_cancelled" and cancelled_at is not None:
        return words[f"{kind}.since"].format(when=_when(cancelled_at))
    over = ended(party)
    if over is None or f"{kind}.since" not in words:
        return ""
    told = words.get(f"{kind}.{over.by}", words[f"{kind}.since"])
    return told.format(when=_when(over.at))


def tell_changes(party: Reservation | PartyRow, released_at: datetime | None) -> list[str]:
    """What else is to be known of a party: that it became smaller, and that places of it were released."""
    words, told = change_words(), []
    smaller = reduced(party)
    if smaller is not None:
        facts = {"seats": smaller.seats, "num": party.seats, "when": _when(smaller.at)}
        told.append(words[f"reduced.{smaller.by}"].format(**facts))
    if party.released and released_at is not None:
        told.append(words["released.since"].format(when=_when(released_at), num=party.released))
    return told


def _when(moment: datetime) -> str:
    words = change_words()
    if is_same_day(moment, now()):
        return words["when.today"].format(at=clock(moment))
    return words["when.day"].format(day=dateformat(moment, "d MMM"), at=clock(moment))
