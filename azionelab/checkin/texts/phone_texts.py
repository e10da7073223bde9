"""What the door app says of its phone: its lock, hidden names, and the kiosk that it may be."""

from flask_babel import gettext, ngettext

from azionelab.checkin.texts.number_forms import Words, many


def phone_words() -> dict[str, Words]:
    """By name, as the app's other words (app_texts.py)."""
    return {
        "name.show": gettext("Show the name of %(name)s", name="{name}"),
        "note.hidden": gettext("There is a note: press the name."),
        "pin.none": gettext("A PIN has four to eight digits."),
        "lock.wrong": gettext("That is not the PIN."),
        "lock.pause": many(
            lambda n: ngettext(
                "Too many wrong ones. Try again in %(num)s second.",
                "Too many wrong ones. Try again in %(num)s seconds.",
                n,
            )
        ),
        "kiosk.welcome": many(
            lambda n: ngettext("Welcome: %(num)s person", "Welcome: %(num)s people", n)
        ),
        "kiosk.welcome.detail": gettext("Please go in."),
        "kiosk.staff": gettext("Please see the staff"),
        "kiosk.staff.detail": gettext("They will help you."),
    }
