"""Texts on changed bookings: cancelled, expired, reduced or released, by whom and when.

The door app uses the same texts (static_frontend/src/door/screen/booking-changes.ts).
"""

from datetime import datetime

from flask_babel import gettext

from azionelab.bookings.history import ended, reduced
from azionelab.bookings.party import Party
from azionelab.database import now
from azionelab.web.dates import format_date, format_time, is_same_day


def change_texts() -> dict[str, str]:
    """Texts keyed by change and author; `when` is filled with one of the first two."""
    when, seats, num = "{when}", "{seats}", "{num}"
    return {
        "when.today": gettext("today at %(at)s", at="{at}"),
        "when.day": gettext("on %(day)s at %(at)s", day="{day}", at="{at}"),
        "cancelled.visitor": gettext("Cancelled by the visitor %(when)s.", when=when),
        "cancelled.staff": gettext("Cancelled by staff %(when)s.", when=when),
        "cancelled.performance": gettext("Cancelled with the performance %(when)s.", when=when),
        "cancelled.no_answer": gettext("Released without an answer %(when)s.", when=when),
        "cancelled.since": gettext("This booking was cancelled %(when)s.", when=when),
        "expired.staff": gettext("Staff released its unconfirmed seats %(when)s.", when=when),
        "expired.since": gettext(
            "Not confirmed in time: its seats were released %(when)s.", when=when
        ),
        "performance_cancelled.since": gettext(
            "The performance was cancelled %(when)s: admit nobody.", when=when
        ),
        "reduced.visitor": gettext(
            "Reduced from %(seats)s to %(num)s by the visitor %(when)s",
            seats=seats,
            num=num,
            when=when,
        ),
        "reduced.staff": gettext(
            "Reduced from %(seats)s to %(num)s by staff %(when)s",
            seats=seats,
            num=num,
            when=when,
        ),
        "released.since": gettext("Released as no-shows %(when)s: %(num)s", when=when, num=num),
    }


def describe_end(kind: str, party: Party, cancelled_at: datetime | None) -> str:
    """Who ended the booking or the performance, and when; "" if that is not recorded."""
    texts = change_texts()
    if kind == "performance_cancelled" and cancelled_at is not None:
        return texts[f"{kind}.since"].format(when=_when(cancelled_at))
    end = ended(party)
    if end is None or f"{kind}.since" not in texts:
        return ""
    text = texts.get(f"{kind}.{end.by}", texts[f"{kind}.since"])
    return text.format(when=_when(end.at))


def describe_changes(party: Party, released_at: datetime | None) -> list[str]:
    """One line if the party was reduced, and one if seats of it were released."""
    texts, lines = change_texts(), []
    reduction = reduced(party)
    if reduction is not None:
        facts = {"seats": reduction.seats, "num": party.seats, "when": _when(reduction.at)}
        lines.append(texts[f"reduced.{reduction.by}"].format(**facts))
    if party.released and released_at is not None:
        lines.append(texts["released.since"].format(when=_when(released_at), num=party.released))
    return lines


def _when(moment: datetime) -> str:
    texts = change_texts()
    if is_same_day(moment, now()):
        return texts["when.today"].format(at=format_time(moment))
    return texts["when.day"].format(day=format_date(moment, "d MMM"), at=format_time(moment))
