"""A TCP proxy before PostgreSQL that cuts a connection at a chosen message.

It parses only message boundaries, the client's statements and the server's ReadyForQuery ("Message Formats" in
PostgreSQL's documentation).

An answer is cut only where the server ends a transaction. Inside a transaction the client cannot tell a lost answer
from a statement that never arrived, and the server rolls back in both cases.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from enum import Enum
from typing import Self

from psycopg.conninfo import conninfo_to_dict


class Cut(Enum):
    """Where to cut: before the server gets the statement, or before the client hears that a transaction ended."""

    STATEMENT = "before the statement"
    ANSWER = "before the answer to the commit"


_HEADER = 5  # bytes of a message's type and length
_QUERY, _PARSE, _BIND = b"Q", b"P", b"B"
_READY, _COPY_IN, _NOTIFICATION = b"Z", b"G", b"A"
_IDLE = b"I"  # ReadyForQuery's status: no transaction is open


class CuttingProxy:
    """The proxy. `url` is the server's libpq URL through the proxy."""

    def __init__(self, server_url: str) -> None:
        server = conninfo_to_dict(server_url)
        self._host, self._port = str(server["host"]), int(server.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        user, name = server.get("user") or "postgres", server["dbname"]
        password = f":{server['password']}" if "password" in server else ""
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://{user}{password}@127.0.0.1:{port}/{name}?sslmode=disable"
        self.lock = threading.Lock()
        self.was_cut = threading.Event()
        self._left: int | None = None
        self._how = Cut.STATEMENT
        self._sockets: list[socket.socket] = []
        self._statements: list[str] = []

    def cut(self, number: int, how: Cut) -> None:
        """Cut at the `number`-th statement, or end of a transaction, from now on (1 is the next)."""
        with self.lock:
            self.was_cut.clear()
            self._left, self._how = number, how

    def spare(self) -> None:
        """Cancel a pending cut."""
        with self.lock:
            self._left = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[list[str]]:
        """The statements, as their texts, that are sent meanwhile."""
        with self.lock:
            self._statements = heard = []
        yield heard
        with self.lock:
            self._statements = []

    def note(self, statement: str) -> None:
        """Note a statement for whoever is listening."""
        with self.lock:
            self._statements.append(statement)

    def is_due(self, how: Cut) -> bool:
        """Count a statement, or the end of a transaction; returns whether to cut there."""
        with self.lock:
            if self._left is None or self._how is not how:
                return False
            self._left -= 1
            if self._left:
                return False
            self._left = None
            self.was_cut.set()
            return True

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close all connections and stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            _hang_up(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                line = _Line(self, client, self._connect())
                self._sockets += line.ends
                line.start()

    def _connect(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return server


class _Line:
    """A client's connection with its connection to the server."""

    def __init__(self, cutter: CuttingProxy, client: socket.socket, server: socket.socket) -> None:
        self._cutter, self._client, self._server = cutter, client, server
        self.ends = [client, server]
        self._prepared: dict[bytes, str] = {}

    def start(self) -> None:
        for pump in (self._ask, self._answer):
            threading.Thread(target=pump, daemon=True).start()

    def _ask(self) -> None:
        with self._ending():
            self._server.sendall(_first_message(self._client))
            while message := _message(self._client):
                statement = self._statement(message)
                if statement is not None:
                    if self._cutter.is_due(Cut.STATEMENT):
                        return
                    self._cutter.note(statement)
                self._server.sendall(message)

    def _statement(self, message: bytes) -> str | None:
        """The text of what a message lets the server do, or None if it does nothing."""
        kind, rest = message[:1], message[_HEADER:].split(b"\0", 2)
        if kind == _QUERY:
            return rest[0].decode()
        if kind == _PARSE:  # the statement's name, its text
            self._prepared[rest[0]] = rest[1].decode()
        if kind == _BIND:  # the portal's name, the statement's
            return self._prepared[rest[1]]
        return None

    def _answer(self) -> None:
        with self._ending():
            while message := _message(self._server):
                self._client.sendall(message)
                if message[:1] == _READY:
                    break
            answer = b""
            while message := _message(self._server):
                answer += message
                kind, status = message[:1], message[_HEADER:]
                if kind == _READY and status == _IDLE and self._cutter.is_due(Cut.ANSWER):
                    return
                if kind in (_READY, _COPY_IN, _NOTIFICATION):
                    self._client.sendall(answer)
                    answer = b""

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            with contextlib.suppress(OSError):
                yield
        finally:
            for end in self.ends:
                _hang_up(end)


def _hang_up(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _first_message(client: socket.socket) -> bytes:
    """The start-up message, which has no type byte."""
    length = _read(client, 4)
    return length + _read(client, int.from_bytes(length) - 4) if length else b""


def _message(end: socket.socket) -> bytes:
    header = _read(end, _HEADER)
    return header + _read(end, int.from_bytes(header[1:]) - 4) if header else b""


def _read(end: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size and (part := end.recv(size - len(parts))):
        parts += part
    return bytes(parts) if len(parts) == size else b""
