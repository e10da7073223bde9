"""Texts of the door app on the phone itself: its lock, hidden names, kiosk mode."""

from flask_babel import gettext, ngettext

from azionelab.checkin.texts.plurals import Text, plural_forms


def phone_texts() -> dict[str, Text]:
    """Texts keyed as in app_texts.py."""
    return {
        "name.show": gettext("Show the name of %(name)s", name="{name}"),
        "note.hidden": gettext("There is a note: press the name."),
        "pin.none": gettext("A PIN has four to eight digits."),
        "lock.wrong": gettext("Wrong PIN."),
        "lock.pause": plural_forms(
            lambda n: ngettext(
                "Too many wrong PINs. Try again in %(num)s second.",
                "Too many wrong PINs. Try again in %(num)s seconds.",
                n,
            )
        ),
        "kiosk.welcome": plural_forms(
            lambda n: ngettext("Welcome: %(num)s person", "Welcome: %(num)s people", n)
        ),
        "kiosk.welcome.detail": gettext("Please go in."),
        "kiosk.staff": gettext("Please see the staff"),
        "kiosk.staff.detail": gettext("They will help you."),
    }
