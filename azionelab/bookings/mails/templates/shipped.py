"""The texts that the system comes with, in the current language."""

from flask_babel import gettext

from azionelab.bookings.mails.templates.models import TemplateName, TemplateText
from azionelab.bookings.mails.templates.shipped_links import LINK_TEXTS
from azionelab.bookings.mails.templates.shipped_waitlist import WAITLIST_TEXTS
from azionelab.bookings.mails.templates.shipped_waitlist import WHAT as _WHAT


def shipped_text(name: TemplateName) -> TemplateText:
    """A text as it is shipped, with its fields."""
    subject, heading, body = _TEXTS[name]()
    return TemplateText(subject, heading, "\n\n".join(body))


def _confirm() -> tuple[str, str, list[str]]:
    return (
        gettext("Please confirm: %(what)s", what=_WHAT),
        gettext("One more step: please confirm"),
        [
            "{greeting}",
            "{button}",
            "{news}",
            "{hold}",
            _how_to_change(),
            gettext("If you did not ask for this booking, please ignore this message."),
        ],
    )


def _existing() -> tuple[str, str, list[str]]:
    return (
        gettext("Your booking: %(what)s", what=_WHAT),
        gettext("You already have a booking"),
        [
            "{greeting}",
            "{button}",
            gettext(
                "Someone, probably you, tried to book this performance again with your e-mail address. You already"
                " have a booking for %(seats)s. It has not changed, and nothing was added.",
                seats="{seats}",
            ),
            "{state}",
            _how_to_change(),
        ],
    )


def _how_to_change() -> str:
    return gettext(
        "Need a different number of seats, or another evening? The button opens your booking: once it is confirmed, you"
        " can change it there while seats are available."
    )


def _booking() -> tuple[str, str, list[str]]:
    return (
        gettext("Your booking: %(what)s", what=_WHAT),
        gettext("Your booking"),
        ["{greeting}", "{state}", "{button}"],
    )


def _ticket() -> tuple[str, str, list[str]]:
    return (
        gettext("Your ticket: %(what)s", what=_WHAT),
        gettext("Your ticket"),
        [
            "{greeting}",
            "{news}",
            gettext("Your booking is confirmed. We look forward to seeing you!"),
            _cannot_come(),
            *_with_ticket(),
        ],
    )


def _changed() -> tuple[str, str, list[str]]:
    return (
        gettext("Booking changed: %(what)s", what=_WHAT),
        gettext("Your booking has changed"),
        ["{greeting}", "{news}", _cannot_come(), *_with_ticket()],
    )


def _cannot_come() -> str:
    return gettext(
        "Can't come, or fewer of you? Please tell us on your booking page, so that others can have the"
        " seats."
    )


def _reminder() -> tuple[str, str, list[str]]:
    return (
        gettext("Are you coming? %(what)s", what=_WHAT),
        gettext("See you soon"),
        [
            "{greeting}",
            gettext(
                "We are expecting you: %(when)s, %(where)s. You have %(seats)s.",
                when="{date}, {time}",
                where="{venue}",
                seats="{seats}",
            ),
            "{answer}",
            "{button}",
            "{give_back}",
            *_with_ticket(with_button=False),
        ],
    )


def _question() -> tuple[str, str, list[str]]:
    return (
        gettext("Please answer by %(until)s: %(what)s", until="{until}", what=_WHAT),
        gettext("Are you still coming?"),
        [
            "{greeting}",
            gettext(
                "You have %(seats)s, and we have not heard from you. Please press the button by %(until)s, otherwise your"
                " seats go to others.",
                seats="{seats}",
                until="{until}",
            ),
            "{button}",
            "{give_back}",
        ],
    )


def _not_answered() -> tuple[str, str, list[str]]:
    return (
        gettext("Seats released: %(what)s", what=_WHAT),
        gettext("Your seats have been released"),
        [
            "{greeting}",
            gettext(
                "We asked you to confirm again that you are coming, and got no answer in time. So your booking has ended,"
                " and its seats are available to others. Its ticket is no longer valid."
            ),
            gettext("Would you like to come after all? Please book again while there are seats."),
            "{button}",
        ],
    )


def _with_ticket(*, with_button: bool = True) -> list[str]:
    """The ticket, how to use it, and what to do without it: many mail programs show no pictures."""
    return [
        "{ticket}",
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
            reference="{reference}",
        ),
        *(["{button}"] if with_button else []),
        "{ticket_files}",
    ]


def _moved() -> tuple[str, str, list[str]]:
    confirmed = gettext("Your booking is confirmed. Your ticket is on the booking page.")
    return _rescheduled([], [confirmed, _what_now(), "{choices}", *_with_ticket()])


def _moved_unconfirmed() -> tuple[str, str, list[str]]:
    return _rescheduled(["{button}"], ["{state}", _sorry()])


def _rescheduled(before: list[str], after: list[str]) -> tuple[str, str, list[str]]:
    """The performance's new time and place; the visitor has the old ones in an earlier mail."""
    return (
        gettext("Rescheduled: %(what)s", what=_WHAT),
        gettext("The performance has been rescheduled"),
        [
            "{greeting}",
            *before,
            gettext(
                "The time or venue of this performance has changed since you booked. It is now: %(when)s,"
                " %(where)s.",
                when="{date}, {time}",
                where="{venue}",
            ),
            *after,
        ],
    )


def _what_now() -> str:
    return gettext(
        "Your seats are yours at the new time, too: you need not do anything. If you can, tell us that you are"
        " coming. If you cannot, choose another evening, or cancel, so that others can have your seats."
    )


def _sorry() -> str:
    return gettext(
        "We are sorry if you cannot come. Please cancel on your booking page, so that others can have"
        " your seats."
    )


def _cancelled() -> tuple[str, str, list[str]]:
    return (
        gettext("Booking cancelled: %(what)s", what=_WHAT),
        gettext("Your booking has been cancelled"),
        [
            "{greeting}",
            gettext("The seats are now available to others. Thank you for letting us know."),
            "{button}",
        ],
    )


def _merged() -> tuple[str, str, list[str]]:
    return (
        gettext("Bookings joined: %(what)s", what=_WHAT),
        gettext("Your booking is now part of another one"),
        [
            "{greeting}",
            gettext(
                "Your seats now belong to the booking %(reference)s of the people you are coming with. Please"
                " enter with its ticket: yours is no longer valid.",
                reference="{other_reference}",
            ),
            "{button}",
        ],
    )


def _handed_over() -> tuple[str, str, list[str]]:
    return (
        gettext("Booking handed over: %(what)s", what=_WHAT),
        gettext("Your booking has been handed over"),
        [
            "{greeting}",
            gettext(
                "The seats are your friend's now, with a ticket of their own. Yours is no longer valid."
            ),
            "{button}",
        ],
    )


def _performance_cancelled() -> tuple[str, str, list[str]]:
    return (
        gettext("Performance cancelled: %(what)s", what=_WHAT),
        gettext("The performance has been cancelled"),
        [
            "{greeting}",
            gettext(
                "We are sorry: this performance will not take place, and your booking has been cancelled."
            ),
            gettext(
                "Would you like to see the show on another evening? Your booking page offers those with seats for all"
                " of you, and one press moves your booking there."
            ),
            "{button}",
        ],
    )


_TEXTS = {
    TemplateName.CONFIRM: _confirm,
    TemplateName.TICKET: _ticket,
    TemplateName.CHANGED: _changed,
    TemplateName.CANCELLED: _cancelled,
    TemplateName.MERGED: _merged,
    TemplateName.HANDED_OVER: _handed_over,
    TemplateName.MOVED: _moved,
    TemplateName.MOVED_UNCONFIRMED: _moved_unconfirmed,
    TemplateName.PERFORMANCE_CANCELLED: _performance_cancelled,
    TemplateName.EXISTING: _existing,
    TemplateName.REMINDER: _reminder,
    TemplateName.QUESTION: _question,
    TemplateName.NOT_ANSWERED: _not_answered,
    TemplateName.BOOKING: _booking,
    **WAITLIST_TEXTS,
    **LINK_TEXTS,
}
