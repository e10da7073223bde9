"""Addresses of the site as the outside world sees it, made with or without a request at hand."""

from typing import Any
from urllib.parse import urlsplit

from flask import current_app


def site_url(endpoint: str, **values: Any) -> str:
    """The full address of a page, built on SITE_BASE_URL.

    Never on the Host header of whoever happens to ask: it goes into mails, QR codes and tickets.
    """
    base = urlsplit(current_app.config["AZIONELAB"].site_base_url)
    urls = current_app.url_map.bind(base.netloc, url_scheme=base.scheme)
    return urls.build(endpoint, values, force_external=True)


def site_host() -> str:
    """The host name of SITE_BASE_URL, without its port."""
    return urlsplit(current_app.config["AZIONELAB"].site_base_url).hostname or "localhost"
