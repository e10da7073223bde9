"""nginx replaced behind docker/entrance: connections are handed from one to the next, or wait for it."""

import http.client
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.nginx import HOST, Nginx
from tests.support.processes import PATIENCE, ROOT, Program, eventually, free_port

ENTRANCE = ROOT / "docker" / "entrance" / "entrance"
PAGE = "/static/favicon.svg"


@pytest.fixture
def entrance(tmp_path: Path) -> Iterator[Program]:
    """What holds the ports."""
    command = [ENTRANCE, "hold", tmp_path / "socket"]
    with Program(command, {}, tmp_path / "entrance.out") as program:
        yield program


@pytest.fixture
def another_nginx(tmp_path: Path, site_root: Path, entrance: Program) -> Callable[..., Nginx]:
    """An nginx more that takes the same port from the entrance."""
    port = free_port()

    def make(**others: str) -> Nginx:
        folder = tmp_path / f"nginx-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        settings = {"ENTRANCE": str(tmp_path / "socket"), "TAKE_SOCKETS": str(ENTRANCE)} | others
        nginx = Nginx(folder, site_root, HTTP_LISTEN=str(port), **settings)
        nginx.http_port = port
        return nginx

    return make


def test_two_accept_at_once_and_one_may_end(another_nginx: Callable[..., Nginx]) -> None:
    first, second = another_nginx(), another_nginx()
    with ExitStack() as later:
        with first.running():
            assert first.fetch(PAGE).status == 200
            later.enter_context(second.running())
        assert second.logged(second.fetch(PAGE))["status"] == 200


def test_a_connection_waits_for_the_next_nginx(
    another_nginx: Callable[..., Nginx], entrance: Program
) -> None:
    gone = another_nginx()
    with gone.running():
        pass
    with closing(http.client.HTTPConnection("127.0.0.1", gone.http_port, PATIENCE)) as visitor:
        visitor.request("GET", PAGE, headers={"Host": HOST})
        with another_nginx().running():
            assert visitor.getresponse().status == 200
    # It is the entrance that keeps them waiting.
    entrance.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", gone.http_port))


def test_nginx_ends_with_the_entrance(
    another_nginx: Callable[..., Nginx], entrance: Program, tmp_path: Path
) -> None:
    nginx = another_nginx()
    with nginx.running():
        entrance.stop()
        eventually(lambda: not (nginx.folder / "run" / "nginx.pid").exists(), "nginx to end")


def test_the_check_says_whether_the_entrance_answers(entrance: Program, tmp_path: Path) -> None:
    check = [ENTRANCE, "check", tmp_path / "socket"]
    assert Program(check, {}, tmp_path / "check.out").wait() == 0


def test_it_waits_a_moment_for_a_certificate(
    another_nginx: Callable[..., Nginx],
    make_certificate: Callable[[], dict[str, str]],
    tmp_path: Path,
) -> None:
    files = make_certificate()
    key, aside = Path(files["TLS_CERTIFICATE_KEY"]), tmp_path / "aside.pem"
    key.rename(aside)
    nginx = another_nginx(SERVE="tls", TLS_LISTEN=str(free_port()), **files)
    told = nginx.folder / "nginx.out"

    def add() -> None:
        missed = "privkey.pem does not exist"
        eventually(lambda: told.exists() and missed in told.read_text(), "it to be missed")
        aside.rename(key)

    with ThreadPoolExecutor() as later:
        added = later.submit(add)
        with nginx.running():
            added.result()
    # Once, though it looked more often.
    assert told.read_text().count("does not exist") == 1
