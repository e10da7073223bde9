"""What an entry of the log says about a mail's text, and about the look."""

from typing import Any

from flask_babel import gettext

from azionelab.admin.log.names import Names
from azionelab.admin.messages.texts import name_language


def describe_mail_text(changes: dict[str, Any], who: str, _names: Names) -> str | None:
    """That a text was changed, or that the shipped one is used again."""
    language = name_language(changes.pop("language")[1])
    version = changes.pop("version")[1]
    _old, subject = changes.pop("subject", (None, None))
    if subject is None:
        return gettext(
            "%(who)s went back to the shipped text (%(language)s, version %(version)s).",
            who=who,
            language=language,
            version=version,
        )
    return gettext(
        "%(who)s changed the text (%(language)s, version %(version)s): “%(subject)s”.",
        who=who,
        language=language,
        version=version,
        subject=subject,
    )


def describe_look(changes: dict[str, Any], who: str, _names: Names) -> str | None:
    """That a version of the look was saved; what it is follows from the versions on its page."""
    version = changes.pop("version")[1]
    changes.clear()
    return gettext("%(who)s saved version %(version)s of the look.", who=who, version=version)
