"""The container's start: refused settings, the linter, and backends resolved by name."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.nginx import HOST, START, Echo, NameServer, Nginx
from tests.support.processes import clean_environment

SERVING = ["tls", "http", "upstream"]


@pytest.fixture
def run_start(
    tmp_path: Path, site_root: Path, make_certificate: Callable[[], dict[str, str]]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Render the templates with settings given by name, and run a command in nginx's place."""

    def start(*command: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        ours = make_certificate() | {"SERVE": "tls", "UPSTREAM_PROXY": "192.0.2.1"}
        nginx = Nginx(tmp_path, site_root, **(ours | settings))
        return subprocess.run(
            [START, *(command or ["true"])],
            env=clean_environment(nginx.settings),
            capture_output=True,
            text=True,
            check=False,
        )

    return start


WRONG = {
    "SERVE": ("https", "SERVE: 'https' is not one of tls, http, upstream"),
    "ALLOWED_HOSTS": ("", "ALLOWED_HOSTS: is empty; set ALLOWED_HOSTS=tickets.your-theatre.org"),
    "PUBLIC_PORT": ("https", "PUBLIC_PORT: 'https' is not a port from 1 to 65535"),
    "HSTS_SECONDS": ("a year", "HSTS_SECONDS: 'a year' is not a whole number of seconds"),
    "BACKEND": ("backend", "BACKEND: 'backend' is not like backend:8000"),
    "BOOKING_RATE": ("often", "BOOKING_RATE: 'often' is not a rate such as '30 per minute'"),
    "LOGIN_RATE": (
        "0 per minute",
        "LOGIN_RATE: '0 per minute' is not a rate such as '30 per minute'",
    ),
    "API_RATE": ("5r/s", "API_RATE: '5r/s' is not a rate such as '30 per minute'"),
    "BOX_OFFICE_NETWORKS": (
        "10.0.0.0/8 300.0.0.1",
        "BOX_OFFICE_NETWORKS: '300.0.0.1' is not an address or network such as 192.0.2.0/24",
    ),
    "RESOLVER": ("dns", "RESOLVER: 'dns' is not the address of a name server, such as 127.0.0.11"),
    "TLS_CERTIFICATE": ("/nowhere.pem", "TLS_CERTIFICATE: /nowhere.pem does not exist"),
    "TLS_CERTIFICATE_KEY": ("/dev/null", "TLS_CERTIFICATE_KEY: /dev/null cannot be read by user"),
    "UPSTREAM_PROXY": (
        "2001:db8::/129",
        "UPSTREAM_PROXY: '2001:db8::/129' is not an address or network such as 192.0.2.0/24",
    ),
    "RUN_DIR": ("/proc/nginx", "/proc: cannot be written by user"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_invalid_setting_gets_a_one_line_message(
    run_start: Callable[..., subprocess.CompletedProcess[str]], name: str
) -> None:
    value, expected = WRONG[name]
    serve = {"SERVE": "upstream"} if name == "UPSTREAM_PROXY" else {}
    ended = run_start("echo", "started", **(serve | {name: value}))
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "a.test;"),
        ("ALLOWED_HOSTS", "*"),
        ("PUBLIC_PORT", "65536"),
        ("BOX_OFFICE_NETWORKS", "1:::2"),
        ("BOX_OFFICE_NETWORKS", "1:2:3:4:5:6:7:8:9"),
        ("BACKEND", "backend:8000;return"),
        ("BACKEND", "backend:8000\nx"),
        ("TLS_CERTIFICATE", "/etc/x;y"),
    ],
)
def test_settings_cannot_inject_configuration(
    run_start: Callable[..., subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    value: str,
) -> None:
    # Where a pattern could stand for names that are right.
    folder = tmp_path / "names"
    folder.mkdir()
    (folder / "localhost").touch()
    monkeypatch.chdir(folder)
    ended = run_start(**{name: value})
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{name}: ")


def test_all_problems_are_reported_at_once(
    run_start: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    ended = run_start(SERVE="upstream", UPSTREAM_PROXY="", API_RATE="x", BACKEND="x")
    assert [line.partition(":")[0] for line in ended.stderr.splitlines()] == [
        "BACKEND",
        "API_RATE",
        "UPSTREAM_PROXY",
    ]


def test_an_invalid_certificate_is_reported(
    run_start: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    ended = run_start("echo", "started", TLS_CERTIFICATE=str(broken))
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f'nginx: cannot load certificate "{broken}"')


def test_a_key_of_another_certificate_is_reported(
    run_start: Callable[..., subprocess.CompletedProcess[str]],
    make_certificate: Callable[[], dict[str, str]],
) -> None:
    other = make_certificate()["TLS_CERTIFICATE_KEY"]
    ended = run_start("echo", "started", TLS_CERTIFICATE_KEY=other)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert "key values mismatch" in line


_PLAIN_PORTS = {"HTTP_LISTEN": 8080, "PAGES_LISTEN": 8081, "STATUS_LISTEN": 8082}


@pytest.mark.parametrize("serve", SERVING)
def test_nginx_and_the_linter_find_no_problem(
    run_start: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, serve: str
) -> None:
    config = tmp_path / "run" / "nginx.conf"
    settings = {"SERVE": serve, "BOX_OFFICE_NETWORKS": "192.0.2.0/24,2001:db8::/32"}
    tested = run_start("nginx", "-t", "-e", "stderr", "-c", config, **settings)
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr
    # It takes any port in which 443 can be read for one of TLS, as a free one may be.
    plain = {name: f"127.0.0.1:{port}" for name, port in _PLAIN_PORTS.items()}
    linted = run_start(Path(sys.executable).with_name("gixy"), config, **settings, **plain)
    assert linted.returncode == 0, linted.stdout
    assert "No issues found" in linted.stdout


NETWORKS = "::1 2001:db8:: 2001:db8::/32 1:2:3:4:5:6:7:8 1::8 1:2::7:8/128 192.0.2.7 10.0.0.0/8"


def test_every_notation_of_a_network_is_accepted(
    run_start: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    ended = run_start("true", BOX_OFFICE_NETWORKS=NETWORKS)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_names_are_separated_by_commas_or_spaces(
    start_nginx: Callable[..., Nginx], echo: Echo
) -> None:
    nginx = start_nginx(
        ALLOWED_HOSTS=f"{HOST}, www.{HOST} x.test", BACKEND=f"127.0.0.1:{echo.port}"
    )
    for host in (HOST, f"www.{HOST}", "x.test"):
        assert nginx.fetch("/", host=host).status == 200


def test_backends_are_resolved_by_name_and_dead_ones_skipped(
    start_nginx: Callable[..., Nginx], echo: Echo
) -> None:
    other = Echo("127.0.0.3", echo.port)
    with other.running(), NameServer("127.0.0.1", "127.0.0.2", "127.0.0.3").running() as names:
        nginx = start_nginx(
            BACKEND=f"backend.test:{echo.port}",
            RESOLVER=names.address,
            BOOKING_RATE="100 per second",
        )
        for n in range(12):
            assert nginx.fetch(f"/nowhere/{n}").status == 200
            assert nginx.fetch("/performances/1/book", "POST", body=b"x").status == 200
    assert len(echo.requests) + len(other.requests) == 24
    assert echo.requests
    assert other.requests
    assert "502" in nginx.log, "the control: the address in between does not answer"


def test_many_addresses_that_do_not_listen_yet_are_skipped(
    start_nginx: Callable[..., Nginx], echo: Echo
) -> None:
    starting = [f"127.0.0.{n}" for n in range(2, 7)]
    with NameServer(*starting, "127.0.0.1").running() as names:
        nginx = start_nginx(
            BACKEND=f"backend.test:{echo.port}",
            RESOLVER=names.address,
            BOOKING_RATE="100 per second",
        )
        for n in range(12):
            assert nginx.fetch(f"/nowhere/{n}").status == 200
            assert nginx.fetch("/performances/1/book", "POST", body=b"x").status == 200
            assert nginx.fetch(f"/shows/{n}").status == 200
    assert "502, 502, 502, 502" in nginx.log, "the control: as many tries were needed"
