"""What a mail says of a change: stored with the mail (`Mail.changed`), nothing of it personal.

A mail is written when it is sent. What the reservation was like before is not there any more by then, so it is kept:
`seats` (the number before), `left` (show, time and venue of the performance that was left), and by their presence
`asked` (the visitor chose the evening), `contact` (name, address or language), `reinstated`, `undone`, `split` and `merged` (the other's reference), `handed_over` (to a friend).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext, ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.bookings.models import Reservation
from azionelab.mail.models import Delivery, Mail
from azionelab.shows.models import Performance
from azionelab.web.dates import format_datetime

Changed = dict[str, Any]


def left_performance(performance: Performance) -> dict[str, str]:
    """The entry `left`: the performance that a party left, and whether it was cancelled."""
    left = {
        "show": performance.show.title,
        "starts_at": performance.starts_at.isoformat(),
        "venue": performance.venue.name,
    }
    return left if performance.cancelled_at is None else left | {"cancelled": "yes"}


def with_unsent(session: Session, reservation: Reservation, changed: Changed) -> Changed:
    """The entries of a new mail, with those of mails that still wait: the newest one replaces them all.

    What was before counts from the oldest.
    """
    waiting = session.scalars(
        select(Mail.changed)
        .where(
            Mail.reservation_id == reservation.id,
            Mail.delivery == Delivery.QUEUED,
            Mail.changed.is_not(None),
        )
        .order_by(Mail.created_at.desc(), Mail.id.desc())
    ).all()
    for older in waiting:
        changed = changed | (older or {})
    if changed.get("left") == left_performance(reservation.performance):
        changed = {name: value for name, value in changed.items() if name not in ("left", "asked")}
    if changed.get("seats") == reservation.seats:
        changed = {name: value for name, value in changed.items() if name != "seats"}
    return changed


def describe(changed: Mapping[str, Any], reservation: Reservation) -> list[str]:
    """The sentences, in the current language, as the reservation is now."""
    told = []
    if changed.get("reinstated"):
        told.append(gettext("Your booking was cancelled or had expired. It is valid again."))
    if changed.get("undone"):
        told.append(
            gettext("A change of your booking has been taken back. This is how it stands now.")
        )
    if left := changed.get("left"):
        told.append(_moved(left, reservation, asked=bool(changed.get("asked"))))
    if reference := changed.get("merged"):
        told.append(
            gettext(
                "The booking %(reference)s is now part of this one. Please show this ticket only.",
                reference=reference,
            )
        )
    if reference := changed.get("split"):
        told.append(
            gettext(
                "Part of your party now has a booking of its own, %(reference)s, with its own ticket.",
                reference=reference,
            )
        )
    told.append(_seats(changed.get("seats"), reservation))
    if changed.get("contact"):
        told.append(gettext("We have corrected your name, address or language in the booking."))
    return told


def _seats(before: int | None, reservation: Reservation) -> str:
    if before is None or before == reservation.seats:
        return ngettext(
            "Your booking is for %(num)s seat.",
            "Your booking is for %(num)s seats.",
            reservation.seats,
        )
    return ngettext(
        "You now have %(num)s seat (before: %(before)s).",
        "You now have %(num)s seats (before: %(before)s).",
        reservation.seats,
        before=before,
    )


def _moved(left: Mapping[str, str], reservation: Reservation, *, asked: bool) -> str:
    performance = reservation.performance
    facts = {
        "show": performance.show.title,
        "when": format_datetime(performance.starts_at),
        "venue": performance.venue.name,
        "old_show": left["show"],
        "old_when": format_datetime(datetime.fromisoformat(left["starts_at"])),
        "old_venue": left["venue"],
    }
    if asked:
        return gettext(
            "As you asked, your booking is now for another evening: %(show)s, %(when)s, %(venue)s. Before it was:"
            " %(old_show)s, %(old_when)s, %(old_venue)s.",
            **facts,
        )
    if left.get("cancelled"):
        return gettext(
            "The performance that you had booked is cancelled: %(old_show)s, %(old_when)s, %(old_venue)s. We have"
            " kept seats for you at another one: %(show)s, %(when)s, %(venue)s. Your ticket is valid there. If you"
            " cannot come, please cancel on the page of your booking.",
            **facts,
        )
    return gettext(
        "You are now expected at another performance: %(show)s, %(when)s, %(venue)s. Before it was:"
        " %(old_show)s, %(old_when)s, %(old_venue)s.",
        **facts,
    )
