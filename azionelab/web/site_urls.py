"""Absolute URLs of the site, with or without a request."""

from typing import Any
from urllib.parse import urlsplit

from flask import current_app


def site_url(endpoint: str, **values: Any) -> str:
    """The absolute URL of a page, based on SITE_BASE_URL.

    Never on the request's Host header: the URL goes into mails, QR codes and tickets.
    """
    base = urlsplit(current_app.config["AZIONELAB"].site_base_url)
    urls = current_app.url_map.bind(base.netloc, url_scheme=base.scheme)
    return urls.build(endpoint, values, force_external=True)


def site_host() -> str:
    """The host name of SITE_BASE_URL, without its port."""
    return urlsplit(current_app.config["AZIONELAB"].site_base_url).hostname or "localhost"
