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
                "You asked to wait for %(seats)s. Please press the button and confirm, then you are on the waitlist.",
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


def _waitlist_lapsed() -> tuple[str, str, list[str]]:
    return (
        gettext("Not answered in time: seats for %(what)s", what=WHAT),
        gettext("The seats went to the next in line"),
        [
            "{greeting}",
            gettext(
                "We held %(seats)s for you and had no answer in time, so others have been offered them. You are not in line"
                " any more.",
                seats="{seats}",
            ),
            gettext(
                "You can still get in: shortly before the performance begins we offer the seats of people who have not come"
                " to those who are near. From three hours before on, say on this page that you are near."
            ),
            "{button}",
            gettext(
                "While booking is open you can also join the waitlist again there, at the end of the line."
            ),
        ],
    )


def _waitlist_near() -> tuple[str, str, list[str]]:
    return (
        gettext("Are you near the theatre? %(what)s", what=WHAT),
        gettext("Seats may still come free"),
        [
            "{greeting}",
            gettext(
                "You are waiting for %(seats)s. Shortly before the performance begins we offer the seats of people who have"
                " not come to those on the waitlist who are near.",
                seats="{seats}",
            ),
            "{button}",
            gettext(
                "Say on this page in how many minutes you can be at the door. Most seats come free in the last ten minutes"
                " before the beginning: be close by then, keep the page open, and take them with one press."
            ),
            gettext("If you do not want to come any more, please leave the waitlist there."),
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
    TemplateName.WAITLIST_LAPSED: _waitlist_lapsed,
    TemplateName.WAITLIST_NEAR: _waitlist_near,
    TemplateName.WAITLIST_MOVED: _waitlist_moved,
    TemplateName.WAITLIST_CANCELLED: _waitlist_cancelled,
}
