"""Which addresses a webhook may have, so that nobody reaches the theatre's own network by one (SSRF, ASVS 5.2.6)."""

import socket
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from flask import current_app

MAX_URL = 500  # characters
_PORTS = {"https": 443, "http": 80}


class AddressRefused(ValueError):
    """A webhook must not be sent there: not https, malformed, unknown, or not a public address."""


def check_url(url: str) -> SplitResult:
    """The URL's parts; raises AddressRefused. It must be https, in development also http."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused from error
    allowed = ("https", "http") if _is_development() else ("https",)
    if parts.scheme not in allowed or not parts.hostname or parts.username or port == 0:
        raise AddressRefused
    return parts


def resolve(parts: SplitResult) -> tuple[str, int]:
    """The network address and port to connect to; raises AddressRefused.

    The request goes to the address that was checked, whatever the name resolves to a moment later.
    """
    port = parts.port or _PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused from error
    addresses = [str(address[0]) for *_kind, address in found]
    if not _is_development() and not all(ip_address(each).is_global for each in addresses):
        raise AddressRefused
    return addresses[0], port


def _is_development() -> bool:
    return bool(current_app.config["AZIONELAB"].debug)
