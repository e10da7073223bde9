"""The catalogues are complete and keep placeholders, and pages use them."""

import gettext
import re
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask.testing import FlaskClient

from tests.factories import a_performance
from tests.support.processes import ROOT

ITALIAN = ROOT / "azionelab/translations/it/LC_MESSAGES/messages.po"
TEMPLATES = ROOT / "azionelab/templates"
SPOKEN = ("alt", "aria-label", "content", "placeholder", "title")  # attributes that people read
SAID_TO_NOBODY = re.compile(
    r"\{#.*?#\}|\{% block body_class %\}.*?\{% endblock %\}|\{%.*?%\}|\{\{.*?\}\}", flags=re.DOTALL
)
NO_WORDS = {"viewport", "color-scheme", "theme-color", "robots"}  # what <meta> tells machines


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with ITALIAN.open("rb") as file:
        return read_po(file, locale="it", abort_invalid=True)


@pytest.fixture(scope="module")
def texts() -> Catalog:
    """What `make messages` gathers."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = Catalog()
    for _file, _line, msgid, _comments, context in extract_from_dir(
        ROOT / "azionelab", methods, options, DEFAULT_KEYWORDS | {"lazy_gettext": None}
    ):
        found.add(msgid, context=context)
    return found


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]  # the header has no id


def ids(catalogue: Catalog) -> set[tuple[str | None, ...]]:
    return {(*forms(message.id), message.context) for message in messages(catalogue)}


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    """A text's forms: one, or one for each plural."""
    return [text] if isinstance(text, str) else list(text)


def places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)\w|%%", text))


def test_the_catalogue_has_every_text_and_no_other(catalogue: Catalog, texts: Catalog) -> None:
    assert len(ids(texts)) > 300
    assert ids(texts) ^ ids(catalogue) == set(), "run `make messages`, then translate"
    assert not catalogue.obsolete


def test_every_text_is_translated(catalogue: Catalog) -> None:
    silent = [m.id for m in messages(catalogue) if m.fuzzy or not all(forms(m.string))]
    assert silent == []
    for message in messages(catalogue):
        assert len(forms(message.string)) == (catalogue.num_plurals if message.pluralizable else 1)


# Words that Italian has from English, and what has no words of its own.
SAME_IN_ITALIAN = {
    "Account", "Backup", "CSV", "Database", "E-mail", "Esc", "Excel", "Logo", "Menu", "PIN", "Passkey", "Password", "Privacy", "Token", "Volume",
    "Webhook", "Worker", "no", "passkey",
}  # fmt: skip


def test_no_text_is_left_in_english(catalogue: Catalog) -> None:
    same = {
        said
        for message in messages(catalogue)
        for said, words in zip(forms(message.id), forms(message.string), strict=True)
        if said == words and re.search("[a-z]", re.sub(r"%\(\w+\)s", "", said))
    }
    assert same == SAME_IN_ITALIAN & same, "translate them, or add them to SAME_IN_ITALIAN"


# What only the theatre's people read; visitors are "voi" everywhere else.
OF_STAFF = (
    "azionelab/admin", "azionelab/templates/admin", "azionelab/staff", "azionelab/templates/staff", "azionelab/checkin",
    "azionelab/templates/checkin", "azionelab/templates/security", "azionelab/integrations", "azionelab/validation",
    "azionelab/exports", "azionelab/templates/_seat_release", "azionelab/api", "azionelab/ops", "azionelab/web",
    "azionelab/templates/errors", "azionelab/bookings/pages/office_error_texts",
)  # fmt: skip
TU = re.compile(
    r"\b(tuo|tua|tuoi|tue|hai|sei|puoi|vuoi|devi|scegli|inserisci|premi|riprova|controlla)\b",
    re.IGNORECASE,
)


def test_visitors_are_addressed_as_voi(catalogue: Catalog) -> None:
    """Buttons alone are short commands (docs/languages.md)."""
    assert TU.search("Inserisci il tuo nome, e poi")
    informal = {
        words
        for message in messages(catalogue)
        if not any(place.startswith(OF_STAFF) for place, _line in message.locations)
        for words in forms(message.string)
        if TU.search(words) and len(words.split()) > 3
    }
    assert informal == set()


def test_translations_keep_their_placeholders(catalogue: Catalog) -> None:
    wrong = [
        (said, words)
        for message in messages(catalogue)
        for said, words in zip(forms(message.id), forms(message.string), strict=True)
        if places(said) != places(words)
    ]
    assert wrong == []
    assert [(m.id, errors) for m, errors in catalogue.check()] == []


def test_translations_begin_and_end_like_their_text(catalogue: Catalog) -> None:
    """No sentence loses its full stop, and no label gets one."""
    for message in messages(catalogue):
        for said, words in zip(forms(message.id), forms(message.string), strict=True):
            assert words == words.strip(), said
            assert said[-1:] in ".:?!…," or words[-1:] not in ".:!…,", (said, words)
            assert said[-1:] not in ".:?…," or words[-1:] == said[-1:], (said, words)


def test_apostrophes_and_quotation_marks_are_those_of_the_language(catalogue: Catalog) -> None:
    """As docs/languages.md says. A straight quotation mark is in HTML alone."""
    others = re.compile('[‘’“”„`´"]')
    assert others.search("un’ora")
    wrong = [
        words
        for message in messages(catalogue)
        for words in forms(message.string)
        if others.search(words) or words.count("«") != words.count("»")
    ]
    assert wrong == []


def test_the_catalogue_compiles(catalogue: Catalog) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    words = gettext.GNUTranslations(compiled)
    assert words.gettext("Sold out") == "Tutto esaurito"
    count = [words.ngettext("%(num)s seat", "%(num)s seats", n) % {"num": n} for n in (0, 1, 2)]
    assert count == ["0 posti", "1 posto", "2 posti"]


class BareWords(HTMLParser):
    """Collects the words that a template says without asking the catalogue."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._of_machines = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._of_machines = tag in ("style", "script")
        facts = dict(attrs)
        if facts.get("name") not in NO_WORDS:
            self.found += [facts[name] or "" for name in SPOKEN if name in facts]

    def handle_endtag(self, tag: str) -> None:
        self._of_machines = False

    def handle_data(self, data: str) -> None:
        if not self._of_machines:
            self.found.append(data)


@pytest.mark.parametrize(
    "template", sorted(TEMPLATES.rglob("*.*")), ids=lambda path: str(path.relative_to(TEMPLATES))
)
def test_templates_have_no_untranslated_text(template: Path) -> None:
    reader = BareWords()
    reader.feed(SAID_TO_NOBODY.sub("", template.read_text()))
    reader.close()
    assert [words for words in reader.found if re.search(r"[A-Za-z]", words)] == []


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("it", ["Prenotate i vostri posti", "10 posti liberi", "Inserite il vostro nome."]),
        ("en", ["Book your seats", "10 seats left", "Please enter your name."]),
    ],
)
def test_a_page_is_in_the_requested_language(
    client: FlaskClient, language: str, words: list[str]
) -> None:
    address = f"/performances/{a_performance(10).id}/book"
    answer = client.post(address, data={}, headers={"Accept-Language": language})
    page = unescape(answer.text)
    assert f'<html lang="{language}">' in page
    for text in words:
        assert text in page
