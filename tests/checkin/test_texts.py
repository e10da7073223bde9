"""Texts of the door: plural forms in each language, by the same rules as in the door app."""

import gettext
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from flask_babel import force_locale

from azionelab.checkin.texts.app_texts import app_texts
from azionelab.checkin.texts.plurals import format_text, plural_forms

pytestmark = pytest.mark.usefixtures("in_app")

# The door app's tests read the same table (static_frontend/tests/door/texts.test.ts).
TABLE = json.loads(Path(__file__).with_name("plurals.json").read_text(encoding="utf-8"))


def compiled(language: dict[str, Any]) -> gettext.GNUTranslations:
    """A compiled catalogue with one text, and the plural rule of the language."""
    catalogue = Catalog(locale=language["locale"])
    catalogue._num_plurals = len(language["translated"])
    catalogue._plural_expr = language["plural_forms"].partition("plural=")[2]
    said = ("%(num)s seat", "%(num)s seats")
    catalogue.add(said, [form.replace("{num}", "%(num)s") for form in language["translated"]])
    file = BytesIO()
    write_mo(file, catalogue)
    file.seek(0)
    return gettext.GNUTranslations(file)


@pytest.mark.parametrize("language", TABLE["languages"], ids=lambda language: language["locale"])
def test_a_number_has_the_plural_forms_of_its_language(language: dict[str, Any]) -> None:
    catalogue = compiled(language)
    with force_locale(language["locale"]):
        forms = plural_forms(
            lambda n: catalogue.ngettext("%(num)s seat", "%(num)s seats", n) % {"num": n}
        )
        assert forms == language["forms"]
        assert [format_text(forms, num=number) for number, _ in language["cases"]] == [
            said for _, said in language["cases"]
        ]


@pytest.mark.parametrize("locale", ["pl", "ar", "cs", "cy", "ja", "fr", "ga"])
def test_a_language_without_a_catalogue_gets_english_texts(locale: str) -> None:
    """Every text can be filled in for every number."""
    with force_locale(locale):
        texts = app_texts()["words"].values()
        for forms in (text for text in texts if isinstance(text, dict)):
            for number in range(130):
                places = dict.fromkeys(("at", "parties", "again"), "")
                assert str(number) in format_text(forms, num=number, **places) or number == 1
