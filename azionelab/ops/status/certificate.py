"""Asks the site's own address for its certificate, as visitors do, and notes when it ends."""

import socket
import ssl
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509
from flask import current_app

from azionelab.ops.status.reports import Part, report

_TIMEOUT = 10  # seconds
_HTTPS = 443


class NoCertificate(Exception):
    """The site's address gave none; the message says why, in a word."""


def note_certificate() -> None:
    """Look at the certificate of SITE_BASE_URL and report when it ends, or why that is not known.

    Does nothing where the site is not on https, as in development.
    """
    address = urlsplit(current_app.config["AZIONELAB"].site_base_url)
    if address.scheme != "https" or not address.hostname:
        return
    try:
        ends_at = read_end(address.hostname, address.port or _HTTPS)
    except NoCertificate as problem:
        report(Part.CERTIFICATE, {"problem": str(problem)})
    else:
        report(Part.CERTIFICATE, {"ends_at": ends_at.isoformat()})


def read_end(host: str, port: int) -> datetime:
    """When the certificate ends that a server shows under a name. Raises NoCertificate.

    It is not checked otherwise: one that has ended, or is of an own authority, has an end too.
    """
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT) as connection,
            unchecked.wrap_socket(connection, server_hostname=host) as encrypted,
        ):
            shown = encrypted.getpeercert(binary_form=True)
    except OSError as error:
        raise NoCertificate(type(error).__name__) from None
    if not shown:
        raise NoCertificate("none")
    return x509.load_der_x509_certificate(shown).not_valid_after_utc
