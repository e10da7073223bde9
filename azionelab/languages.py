"""The languages of the site, and which one a request is answered in.

To add one: its catalogue in translations/ and LOCALES here, its name in `language_names` of templates/_parts.html,
and what answers without the application: docker/nginx/templates/nginx.conf, static_frontend/build/error-pages.ts.
tests/test_translations.py reads the Italian catalogue: a language that is added is tested there, too.
"""

from typing import Any

from flask import has_request_context, request

LOCALES = ("it", "en")


def choose_locale() -> str | None:
    """The visitor's language: `?lang=`, else the browser's wish; None for the theatre's own."""
    if not has_request_context():
        return None
    asked = request.args.get("lang")
    if asked in LOCALES:
        return asked
    return request.accept_languages.best_match(LOCALES)


def keep_language(_endpoint: str, values: dict[str, Any]) -> None:
    """Add the language that was chosen by hand to each address (`url_defaults`): no cookie is needed."""
    if has_request_context() and "lang" not in values and request.args.get("lang") in LOCALES:
        values["lang"] = request.args["lang"]
