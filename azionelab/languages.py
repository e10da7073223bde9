"""The site's languages, and the choice of a request's language.

To add a language: its catalogue in translations/, LOCALES here, its name in `language_names` of
templates/_parts.html, the languages that nginx caches pages in (the maps $page_language and $page_query of
docker/nginx/templates/nginx.conf), and nginx's error pages (static_frontend/build/error-pages.ts).
tests/test_translations.py tests the Italian catalogue: add the new language there too.
"""

from typing import Any

from flask import has_request_context, request

LOCALES = ("it", "en")


def choose_locale() -> str | None:
    """The request's language: `?lang=`, else Accept-Language; None for the site's default."""
    if not has_request_context():
        return None
    asked = request.args.get("lang")
    if asked in LOCALES:
        return asked
    return request.accept_languages.best_match(LOCALES)


def keep_language(_endpoint: str, values: dict[str, Any]) -> None:
    """Keep `?lang=` in all generated URLs (`url_defaults`), so that no cookie is needed."""
    if has_request_context() and "lang" not in values and request.args.get("lang") in LOCALES:
        values["lang"] = request.args["lang"]
