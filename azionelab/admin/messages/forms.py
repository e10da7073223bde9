"""The form of a message to an audience: whom it is for, of which performances, and its text in each language."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar
from uuid import UUID, uuid4

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms import HiddenField, RadioField, SelectChoice, SelectMultipleField, ValidationError
from wtforms.validators import InputRequired, Length

from azionelab.admin.messages.texts import AUDIENCES, FIELDS, describe_faults, name_language
from azionelab.admin.rows.fields import Line, Text, read_version
from azionelab.bookings.audience.models import AudienceMessage, Whom
from azionelab.bookings.audience.rules import Draft
from azionelab.bookings.erasure import retention
from azionelab.database import db, now
from azionelab.languages import LOCALES
from azionelab.mail.fields import check_fields
from azionelab.shows.models import Performance, Show

MAX_SUBJECT = 150  # characters
MAX_BODY = 10_000  # characters
COMING, PAST = "coming", "past"


@dataclass(frozen=True)
class Run:
    """A show's performances that can be written to."""

    show: Show
    performances: Sequence[Performance]

    def of(self, when: str) -> list[Performance]:
        """Those that are COMING or PAST."""
        at = now()
        return [each for each in self.performances if (each.starts_at > at) is (when == COMING)]


class MessageForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A message. `make` gives it the text fields of each language and the performances to choose from."""

    runs: ClassVar[Sequence[Run]] = ()

    id = HiddenField()
    version = HiddenField()
    whom = RadioField(
        _("Whom to write to"),
        [InputRequired()],
        choices=[SelectChoice(value, label) for value, label in AUDIENCES.items()],
    )
    run = SelectMultipleField(_("Whole runs"))
    performance = SelectMultipleField(_("Performances"), coerce=int)

    @classmethod
    def make(cls, message: AudienceMessage | None = None, **facts: Any) -> Any:
        """The form of a message, or of a new one that begins with `facts`."""
        form = type("MessageForm", (cls,), {"runs": find_runs(), **_text_fields()})
        if message is not None:
            facts |= {
                "id": str(message.id),
                "version": str(message.version),
                "whom": message.whom,
                "performance": message.performance_ids,
            }
            for language, text in message.texts.items():
                facts |= {f"{part}_{language}": text[part] for part in ("subject", "body")}
        made = form(data={"id": str(uuid4()), "version": "0", "whom": Whom.CONFIRMED} | facts)
        made.performance.choices = [
            SelectChoice(each.id, "") for run in made.runs for each in run.performances
        ]
        made.run.choices = [
            SelectChoice(f"{run.show.id}-{when}", "")
            for run in made.runs
            for when in (COMING, PAST)
        ]
        return made

    def validate(self, extra_validators: dict[str, Any] | None = None) -> bool:
        """Check the fields one by one, then that there is a text and somebody to write to."""
        valid = bool(super().validate(extra_validators))
        if not self._languages() and valid:
            self[f"subject_{LOCALES[0]}"].errors = [
                gettext("Please write a text in at least one language.")
            ]
            valid = False
        if not self._chosen() and not self.performance.errors:
            self.performance.errors = [gettext("Please choose at least one performance.")]
            valid = False
        return valid

    @property
    def message_id(self) -> UUID | None:
        """The identity of the message; None when somebody tampered with it."""
        try:
            return UUID(self.id.data or "")
        except ValueError:
            return None

    @property
    def seen_version(self) -> int:
        """The version that the form was made from."""
        return read_version(self.version.data)

    def draft(self) -> Draft:
        """What was written."""
        return Draft(
            {
                language: {part: self[f"{part}_{language}"].data for part in ("subject", "body")}
                for language in self._languages()
            },
            self.whom.data,
            self._chosen(),
        )

    def text_fields(self) -> list[tuple[str, Any, Any]]:
        """Each language's name, its subject field and its body field."""
        return [
            (name_language(language), self[f"subject_{language}"], self[f"body_{language}"])
            for language in LOCALES
        ]

    def _languages(self) -> list[str]:
        return [
            each for each in LOCALES if self[f"subject_{each}"].data or self[f"body_{each}"].data
        ]

    def _chosen(self) -> list[int]:
        whole = set(self.run.data or ())
        of_runs = {
            each.id
            for run in self.runs
            for when in (COMING, PAST)
            if f"{run.show.id}-{when}" in whole
            for each in run.of(when)
        }
        return sorted({*(self.performance.data or ()), *of_runs})


def find_runs() -> list[Run]:
    """The performances whose parties have not been erased yet, by show; a cancelled one has no audience."""
    found = db.session.scalars(
        select(Performance)
        .join(Performance.show)
        .where(Performance.starts_at > now() - retention(), Performance.cancelled_at.is_(None))
        .options(joinedload(Performance.show), joinedload(Performance.venue))
        .order_by(Show.title, Show.id, Performance.starts_at, Performance.id)
    ).all()
    by_show = groupby(found, key=lambda performance: performance.show)
    return [Run(show, list(performances)) for show, performances in by_show]


def _text_fields() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for language in LOCALES:
        name = name_language(language)
        fields[f"subject_{language}"] = Line(
            gettext("Subject (%(language)s)", language=name),
            [Length(max=MAX_SUBJECT), _Together(f"body_{language}"), _known_fields],
            render_kw={"lang": language, "maxlength": MAX_SUBJECT},
        )
        fields[f"body_{language}"] = Text(
            gettext("Text (%(language)s)", language=name),
            [Length(max=MAX_BODY), _Together(f"subject_{language}"), _known_fields],
            render_kw={"rows": 10, "lang": language},
        )
    return fields


class _Together:
    """Requires a field when the other one is filled in."""

    def __init__(self, other: str) -> None:
        self._other = other

    def __call__(self, form: FlaskForm, field: Any) -> None:
        if form[self._other].data and not field.data:
            raise ValidationError(gettext("Please fill in both the subject and the text."))


def _known_fields(_form: FlaskForm, field: Any) -> None:
    faults = check_fields(field.data or "", tuple(FIELDS))
    if errors := describe_faults(faults, tuple(FIELDS)):
        raise ValidationError(" ".join(errors))
