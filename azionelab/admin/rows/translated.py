"""TranslatedForm, the base of forms with texts in several languages: each a column, whose texts are fields."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from babel import Locale
from flask import current_app
from flask_babel import get_locale, gettext
from wtforms import Field

from azionelab.admin.rows.fields import EditedForm
from azionelab.database.row_versions import EditConflict
from azionelab.languages import LOCALES


class TranslatedForm(EditedForm):
    """A form of a row with columns that hold a text for each language.

    `in_languages` maps such a column to what its fields' names begin with: `alt` to `alt_it`, `alt_en`. The columns of
    `beside_own` have no text in the site's own language, which is in a column of its own.
    """

    in_languages: ClassVar[Mapping[str, str]] = {}
    beside_own: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *args: Any, obj: Any = None, **kwargs: Any) -> None:
        texts = {
            f"{prefix}_{code}": text
            for column, prefix in self.in_languages.items()
            for code, text in (getattr(obj, column, None) or {}).items()
        }
        super().__init__(*args, obj=obj, data=texts, **kwargs)
        own = current_app.config["AZIONELAB"].default_locale
        for column in self.beside_own:
            del self[f"{self.in_languages[column]}_{own}"]
        for column in self.in_languages:
            for code, field in self.texts_of(column).items():
                field.label.text = gettext(
                    "%(what)s (%(language)s)",
                    what=field.label.text,
                    language=language_name(code),
                )
                field.render_kw = {**(field.render_kw or {}), "lang": code}

    def texts_of(self, column: str) -> dict[str, Any]:
        """The fields of a column by language."""
        prefix = self.in_languages[column]
        return {code: self[f"{prefix}_{code}"] for code in LOCALES if f"{prefix}_{code}" in self}

    def __getitem__(self, name: str) -> Any:
        """A field; of a column in several languages the first one, which then tells of a conflict."""
        if name in self.in_languages:
            return next(iter(self.texts_of(name).values()))
        return super().__getitem__(name)

    def wanted(self) -> dict[str, Any]:
        """The submitted values by column; an empty text is none."""
        fields = super().wanted()
        for column in self.in_languages:
            texts = self.texts_of(column)
            fields = {name: fields[name] for name in fields if name not in _names(texts)}
            fields[column] = {code: field.data for code, field in texts.items() if field.data}
        return fields

    def left_as(self, name: str, stored: Any) -> bool:
        """Whether the person left a value as it was; of a column in several languages, all of its texts."""
        if name not in self.in_languages:
            return super().left_as(name, stored)
        return all(
            field.data == str((stored or {}).get(code, "")).strip()
            for code, field in self.texts_of(name).items()
        )

    def rebase(self, conflict: EditConflict) -> None:
        """Load the newer version into the fields that the person did not change."""
        for column in conflict.meanwhile.keys() & self.in_languages.keys():
            for code, field in self.texts_of(column).items():
                field.raw_data = None
                field.process_data(conflict.stored[column].get(code, ""))
        plain = {n: one for n, one in conflict.meanwhile.items() if n not in self.in_languages}
        super().rebase(EditConflict(conflict.version, conflict.stored, {}, plain))


def add_language_fields(
    form: type[TranslatedForm], prefix: str, make: Callable[[], Field], before: str
) -> None:
    """Give a form a field for each language, `prefix_<language>`, before another field."""
    place = getattr(form, before).creation_counter
    for number, code in enumerate(LOCALES):
        field = make()
        field.creation_counter = place - 1 + (number + 1) / 10
        setattr(form, f"{prefix}_{code}", field)


def language_name(code: str) -> str:
    """A language's name in the language of the page."""
    return str((get_locale() or Locale("en")).languages.get(code, code))


def _names(fields: Mapping[str, Any]) -> set[str]:
    return {field.name for field in fields.values()}
