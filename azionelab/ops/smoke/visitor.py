"""A minimal browser for the smoke check: GET, forms, cookies, TLS."""

import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from html import unescape
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

_HIDDEN = re.compile(r"<input[^>]*type=\"hidden\"[^>]*>")


@dataclass(frozen=True)
class Response:
    """What a server answered."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body parsed as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def kind(self) -> str:
        """The content type, without its parameters."""
        return self.headers.get_content_type()

    def hidden_fields(self) -> dict[str, str]:
        """The hidden fields of the page's forms, including the CSRF token."""
        found = {}
        for tag in _HIDDEN.findall(self.text):
            name = re.search(r'name="([^"]+)"', tag)
            value = re.search(r'value="([^"]*)"', tag)
            if name and value:
                found[name[1]] = unescape(value[1])
        return found


@dataclass(frozen=True)
class Site:
    """A site's `url`, and the hosts to connect to if its name does not resolve there yet.

    `timeout` is in seconds, for each network operation; `insecure` accepts any certificate. `as_proxy_to` gets
    plain HTTP with X-Forwarded-* headers, as from a proxy that terminates TLS in front of the site.
    """

    url: str
    timeout: float = 10
    insecure: bool = False
    connect_to: tuple[str, int] | None = None
    connect_to_http: tuple[str, int] | None = None
    as_proxy_to: tuple[str, int] | None = None

    @property
    def host(self) -> str:
        """The host name."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_https(self) -> bool:
        """Whether the site's URL is https."""
        return urlsplit(self.url).scheme == "https"

    @property
    def terminates_tls(self) -> bool:
        """Whether the host that is connected to terminates TLS."""
        return self.is_https and not self.as_proxy_to

    def unencrypted(self) -> "Site":
        """The site under http, which must redirect to https."""
        return Site(f"http://{self.host}", self.timeout, connect_to=self.connect_to_http)

    def tls(self) -> ssl.SSLContext:
        """The TLS context that checks the certificate; SSL_CERT_FILE adds an authority."""
        context = ssl.create_default_context()
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def connect(self) -> socket.socket:
        """Open a connection to the site; raises OSError."""
        port = urlsplit(self.url).port or (443 if self.is_https else 80)
        target = self.as_proxy_to or self.connect_to or (self.host, port)
        return socket.create_connection(target, self.timeout)

    def encrypt(self, sock: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Wrap a connection in TLS; raises OSError, which includes ssl.SSLError."""
        try:
            return context.wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise


class Visitor:
    """A browser that keeps cookies and does not follow redirects."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._tls = site.tls() if site.terminates_tls else None
        self._cookies: dict[str, str] = {}

    def get(self, address: str) -> Response:
        """Get a page. Raises OSError and http.client.HTTPException."""
        return self._request("GET", address, {}, None)

    def post(self, address: str, form: Mapping[str, str]) -> Response:
        """Post a form; raises as `get` does."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._request("POST", address, kind, urlencode(form).encode())

    def call(self, method: str, address: str, token: str, body: Any = None) -> Response:
        """Call the API with a door token; raises as `get` does."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self._request(method, address, headers, None if body is None else json.dumps(body))

    def _request(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | str | None
    ) -> Response:
        parts = urlsplit(self.site.url)
        connection = HTTPConnection(self.site.host, parts.port)
        sock = self.site.connect()
        connection.sock = self.site.encrypt(sock, self._tls) if self._tls else sock
        request_headers = {
            "Host": parts.netloc,
            "User-Agent": "azionelab-smoke",
            "Accept-Language": "en",
            "Connection": "close",
            **headers,
        }
        if self.site.as_proxy_to:
            request_headers |= {"X-Forwarded-Host": parts.netloc, "X-Forwarded-Proto": parts.scheme}
        if self._cookies:
            request_headers["Cookie"] = "; ".join(
                f"{name}={value}" for name, value in self._cookies.items()
            )
        try:
            connection.request(method, address, body, request_headers)
            raw = connection.getresponse()
            response = Response(raw.status, raw.headers, raw.read())
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie", ()):
            self._cookies.update({n: morsel.value for n, morsel in SimpleCookie(cookie).items()})
        return response
