"""Absolute URLs of the site, with or without a request."""

from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from azionelab.languages import current_language


def site_url(endpoint: str, **values: Any) -> str:
    """The absolute URL of a page, based on SITE_BASE_URL; of a visitor's page in the current language.

    Never on the request's Host header: the URL goes into mails, QR codes and tickets. `language` names another
    language, or None for the address that redirects to the reader's.
    """
    base = urlsplit(current_app.config["AZIONELAB"].site_base_url)
    urls = current_app.url_map.bind(base.netloc, url_scheme=base.scheme)
    if has_languages(endpoint):
        values.setdefault("language", current_language())
    return urls.build(endpoint, values, force_external=True)


def has_languages(endpoint: str) -> bool:
    """Whether a page has an address in each language."""
    try:
        return current_app.url_map.is_endpoint_expecting(endpoint, "language")
    except KeyError:  # no such page
        return False


def site_host() -> str:
    """The host name of SITE_BASE_URL, without its port."""
    return urlsplit(current_app.config["AZIONELAB"].site_base_url).hostname or "localhost"
