"""The texts of each kind of mail about a booking, for its plain and its HTML form."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask_babel import gettext, ngettext

from azionelab.bookings.mails.changes import describe
from azionelab.bookings.models import Kind, Reservation, State
from azionelab.bookings.visitor_links import make_link_token
from azionelab.database import now
from azionelab.mail.models import MailKind
from azionelab.web.dates import format_datetime
from azionelab.web.site_urls import site_url


@dataclass(frozen=True)
class MessageText:
    """The text of a message; `link` is where its one button leads, `with_ticket` whether it has a QR.

    `button_first` is set when the visitor has to press the button; `about_code` stands below the QR.
    """

    subject: str
    title: str
    paragraphs: list[str]
    button: str
    link: str
    button_first: bool = False
    with_ticket: bool = False
    about_code: list[str] = field(default_factory=list)


def text_for(  # noqa: PLR0911 (one each)
    kind: MailKind, reservation: Reservation, changed: Mapping[str, Any] | None = None
) -> MessageText:
    """The text of a mail in the current language, as it is true at the time of sending.

    A mail may be sent hours late when the mail server was down. Its text follows what happened to the
    booking since then. `changed` is what staff changed (changes.py).
    """
    news = describe(changed, reservation) if changed else []
    match effective_kind(kind, reservation):
        case MailKind.PERFORMANCE_CANCELLED:
            return _performance_cancelled(reservation)
        case MailKind.CONFIRM if _awaits_confirmation(reservation):
            return _confirm(reservation, news)
        case MailKind.CONFIRM:
            return _state_of_booking(gettext("Your booking"), [], reservation)
        case MailKind.EXISTING:
            return _existing(reservation)
        case MailKind.TICKET if reservation.state == State.CONFIRMED:
            return _ticket(reservation)
        case MailKind.CHANGED if reservation.state == State.CONFIRMED:
            return _changed(reservation, news)
        case MailKind.MOVED:
            return _moved(reservation)
        case _:
            return _cancelled(reservation, changed or {})


def effective_kind(kind: MailKind, reservation: Reservation) -> MailKind:
    """The kind of text that a mail gets now: a cancelled performance or booking replaces all others."""
    if kind is MailKind.MESSAGE:
        return kind  # written by staff
    if kind is not MailKind.CANCELLED and reservation.performance.cancelled_at is not None:
        return MailKind.PERFORMANCE_CANCELLED
    if kind is MailKind.CANCELLED and reservation.state == State.CONFIRMED:
        return MailKind.TICKET  # staff took the cancellation back meanwhile
    return MailKind.CANCELLED if reservation.state == State.CANCELLED else kind


def _confirm(reservation: Reservation, news: list[str]) -> MessageText:
    return MessageText(
        subject=gettext("Please confirm: %(what)s", what=_show_and_time(reservation)),
        title=gettext("One more step: please confirm"),
        paragraphs=[
            *news,
            *([] if news else _by_box_office(reservation)),
            _seats_held(reservation),
            _how_to_change(),
            gettext("If you did not make this booking, please ignore this message.")
            if reservation.kind == Kind.VISITOR
            else gettext("If you did not ask for this booking, please ignore this message."),
        ],
        button=gettext("Confirm the booking"),
        link=_link("bookings.confirm", reservation),
        button_first=True,
    )


def _by_box_office(reservation: Reservation) -> list[str]:
    """Says who booked, in a mail that comes without the visitor having used the site."""
    if reservation.kind == Kind.VISITOR:
        return []
    return [gettext("Our box office has booked these seats for you, as you asked.")]


def _seats_held(reservation: Reservation) -> str:
    seats = ngettext("%(num)s seat", "%(num)s seats", reservation.seats)
    if reservation.holds_seats:
        return gettext(
            "We are holding %(seats)s for you until %(until)s. Please confirm by then; otherwise the seats"
            " will be offered to others.",
            seats=seats,
            until=_until(reservation),
        )
    return gettext(
        "You asked for %(seats)s. Many bookings for this performance are waiting for confirmation, so we"
        " cannot hold your seats: they go to whoever confirms first. You can confirm until %(until)s.",
        seats=seats,
        until=_until(reservation),
    )


def _existing(reservation: Reservation) -> MessageText:
    intro = ngettext(
        "Someone, probably you, tried to book this performance again with your e-mail address. You"
        " already have a booking for %(num)s seat. It has not changed, and nothing was added.",
        "Someone, probably you, tried to book this performance again with your e-mail address. You"
        " already have a booking for %(num)s seats. It has not changed, and nothing was added.",
        reservation.seats,
    )
    text = _state_of_booking(gettext("You already have a booking"), [intro], reservation)
    if reservation.is_live:
        text.paragraphs.append(_how_to_change())
    return text


def _how_to_change() -> str:
    return gettext(
        "Need a different number of seats? The button opens your booking, where you can ask for fewer. If"
        " you need more, cancel it there and book again while seats are available."
    )


def _state_of_booking(title: str, intro: list[str], reservation: Reservation) -> MessageText:
    endpoint, button = "bookings.booking", gettext("Open your booking")
    if reservation.state == State.CONFIRMED:
        state = gettext("Your booking is confirmed. Your ticket is on the booking page.")
    elif _awaits_confirmation(reservation):
        state = gettext("Please confirm your booking by %(until)s.", until=_until(reservation))
        if not reservation.holds_seats:
            state += " " + gettext("Your seats are not held: they go to whoever confirms first.")
        endpoint, button = "bookings.confirm", gettext("Confirm the booking")
    else:
        state = gettext(
            "Your booking is no longer active, and its seats have been released. You are welcome to book"
            " again."
        )
    return MessageText(
        subject=gettext("Your booking: %(what)s", what=_show_and_time(reservation)),
        title=title,
        paragraphs=[*intro, state],
        button=button,
        link=_link(endpoint, reservation),
        button_first=_awaits_confirmation(reservation),
    )


def _changed(reservation: Reservation, news: list[str]) -> MessageText:
    """Fewer seats that the visitor asked for, or what staff changed."""
    fewer = ngettext(
        "You now have %(num)s seat. Your ticket stays the same.",
        "You now have %(num)s seats. Your ticket stays the same.",
        reservation.seats,
    )
    stays = gettext("The ticket that you have stays valid; here it is once more.")
    text = _ticket(reservation)
    return replace(
        text,
        subject=gettext("Booking changed: %(what)s", what=_show_and_time(reservation)),
        title=gettext("Your booking has changed"),
        paragraphs=[*([*news, stays] if news else [fewer]), text.paragraphs[-1]],
    )


def _ticket(reservation: Reservation) -> MessageText:
    return MessageText(
        subject=gettext("Your ticket: %(what)s", what=_show_and_time(reservation)),
        title=gettext("Your ticket"),
        paragraphs=[
            *_by_box_office(reservation),
            gettext("Your booking is confirmed. We look forward to seeing you!"),
            gettext(
                "Can't come, or fewer of you? Please tell us on your booking page, so that others can have the"
                " seats."
            ),
        ],
        button=gettext("Open your booking"),
        link=_link("bookings.booking", reservation),
        with_ticket=True,
        about_code=_about_code(reservation),
    )


def _about_code(reservation: Reservation) -> list[str]:
    """How to use the QR, and what to do without it: many mail programs show no pictures."""
    return [
        gettext("Please show the code at the door, on your phone or on paper."),
        gettext(
            "It admits your whole party, together or separately. Seats are not numbered: arrive early for the"
            " best choice."
        ),
        gettext(
            "If the code is not shown, open your booking page: it has the code, a ticket to print and an"
            " entry for your calendar."
        ),
        gettext(
            "No phone or printer? Just give your name or booking reference at the door: %(reference)s.",
            reference=reservation.reference,
        ),
    ]


def _cancelled(reservation: Reservation, changed: Mapping[str, Any]) -> MessageText:
    if reference := changed.get("merged_into"):
        return MessageText(
            subject=gettext("Bookings joined: %(what)s", what=_show_and_time(reservation)),
            title=gettext("Your booking is now part of another one"),
            paragraphs=[
                gettext(
                    "Your seats now belong to the booking %(reference)s of the people you are coming with. Please"
                    " enter with its ticket: yours is no longer valid.",
                    reference=reference,
                )
            ],
            button=gettext("See the programme"),
            link=site_url("shows.programme"),
        )
    return MessageText(
        subject=gettext("Booking cancelled: %(what)s", what=_show_and_time(reservation)),
        title=gettext("Your booking has been cancelled"),
        paragraphs=[
            gettext("The seats are now available to others. Thank you for letting us know.")
        ],
        button=gettext("See the programme"),
        link=site_url("shows.programme"),
    )


def _moved(reservation: Reservation) -> MessageText:
    """The performance's new time and place; the visitor has the old ones in an earlier mail."""
    news = gettext(
        "The time or venue of this performance has changed since you booked. It is now: %(when)s,"
        " %(where)s.",
        when=format_datetime(reservation.performance.starts_at),
        where=reservation.performance.venue.name,
    )
    text = _state_of_booking(gettext("The performance has been rescheduled"), [news], reservation)
    if reservation.is_live:
        text.paragraphs.append(
            gettext(
                "We are sorry if you cannot come. Please cancel on your booking page, so that others can have"
                " your seats."
            )
        )
    confirmed = reservation.state == State.CONFIRMED
    return replace(
        text,
        subject=gettext("Rescheduled: %(what)s", what=_show_and_time(reservation)),
        with_ticket=confirmed,
        about_code=_about_code(reservation) if confirmed else [],
    )


def _performance_cancelled(reservation: Reservation) -> MessageText:
    return MessageText(
        subject=gettext("Performance cancelled: %(what)s", what=_show_and_time(reservation)),
        title=gettext("The performance has been cancelled"),
        paragraphs=[
            gettext(
                "We are sorry: this performance will not take place, and your booking has been cancelled."
            ),
            gettext("We hope to see you at another performance."),
        ],
        button=gettext("See the programme"),
        link=site_url("shows.programme"),
    )


def _awaits_confirmation(reservation: Reservation) -> bool:
    return reservation.is_pending and not reservation.is_lapsed(now())


def _show_and_time(reservation: Reservation) -> str:
    """Show and time, for a subject."""
    performance = reservation.performance
    return f"{performance.show.title}, {format_datetime(performance.starts_at)}"


def _until(reservation: Reservation) -> str:
    return format_datetime(reservation.hold_expires_at)


def _link(endpoint: str, reservation: Reservation) -> str:
    return site_url(endpoint, token=make_link_token(reservation))
