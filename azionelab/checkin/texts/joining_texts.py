"""Texts of the door app on enrolling a phone, and on the end of its use."""

from flask_babel import gettext, ngettext

from azionelab.checkin.texts.plurals import Text, plural_forms


def joining_texts() -> dict[str, Text]:
    """Texts keyed as in app_texts.py."""
    return {
        "ended.closed": gettext("This evening is over"),
        "ended.closed.detail": gettext(
            "The list was removed from this phone. Thank you, and good night."
        ),
        "ended.left": gettext("Ended here"),
        "ended.left.detail": gettext(
            "The list was removed from this phone, and the theatre waits no longer to hear from it. To let people"
            " in here again, ask the staff for a new QR. Thank you, and good night."
        ),
        "ended.revoked": gettext("This phone was revoked"),
        "ended.revoked.detail": gettext(
            "The theatre has taken its access back, and the list was removed. Whoever stays at the"
            " door needs a new QR from the staff."
        ),
        "ended.unknown": gettext("This phone is not known any more"),
        "ended.unknown.detail": gettext(
            "The list was removed. Ask the staff for a new QR and scan it with the phone's camera."
        ),
        "join.now": gettext(
            "Now this phone is the door of %(evening)s. Say yes only if it shall become the door of"
            " the evening that it was just invited to.",
            evening="{evening}",
        ),
        "join.over": gettext(
            "This QR was used already, or is too old: it is good for a quarter of an hour. Ask the staff for a"
            " new one."
        ),
        "join.refused": gettext("This QR is not valid. Ask the staff for a new one."),
        "join.away": gettext("No answer. Is there a network? Try again."),
        "join.waiting": plural_forms(
            lambda n: ngettext(
                "%(num)s scan of before was not sent yet. It is lost if this is another evening.",
                "%(num)s scans of before were not sent yet. They are lost if this is another evening.",
                n,
            )
        ),
        "join.sent": plural_forms(
            lambda n: ngettext(
                "%(num)s scan of before was sent.", "%(num)s scans of before were sent.", n
            )
        ),
        "forget.waiting": plural_forms(
            lambda n: ngettext(
                "%(num)s scan is still waiting to be sent.",
                "%(num)s scans are still waiting to be sent.",
                n,
            )
        ),
    }
