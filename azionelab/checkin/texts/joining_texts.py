"""Texts of the door app on enrolling a phone, and on the end of its use."""

from flask_babel import gettext, ngettext

from azionelab.checkin.texts.plurals import Text, plural_forms


def joining_texts() -> dict[str, Text]:
    """Texts keyed as in app_texts.py."""
    return {
        "ended.closed": gettext("This performance is over"),
        "ended.closed.detail": gettext(
            "The list was removed from this phone. Thank you and good night."
        ),
        "ended.left": gettext("Ended here"),
        "ended.left.detail": gettext(
            "The list was removed from this phone, and the theatre no longer expects data from it. To admit"
            " people here again, ask staff for a new QR code. Thank you and good night."
        ),
        "ended.revoked": gettext("This phone was revoked"),
        "ended.revoked.detail": gettext(
            "The theatre has revoked this phone's access, and the list was removed. To go on working at the"
            " door, ask staff for a new QR code."
        ),
        "ended.unknown": gettext("This phone is no longer registered"),
        "ended.unknown.detail": gettext(
            "The list was removed. Ask staff for a new QR code and scan it with the phone's camera."
        ),
        "join.now": gettext(
            "This phone is set up for %(evening)s. Continue only if you want to use it for the new"
            " performance instead.",
            evening="{evening}",
        ),
        "join.over": gettext(
            "This QR code was already used, or has expired: it is valid for a quarter of an hour. Ask staff"
            " for a new one."
        ),
        "join.refused": gettext("This QR code is not valid. Ask staff for a new one."),
        "join.away": gettext("No answer. Is there a network? Try again."),
        "join.waiting": plural_forms(
            lambda n: ngettext(
                "%(num)s earlier scan has not been sent yet. It will be lost if this is another performance.",
                "%(num)s earlier scans have not been sent yet. They will be lost if this is another performance.",
                n,
            )
        ),
        "join.sent": plural_forms(
            lambda n: ngettext(
                "%(num)s earlier scan was sent.", "%(num)s earlier scans were sent.", n
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
