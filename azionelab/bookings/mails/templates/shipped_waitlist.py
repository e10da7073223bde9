"""The texts about the waitlist that the system comes with, in the current language."""

from flask_babel import gettext

from azionelab.bookings.mails.templates.models import TemplateName

WHAT = "{show}, {date}, {time}"


def _waitlist_join() -> tuple[str, str, list[str]]:
    return (
        gettext("Please confirm: waitlist for %(what)s", what=WHAT),
        gettext("One more step: take your place"),
        [
            gettext(
                "This performance is sold out. You asked to wait for %(seats)s. Please press the button and"
                " confirm, then you are on the waitlist.",
                seats="{seats}",
            ),
            "{button}",
            gettext(
                "We write to you when seats for you come free. The link stays valid: it shows your position, and you"
                " can leave the waitlist there at any time."
            ),
            gettext("If you did not ask for this, please ignore this message."),
        ],
    )


def _waitlist_place() -> tuple[str, str, list[str]]:
    return (
        gettext("On the waitlist: %(what)s", what=WHAT),
        gettext("You are on the waitlist"),
        [
            "{greeting}",
            gettext(
                "You are waiting for %(seats)s. We write to you when seats for you come free.",
                seats="{seats}",
            ),
            "{button}",
            gettext("There you see your position, and can leave the waitlist at any time."),
        ],
    )


def _offer() -> tuple[str, str, list[str]]:
    return (
        gettext("Seats for you: %(what)s", what=WHAT),
        gettext("Seats have come free for you"),
        [
            "{greeting}",
            gettext(
                "You were waiting, and now there is room: we hold %(seats)s for you until %(until)s.",
                seats="{seats}",
                until="{until}",
            ),
            "{button}",
            gettext(
                "Please take the seats by then, or give them back if you cannot come: they go to the next in line"
                " at once. After that time they do so by themselves."
            ),
        ],
    )


def _waitlist_moved() -> tuple[str, str, list[str]]:
    return (
        gettext("Rescheduled: %(what)s", what=WHAT),
        gettext("The performance has been rescheduled"),
        [
            "{greeting}",
            gettext(
                "The time or venue of the performance you are waiting for has changed. It is now: %(when)s,"
                " %(where)s.",
                when="{date}, {time}",
                where="{venue}",
            ),
            gettext(
                "You keep your place on the waitlist. If you cannot come any more, please leave it there."
            ),
            "{button}",
        ],
    )


def _waitlist_cancelled() -> tuple[str, str, list[str]]:
    return (
        gettext("Performance cancelled: %(what)s", what=WHAT),
        gettext("The performance has been cancelled"),
        [
            "{greeting}",
            gettext(
                "We are sorry: this performance will not take place, so its waitlist is closed. You need not do anything."
            ),
            gettext("We hope to see you at another performance."),
            "{button}",
        ],
    )


WAITLIST_TEXTS = {
    TemplateName.WAITLIST_JOIN: _waitlist_join,
    TemplateName.WAITLIST_PLACE: _waitlist_place,
    TemplateName.OFFER: _offer,
    TemplateName.WAITLIST_MOVED: _waitlist_moved,
    TemplateName.WAITLIST_CANCELLED: _waitlist_cancelled,
}
