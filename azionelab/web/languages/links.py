"""Links from a page to the same page in other languages."""

from urllib.parse import quote, urlencode

from flask import request, url_for

from azionelab.languages import LOCALES, address_language, language_tag
from azionelab.web.site_urls import has_languages, site_url


def in_language(code: str) -> str | None:
    """This page's address in another language, with its query; None when it only answers a form."""
    rule = request.url_rule
    # Names with an underscore are Flask's own, if anybody's.
    query = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name != "lang" and not name.startswith("_")
    ]
    if rule is None:
        return _translated_path(code) or with_query("", [*query, ("lang", code)])
    if "GET" not in (rule.methods or ()):
        return None
    endpoint, facts = request.endpoint or "", request.view_args or {}
    if has_languages(endpoint):
        return with_query(url_for(endpoint, **facts, language=code), query)
    return with_query(url_for(endpoint, **facts, lang=None), [*query, ("lang", code)])


def page_addresses() -> dict[str, str]:
    """This page's absolute addresses by language tag, and without a language as `x-default` (hreflang)."""
    endpoint, facts = request.endpoint or "", request.view_args or {}
    addresses = {language_tag(code): site_url(endpoint, **facts, language=code) for code in LOCALES}
    return addresses | {"x-default": site_url(endpoint, **facts, language=None)}


def _translated_path(code: str) -> str | None:
    named = address_language(request.path)
    if named is None:
        return None
    rest = request.path[1:].partition("/")[2]
    return f"/{language_tag(code)}/{quote(rest)}"


def with_query(address: str, query: list[tuple[str, str]]) -> str:
    """An address with a query, if there is one."""
    return f"{address}?{urlencode(query)}" if query else address
