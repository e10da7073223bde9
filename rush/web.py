"""HTTP for thousands of visitors over few connections, as a proxy before nginx has them: X-Forwarded-For says who asks."""

import asyncio
import json
import re
import time
import urllib.parse
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from bench.servers import HOST

_CONNECTIONS = 400  # of a client process
_IDLE = 20  # seconds after which a connection is not used again: nginx closes it after 30
_PATIENCE = 60  # seconds
_REDIRECTS = {301, 302, 303, 307, 308}
NO_ANSWER = 0  # in place of a status
_OK = 200
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """An answer: `path` is where redirects led to."""

    status: int
    text: str
    path: str
    retry_after: int


@dataclass
class Browser:
    """What a visitor's browser keeps: the address that it comes from, and cookies."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.used = time.monotonic()


class Web:
    """The site, asked over at most so many connections. Counts answers and their seconds by what was asked for."""

    def __init__(self, port: int) -> None:
        self.statuses: Counter[int] = Counter()
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)
        self._port = port
        self._free: deque[_Connection] = deque()
        self._requests: dict[tuple[str, str], bytes] = {}
        self._state: tuple[bytes, Any] = b"", None
        self._slots = asyncio.Semaphore(_CONNECTIONS)

    async def follow(
        self, what: str, path: str, browser: Browser, form: dict[str, str] | None = None
    ) -> Answer:
        """Ask as `ask` does, and follow redirects."""
        answer = await self.ask(what, path, browser, form)
        while answer.status in _REDIRECTS:
            answer = await self.ask("page", answer.path, browser)
        return answer

    async def ask(
        self, what: str, path: str, browser: Browser, form: dict[str, str] | None = None
    ) -> Answer:
        """One request, a POST with a form; status NO_ANSWER when none came. `path` of a redirect is where it leads."""
        request = _write(path, browser, form)
        began = time.monotonic()
        try:
            async with self._slots, asyncio.timeout(_PATIENCE):
                status, headers, body = await self._send(request)
        except (OSError, EOFError, TimeoutError):
            self.statuses[NO_ANSWER] += 1
            return Answer(NO_ANSWER, "", path, 5)
        self.seconds[what].append(time.monotonic() - began)
        self.statuses[status] += 1
        for name, value in headers:
            if name == "set-cookie":
                key, _, content = value.partition(";")[0].partition("=")
                browser.cookies[key] = content
        found = dict(headers)
        place = urllib.parse.urlsplit(found.get("location", path))
        target = f"{place.path}?{place.query}" if place.query else place.path
        return Answer(status, body.decode(), target, int(found.get("retry-after", 0)))

    async def ask_state(self, path: str, browser: Browser) -> Any:
        """The state of a line, read from JSON; None without an answer. Most requests are this one, so it costs little."""
        key = path, browser.address
        request = self._requests.get(key)
        if request is None:
            request = self._requests[key] = _write(path, browser, None)
        began = time.monotonic()
        try:
            async with self._slots, asyncio.timeout(_PATIENCE):
                status, body = await self._send_short(request)
        except (OSError, EOFError, TimeoutError):
            self.statuses[NO_ANSWER] += 1
            return None
        self.seconds["state"].append(time.monotonic() - began)
        self.statuses[status] += 1
        if status != _OK:
            return None
        # The same for everybody for a second.
        if body != self._state[0]:
            self._state = body, json.loads(body)
        return self._state[1]

    async def _send_short(self, request: bytes) -> tuple[int, bytes]:
        connection = await self._connection()
        try:
            connection.writer.write(request)
            head = await connection.reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await connection.reader.readexactly(int(length[1])) if length else b""
        except BaseException:
            connection.writer.close()
            raise
        if length is None or b"\r\nConnection: close" in head:
            connection.writer.close()
        else:
            connection.used = time.monotonic()
            self._free.append(connection)
        return int(head[9:12]), body

    async def _send(self, request: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = await self._connection()
        try:
            connection.writer.write(request)
            status, headers, body = await _read(connection.reader)
        except BaseException:
            connection.writer.close()
            raise
        if ("connection", "close") in headers:
            connection.writer.close()
        else:
            connection.used = time.monotonic()
            self._free.append(connection)
        return status, headers, body

    async def _connection(self) -> _Connection:
        while self._free:
            connection = self._free.pop()
            old = time.monotonic() - connection.used > _IDLE
            if not old and not connection.reader.at_eof():
                return connection
            connection.writer.close()
        return _Connection(*await asyncio.open_connection("127.0.0.1", self._port))

    def close(self) -> None:
        """Close all connections."""
        while self._free:
            self._free.pop().writer.close()


def _write(path: str, browser: Browser, form: dict[str, str] | None) -> bytes:
    lines = [
        f"{'GET' if form is None else 'POST'} {path} HTTP/1.1",
        f"Host: {HOST}",
        f"X-Forwarded-For: {browser.address}",
        "X-Forwarded-Proto: https",
        "Accept-Language: en",
    ]
    # The state is asked for without cookies (static_frontend/src/booking/line.ts).
    if browser.cookies and not path.endswith("/state"):
        lines.append("Cookie: " + "; ".join(f"{k}={v}" for k, v in browser.cookies.items()))
    body = b""
    if form is not None:
        body = urllib.parse.urlencode(form).encode()
        lines += [
            f"Referer: https://{HOST}/",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _read(reader: asyncio.StreamReader) -> tuple[int, list[tuple[str, str]], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = [(name.lower(), value.strip()) for name, _, value in pairs]
    found = dict(headers)
    if found.get("transfer-encoding") == "chunked":
        return status, headers, await _read_chunks(reader)
    return status, headers, await reader.readexactly(int(found.get("content-length", 0)))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body
