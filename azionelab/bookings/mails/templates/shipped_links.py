"""The texts about links that the system comes with, in the current language: to all bookings, and to a friend."""

from flask_babel import gettext

from azionelab.bookings.mails.templates.models import TemplateName


def _my_bookings() -> tuple[str, str, list[str]]:
    return (
        gettext("Your bookings"),
        gettext("Your bookings"),
        [
            gettext(
                "You asked for the bookings of this address. The button opens them all; it works for %(hours)s hours.",
                hours="{hours}",
            ),
            "{button}",
            "{bookings}",
            gettext(
                "If you did not ask for this, please ignore this message: nothing has changed."
            ),
        ],
    )


def _for_friend() -> tuple[str, str, list[str]]:
    return (
        gettext("Seats for you: %(show)s", show="{show}"),
        gettext("Seats for you"),
        [
            gettext(
                "%(name)s has booked %(seats)s and hands the booking to you. You can accept it until %(until)s.",
                name="{name}",
                seats="{seats}",
                until="{until}",
            ),
            "{button}",
            gettext(
                "Admission is free. If you cannot come, you need not do anything; we erase your address when the time"
                " to accept is over, or at once if you refuse on that page."
            ),
        ],
    )


LINK_TEXTS = {TemplateName.MY_BOOKINGS: _my_bookings, TemplateName.FOR_FRIEND: _for_friend}
