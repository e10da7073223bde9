"""Reads and writes the theatre's own texts of mails. Each is a row of versions, of which the newest counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from azionelab.bookings.mails.templates.fields import TextFaults, find_faults
from azionelab.bookings.mails.templates.models import TemplateName, TemplateText, TemplateVersion
from azionelab.bookings.mails.templates.shipped import shipped_text
from azionelab.database import now, transaction, violated_constraint
from azionelab.languages import LOCALES


@dataclass(frozen=True)
class TextKey:
    """A text in one language."""

    name: TemplateName
    language: str

    @classmethod
    def find(cls, name: str, language: str) -> "TextKey | None":
        """The key with these names; None when there is no such text or language."""
        if name not in tuple(TemplateName) or language not in LOCALES:
            return None
        return cls(TemplateName(name), language)


class TextChanged(Exception):
    """Somebody else saved a version after the one that was shown."""


class TextRefused(Exception):
    """A text has faults, by its part."""

    def __init__(self, faults: Mapping[str, TextFaults]) -> None:
        super().__init__("faults")
        self.faults = faults


def read_own_texts(session: Session, language: str) -> dict[TemplateName, TemplateText]:
    """The theatre's own texts in a language; the others are the shipped ones."""
    return {
        key.name: version.text
        for key, version in read_newest(session, language).items()
        if version.text is not None
    }


def read_newest(session: Session, language: str | None = None) -> dict[TextKey, TemplateVersion]:
    """The newest version of each text that was ever changed, in one statement."""
    newest = (
        select(TemplateVersion)
        .ext(distinct_on(TemplateVersion.template, TemplateVersion.language))
        .order_by(
            TemplateVersion.template, TemplateVersion.language, TemplateVersion.version.desc()
        )
    )
    if language is not None:
        newest = newest.where(TemplateVersion.language == language)
    found = {
        TextKey.find(version.template, version.language): version
        for version in session.scalars(newest)
    }
    # A text of another release is not known.
    return {key: version for key, version in found.items() if key is not None}


def find_broken(session: Session) -> list[TextKey]:
    """The theatre's own texts that have faults, so that the shipped ones are sent."""
    return [
        key
        for key, version in read_newest(session).items()
        if version.text is not None and find_faults(key.name, version.text)
    ]


def read_versions(session: Session, key: TextKey) -> Sequence[TemplateVersion]:
    """All versions of a text, the newest first."""
    return session.scalars(
        select(TemplateVersion)
        .where(TemplateVersion.template == key.name, TemplateVersion.language == key.language)
        .order_by(TemplateVersion.version.desc())
    ).all()


def shipped_in(key: TextKey) -> TemplateText:
    """The text as it is shipped."""
    with force_locale(key.language):
        return shipped_text(key.name)


def save_text(key: TextKey, text: TemplateText, *, seen: int, by: int | None) -> bool:
    """Save a text as the version after `seen`, for all mails from now on; whether it is another one than before.

    The shipped text is not stored: mails then follow what is shipped, in later releases too. No row is locked: of
    two that add the same version the key refuses one. Raises TextRefused, and TextChanged when `seen` is not the
    newest version.
    """
    if faults := find_faults(key.name, text):
        raise TextRefused(faults)
    wanted = None if text == shipped_in(key) else text
    try:
        with transaction() as session:
            versions = read_versions(session, key)
            newest = versions[0] if versions else None
            if wanted == (newest.text if newest else None):
                return False
            if (newest.version if newest else 0) != seen:
                raise TextChanged
            session.add(
                TemplateVersion(
                    template=key.name,
                    language=key.language,
                    version=seen + 1,
                    subject=wanted and wanted.subject,
                    heading=wanted and wanted.heading,
                    body=wanted and wanted.body,
                    written_at=now(),
                    written_by=by,
                )
            )
            return True
    except IntegrityError as error:
        if violated_constraint(error) == "uq_mail_template_version_template":
            raise TextChanged from error
        raise
