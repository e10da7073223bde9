"""nginx, started by the container's script, with a backend and a name server for tests."""

import gzip
import http.client
import json
import shutil
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import inet_aton
from socketserver import BaseRequestHandler, ThreadingUDPServer
from typing import Any

from tests.support.processes import PATIENCE, ROOT, Program, eventually, free_ports

HOST = "theatre.test"
START = ROOT / "docker" / "nginx" / "start.sh"


def lay_out_front_end(root: Path) -> Path:
    """Copy the built front end below `root` as in the image, with compressed copies of large files."""
    shutil.copytree(ROOT / "static_frontend" / "dist", root / "static")
    for path in (root / "static" / "assets").iterdir():
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    return root


@dataclass(frozen=True)
class Answer:
    """A response: header names in lower case, repeated headers joined by line breaks."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Nginx:
    """nginx in its own folder. `settings` are the container's."""

    def __init__(self, folder: Path, site: Path, **settings: str) -> None:
        self.folder = folder
        self.http_port, self.tls_port, pages_port, self._status_port = free_ports(4)
        self.settings = {
            "SERVE": "http",
            "ALLOWED_HOSTS": HOST,
            "TEMPLATES": str(ROOT / "docker" / "nginx" / "templates"),
            "SITE_ROOT": str(site),
            "RUN_DIR": str(folder / "run"),
            "ACME_WEBROOT": str(folder / "acme"),
            "ACCESS_LOG": str(folder / "access.log"),
            "HTTP_LISTEN": f"127.0.0.1:{self.http_port}",
            "TLS_LISTEN": f"127.0.0.1:{self.tls_port}",
            "PAGES_LISTEN": f"127.0.0.1:{pages_port}",
            "STATUS_LISTEN": f"127.0.0.1:{self._status_port}",
        } | settings
        self.config = folder / "run" / "nginx.conf"

    @contextmanager
    def running(self) -> Iterator["Nginx"]:
        """Render the templates and serve."""
        # The tests' folders belong to the current user only, possibly root: nginx's worker keeps that user.
        nginx: list[str | Path] = ["nginx", "-e", "stderr", "-c", self.config, "-g", "user root;"]
        with Program([START, *nginx], self.settings, self.folder / "nginx.out") as program:
            program.wait_until(self._is_up, "nginx to answer")
            yield self
            program.stop()

    def fetch(
        self,
        path: str,
        method: str = "GET",
        *,
        host: str = HOST,
        body: bytes | None = None,
        tls: ssl.SSLContext | None = None,
        sni: str = HOST,
        source: str = "127.0.0.1",
        **headers: str,
    ) -> Answer:
        """Request `path` exactly as given. In `headers`, _ stands for -."""
        port = self.tls_port if tls else self.http_port
        with closing(
            http.client.HTTPConnection("127.0.0.1", port, PATIENCE, (source, 0))
        ) as connection:
            if tls:
                connection.connect()
                connection.sock = tls.wrap_socket(connection.sock, server_hostname=sni)
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Host": host} | sent)
            return _read(connection.getresponse())

    def logged(self, answer: Answer) -> dict[str, Any]:
        """The access log's line of a response's request."""
        wanted = answer.headers["x-request-id"]

        def find() -> dict[str, Any]:
            lines = map(json.loads, self.log.splitlines())
            return next((line for line in lines if line["request_id"] == wanted), {})

        return eventually(find, "the request in the log")

    @property
    def log(self) -> str:
        """The access log, up to its last complete line."""
        return (self.folder / "access.log").read_text().rpartition("\n")[0]

    def _is_up(self) -> bool:
        with closing(
            http.client.HTTPConnection("127.0.0.1", self._status_port, PATIENCE)
        ) as connection:
            try:
                connection.request("GET", "/status")
                return connection.getresponse().status == 200
            except OSError:
                return False


def _read(answer: http.client.HTTPResponse) -> Answer:
    headers: dict[str, str] = {}
    for name, value in answer.getheaders():
        key = name.lower()
        headers[key] = f"{headers[key]}\n{value}" if key in headers else value
    return Answer(answer.status, headers, answer.read())


class Echo:
    """A backend that returns the request as JSON, with `headers`."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.headers: dict[str, str] = {}
        self.requests: list[str] = []
        echo = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                echo.requests.append(self.path)
                body = json.dumps({"path": self.path, "headers": dict(self.headers.items())})
                self.send_response(200)
                for name, value in echo.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST = do_PATCH = answer  # noqa: N815 (the library's names)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((address, port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    @contextmanager
    def running(self) -> Iterator["Echo"]:
        """Serve until the block ends."""
        with _served(self._server):
            yield self


class NameServer:
    """A name server at `address` (host:port): every name has these IPv4 addresses; without any it does not exist."""

    def __init__(self, *addresses: str) -> None:
        self.addresses: tuple[str, ...] = addresses
        names = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                data, socket = self.request
                socket.sendto(names.answer(data), self.client_address)

        self._server = ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def answer(self, query: bytes) -> bytes:
        """The response in the format of RFC 1035."""
        question = query[12 : query.index(b"\0", 12) + 5]
        code = b"\x81\x80" if self.addresses else b"\x81\x83"
        head = query[:2] + code + b"\0\1" + len(self.addresses).to_bytes(2, "big") + b"\0\0\0\0"
        # A pointer to the name, type A, class IN, a second to live, four bytes.
        record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4"
        return head + question + b"".join(record + inet_aton(a) for a in self.addresses)

    @contextmanager
    def running(self) -> Iterator["NameServer"]:
        """Serve until the block ends."""
        with _served(self._server):
            yield self


@contextmanager
def _served(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
