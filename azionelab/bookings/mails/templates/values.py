"""What the fields of a mail say about a reservation, in the current language."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, ngettext

from azionelab.bookings.mails.changes import describe
from azionelab.bookings.mails.templates.composing import Values
from azionelab.bookings.mails.templates.models import TemplateName
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.bookings.visitor_links import make_link_token
from azionelab.database import now
from azionelab.web.dates import format_datetime, format_day, format_time
from azionelab.web.site_urls import site_url

_TO_PROGRAMME = (
    TemplateName.CANCELLED,
    TemplateName.MERGED,
    TemplateName.HANDED_OVER,
    TemplateName.NOT_ANSWERED,
    TemplateName.WAITLIST_CANCELLED,
)
_TO_WAITLIST = (
    TemplateName.WAITLIST_JOIN,
    TemplateName.WAITLIST_PLACE,
    TemplateName.WAITLIST_LAPSED,
    TemplateName.WAITLIST_NEAR,
    TemplateName.WAITLIST_MOVED,
    TemplateName.OFFER,
)


def values_for(
    name: TemplateName, reservation: Reservation, changed: Mapping[str, Any] | None = None
) -> Values:
    """The values for a mail about a reservation as it is now.

    `changed` is what staff changed (changes.py); for reminders and questions whether the party has `answered` already,
    and `answer_by`, the moment until which it can. A mail about a link has that `link`, and for how many `hours` it works
    or, to a friend, `answer_by`.
    """
    performance = reservation.performance
    proven = proven_name(reservation)
    button, link = _button(name, reservation, changed or {})
    return Values(
        words={
            "name": proven or gettext("guest"),
            "show": performance.show.title,
            "date": format_day(performance.starts_at),
            "time": format_time(performance.starts_at),
            "venue": performance.venue.name,
            "seats": _seats(reservation),
            "reference": reservation.reference,
            "until": _until(reservation, changed or {}),
            "other_reference": (changed or {}).get("merged_into", ""),
            "hours": str((changed or {}).get("hours", "")),
        },
        sentences={
            "greeting": [_greeting(proven)] if proven else [],
            "news": _news(name, reservation, changed or {}),
            "hold": [_hold(reservation)],
            "state": [_state(reservation)],
            "answer": [_answer(answered=bool((changed or {}).get("answered")))],
        },
        button=button,
        link=link,
    )


def proven_name(reservation: Reservation) -> str:
    """The visitor's name, or "" while it may be a stranger's text.

    Anybody can type any "name" with somebody else's address: until the owner of the mailbox confirms, it must not
    reach them as ours. The box office types the name itself.
    """
    proven = (
        reservation.state == State.CONFIRMED
        or reservation.kind == Kind.BOX_OFFICE
        or reservation.waiting_since is not None
    )
    return reservation.name if proven else ""


def awaits_confirmation(reservation: Reservation) -> bool:
    """Whether it can still be confirmed."""
    return reservation.is_pending and not reservation.is_lapsed(now())


def _greeting(name: str) -> str:
    return gettext("Dear %(name)s,", name=f"\u2068{name}\u2069")


def _button(  # noqa: PLR0911 (one each)
    name: TemplateName, reservation: Reservation, changed: Mapping[str, Any]
) -> tuple[str, str]:
    if name in _TO_PROGRAMME:
        return gettext("See the programme"), site_url("shows.programme")
    if name is TemplateName.MY_BOOKINGS:
        return gettext("Open my bookings"), changed["link"]
    if name is TemplateName.FOR_FRIEND:
        return gettext("See the seats"), changed["link"]
    token = make_link_token(reservation)
    if name in _TO_WAITLIST:
        return _WAITLIST_BUTTONS[name](), site_url("waitlist.place", token=token)
    if name is TemplateName.PERFORMANCE_CANCELLED and reservation.state == State.CANCELLED:
        return gettext("Choose another evening"), site_url("bookings.booking", token=token)
    if name in (TemplateName.REMINDER, TemplateName.QUESTION) and not changed.get("answered"):
        return gettext("We are coming"), site_url("bookings.coming", token=token)
    if awaits_confirmation(reservation):
        return gettext("Confirm the booking"), site_url("bookings.confirm", token=token)
    return gettext("Open your booking"), site_url("bookings.booking", token=token)


_WAITLIST_BUTTONS = {
    TemplateName.WAITLIST_JOIN: lambda: gettext("Take my place"),
    TemplateName.WAITLIST_PLACE: lambda: gettext("See my place"),
    TemplateName.WAITLIST_LAPSED: lambda: gettext("Open my page"),
    TemplateName.WAITLIST_NEAR: lambda: gettext("We are near"),
    TemplateName.WAITLIST_MOVED: lambda: gettext("See my place"),
    TemplateName.OFFER: lambda: gettext("See the offer"),
}


def _news(name: TemplateName, reservation: Reservation, changed: Mapping[str, Any]) -> list[str]:
    told = describe(changed, reservation) if changed else []
    if name is TemplateName.CHANGED:
        return _of_change(told, reservation)
    if name is TemplateName.CONFIRM and told:
        return told
    if reservation.kind == Kind.VISITOR:
        return []
    # Says who booked, in a mail that comes without the visitor having used the site.
    return [gettext("Our box office has booked these seats for you, as you asked.")]


def _of_change(told: list[str], reservation: Reservation) -> list[str]:
    """What staff changed, or else that the visitor asked for fewer seats."""
    if told:
        return [*told, gettext("The ticket that you have stays valid; here it is once more.")]
    return [
        ngettext(
            "You now have %(num)s seat. Your ticket stays the same.",
            "You now have %(num)s seats. Your ticket stays the same.",
            reservation.seats,
        )
    ]


def _hold(reservation: Reservation) -> str:
    if reservation.holds_seats:
        return gettext(
            "We are holding %(seats)s for you until %(until)s. Please confirm by then; otherwise the seats"
            " will be offered to others.",
            seats=_seats(reservation),
            until=_held_until(reservation),
        )
    return gettext(
        "You asked for %(seats)s. Many bookings for this performance are waiting for confirmation, so we"
        " cannot hold your seats: they go to whoever confirms first. You can confirm until %(until)s.",
        seats=_seats(reservation),
        until=_held_until(reservation),
    )


def _answer(*, answered: bool) -> str:
    if answered:
        return gettext(
            "You have told us that you are coming: thank you. If that has changed, please give your seats back, so"
            " that others can see the show."
        )
    return gettext(
        "Please tell us that you are coming: it takes one press. If you cannot come, or fewer of you, please give"
        " seats back now, so that others can see the show."
    )


def _state(reservation: Reservation) -> str:
    if reservation.state == State.CONFIRMED:
        return gettext("Your booking is confirmed. Your ticket is on the booking page.")
    if not awaits_confirmation(reservation):
        return gettext(
            "Your booking is no longer active, and its seats have been released. You are welcome to book"
            " again."
        )
    told = gettext("Please confirm your booking by %(until)s.", until=_held_until(reservation))
    if not reservation.holds_seats:
        told += " " + gettext("Your seats are not held: they go to whoever confirms first.")
    return told


def _seats(reservation: Reservation) -> str:
    return reservation.places.words


def _until(reservation: Reservation, changed: Mapping[str, Any]) -> str:
    answer_by = changed.get("answer_by")
    return format_datetime(answer_by) if answer_by else _held_until(reservation)


def _held_until(reservation: Reservation) -> str:
    return format_datetime(reservation.hold_expires_at)
