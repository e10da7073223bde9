"""Addresses in each language: `/it/shows/amleto`, `/en/shows/amleto`.

The same address without a language stays: it redirects to the visitor's language, and takes a form that was sent
to it. So links in mails of release 0.3 and earlier work, and pages that were opened before an upgrade.
"""

from typing import Any

from flask import (
    Blueprint,
    Flask,
    has_request_context,
    redirect,
    request,
    url_for,
)
from werkzeug.routing import BaseConverter, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from azionelab.languages import (
    address_language,
    current_language,
    language_of,
    language_tag,
)
from azionelab.web.languages.links import with_query
from azionelab.web.site_urls import has_languages

_PREFIX = "/<language:language>"


class LanguageConverter(BaseConverter):
    """A language in an address. Other texts do not match: `/xx/` is a page that does not exist."""

    regex = "[a-z]{2,3}(?:-[A-Za-z]{2,8})?"  # as docker/nginx/start.sh has it

    def to_python(self, value: str) -> str:
        """The language's code."""
        code = language_of(value)
        if code is None:
            raise ValidationError
        return code

    def to_url(self, value: str) -> str:
        """The language as its tag; the current one for a party's that the site has no longer."""
        tag = language_tag(value)
        return tag if language_of(tag) else language_tag(current_language())


class PagesInLanguages(Blueprint):
    """A blueprint of visitors' pages: each is registered with and without a language in its address.

    `in_languages=False` is for what has no text, and has one address.
    """

    def __init__(self, name: str, import_name: str) -> None:
        super().__init__(name, import_name)
        self.url_value_preprocessor(_drop_language)
        self.before_request(_redirect_to_language)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        *,
        in_languages: bool = True,
        **options: Any,
    ) -> None:
        """Register a page."""
        for prefix in (_PREFIX, "") if in_languages else ("",):
            super().add_url_rule(
                prefix + rule, endpoint, view_func, provide_automatic_options, **options
            )


def init_language_addresses(app: Flask) -> None:
    """Register the converter, and the language of generated URLs."""
    app.url_map.converters["language"] = LanguageConverter
    app.url_defaults(_add_language)


def _add_language(endpoint: str, values: dict[str, Any]) -> None:
    """Name the language in the URL of a visitor's page; elsewhere keep `?lang=`, so that no cookie is needed."""
    if has_languages(endpoint):
        values.setdefault("language", current_language())
    elif has_request_context() and "lang" not in values and not address_language(request.path):
        asked = request.args.get("lang", "")
        if language_of(asked):
            values["lang"] = asked


def _drop_language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Views do not get the language: `get_locale()` is read from the path (`choose_locale`)."""
    if values:
        values.pop("language", None)


def _redirect_to_language() -> AnyResponse | None:
    """Redirect a page's address without a language."""
    if request.method not in ("GET", "HEAD") or address_language(request.path):
        return None
    endpoint = request.endpoint or ""
    if not has_languages(endpoint):
        return None
    query = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    answer = redirect(with_query(url_for(endpoint, **(request.view_args or {})), query))
    answer.vary.add("Accept-Language")
    return answer
