"""The site's languages, and the language of a request.

A language is a folder of translations/, and English, which the code is written in. Nothing else names them:
docs/languages.md says how to add one.

Visitors' pages have an address in each language (`/it/shows/amleto`), which alone decides their language
(web/languages/pages.py). Other pages are answered in the language of `?lang=`, else of Accept-Language.
"""

from functools import cache
from pathlib import Path

from babel import Locale
from flask import current_app, has_request_context, request
from flask_babel import get_locale

SOURCE = "en"
_TRANSLATIONS = Path(__file__).parent / "translations"
LOCALES = (
    *sorted({folder.parent.name for folder in _TRANSLATIONS.glob("*/LC_MESSAGES")} - {SOURCE}),
    SOURCE,
)


def language_tag(code: str) -> str:
    """A language as HTML and addresses name it (BCP 47): `pt-BR` for the folder `pt_BR`."""
    return code.replace("_", "-")


_BY_TAG = {language_tag(code): code for code in LOCALES}


def language_of(tag: str) -> str | None:
    """The language of a tag; None when the site has no such language."""
    return _BY_TAG.get(tag)


def address_language(path: str) -> str | None:
    """The language that a path names in its first segment; None when it names none."""
    return language_of(path[1:].partition("/")[0])


@cache
def language_name(code: str) -> str:
    """A language's name in itself, with a capital: "Italiano"."""
    name = Locale.parse(code).get_display_name(code) or code
    return name[:1].upper() + name[1:]


def language_names() -> dict[str, str]:
    """The names of all languages in themselves, by code."""
    return {code: language_name(code) for code in LOCALES}


def choose_locale() -> str | None:
    """The request's language: of its address, else `?lang=`, else Accept-Language; None for the site's default."""
    if not has_request_context():
        return None
    named = address_language(request.path) or language_of(request.args.get("lang", ""))
    return named or _wished_language()


def current_language() -> str:
    """The language that texts are made in now, as one of LOCALES."""
    code = str(get_locale())
    default: str = current_app.config["BABEL_DEFAULT_LOCALE"]
    return code if code in LOCALES else default


def _wished_language() -> str | None:
    """The first language of Accept-Language that the site has, in any of its regions; None when it has none.

    Werkzeug's best_match prefers "it" to "en-GB" in "en-GB,it;q=0.5".
    """
    for wish, quality in request.accept_languages:
        if wish == "*" or not quality:
            return None
        wished = wish.lower().replace("_", "-")
        for part in (wished, wished.partition("-")[0]):
            for tag, code in _BY_TAG.items():
                if part in (tag.lower(), tag.lower().partition("-")[0]):
                    return code
    return None
