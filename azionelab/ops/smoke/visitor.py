"""A visitor's browser, as far as a smoke check needs one: addresses, forms, cookies, TLS."""

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
class Answer:
    """What a server answered."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def kind(self) -> str:
        """The content's type, without its parameters."""
        return self.headers.get_content_type()

    def hidden_fields(self) -> dict[str, str]:
        """The hidden fields of the page's forms, the token against forged ones among them."""
        found = {}
        for tag in _HIDDEN.findall(self.text):
            name = re.search(r'name="([^"]+)"', tag)
            value = re.search(r'value="([^"]*)"', tag)
            if name and value:
                found[name[1]] = unescape(value[1])
        return found


@dataclass(frozen=True)
class Site:
    """Where a site is: its `url`, and if its name does not lead there yet, whom to connect to.

    `timeout` is in seconds and for each step of the network; `insecure` takes any certificate. `as_proxy_to`
    is asked without TLS, as the proxy that ends it before the site asks.
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
        """Whether the site is to be encrypted."""
        return urlsplit(self.url).scheme == "https"

    @property
    def shows_tls(self) -> bool:
        """Whether what is asked ends the encryption itself."""
        return self.is_https and not self.as_proxy_to

    def unencrypted(self) -> "Site":
        """The site's address over http, which must lead to the other."""
        return Site(f"http://{self.host}", self.timeout, connect_to=self.connect_to_http)

    def tls(self) -> ssl.SSLContext:
        """How the site's certificate is checked; SSL_CERT_FILE adds an authority."""
        context = ssl.create_default_context()
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def connect(self) -> socket.socket:
        """A connection to the site; raises OSError."""
        port = urlsplit(self.url).port or (443 if self.is_https else 80)
        place = self.as_proxy_to or self.connect_to or (self.host, port)
        return socket.create_connection(place, self.timeout)

    def encrypt(self, line: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        """The same connection, encrypted; raises OSError, of which ssl.SSLError is one."""
        try:
            return context.wrap_socket(line, server_hostname=self.host)
        except BaseException:
            line.close()
            raise


class Visitor:
    """Somebody with a browser of their own, who keeps cookies and follows no redirect by itself."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._tls = site.tls() if site.shows_tls else None
        self._cookies: dict[str, str] = {}

    def get(self, address: str) -> Answer:
        """Open a page of the site. Raises OSError and http.client.HTTPException."""
        return self._ask("GET", address, {}, None)

    def post(self, address: str, form: Mapping[str, str]) -> Answer:
        """Send a form; as `get`."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", address, kind, urlencode(form).encode())

    def call(self, method: str, address: str, token: str, asked: Any = None) -> Answer:
        """Ask the API with a token of the door's; as `get`."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self._ask(method, address, headers, None if asked is None else json.dumps(asked))

    def _ask(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | str | None
    ) -> Answer:
        parts = urlsplit(self.site.url)
        connection = HTTPConnection(self.site.host, parts.port)
        line = self.site.connect()
        connection.sock = self.site.encrypt(line, self._tls) if self._tls else line
        sent = {
            "Host": parts.netloc,
            "User-Agent": "azionelab-smoke",
            "Accept-Language": "en",
            "Connection": "close",
            **headers,
        }
        if self.site.as_proxy_to:
            sent |= {"X-Forwarded-Host": parts.netloc, "X-Forwarded-Proto": parts.scheme}
        if self._cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        try:
            connection.request(method, address, body, sent)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie", ()):
            self._cookies.update({n: morsel.value for n, morsel in SimpleCookie(cookie).items()})
        return answer
