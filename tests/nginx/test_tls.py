"""TLS terminated by nginx, and by a proxy in front of it."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from azionelab.ops.smoke.visitor import Site, Visitor
from tests.support.nginx import HOST, Echo, Nginx
from tests.support.processes import eventually

PROXY = "127.0.0.5"
FORWARDED = {
    "X_Forwarded_For": "198.51.100.9",
    "X_Forwarded_Proto": "https",
    "X_Forwarded_Host": f"{HOST}:443",
}


def trusting(certificate: str) -> ssl.SSLContext:
    """A client that believes this certificate alone."""
    return ssl.create_default_context(cafile=certificate)


@pytest.fixture(scope="module")
def tls(
    site: str,
    site_root: Path,
    make_certificate: Callable[[], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Nginx]:
    """nginx that ends TLS, published at port 8443."""
    certificate = make_certificate()
    nginx = Nginx(
        tmp_path_factory.mktemp("tls"),
        site_root,
        SERVE="tls",
        BACKEND=site,
        PUBLIC_PORT="8443",
        HSTS_SECONDS="86400",
        **certificate,
    )
    with nginx.running():
        yield nginx


@pytest.fixture
def client(tls: Nginx) -> ssl.SSLContext:
    return trusting(tls.settings["TLS_CERTIFICATE"])


def test_http_redirects_to_https(tls: Nginx) -> None:
    for method in ("GET", "POST"):
        answer = tls.fetch("/shows/a?lang=en", method)
        assert answer.status == 308
        assert answer.headers["location"] == f"https://{HOST}:8443/shows/a?lang=en"
    with pytest.raises(ConnectionError):
        tls.fetch("/", host="evil.test")


def test_pages_come_by_tls_with_hsts(tls: Nginx, client: ssl.SSLContext, app: Flask) -> None:
    for path in ("/", "/staff/login", "/nowhere", "/metrics", "/static/favicon.svg", "/api/health"):
        answer = tls.fetch(path, tls=client)
        assert answer.headers["strict-transport-security"] == "max-age=86400"
    form = tls.fetch("/staff/login", tls=client)
    assert "__Host-session=" in form.headers["set-cookie"]
    assert tls.fetch("/checkin/", tls=client).headers["location"].startswith(("/", "https://"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_current_tls_versions_are_accepted(
    tls: Nginx, client: ssl.SSLContext, app: Flask, version: ssl.TLSVersion
) -> None:
    client.minimum_version = client.maximum_version = version
    assert tls.fetch("/api/health", tls=client).status == 200


def test_http_2_is_offered(tls: Nginx, client: ssl.SSLContext) -> None:
    client.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", tls.tls_port)) as plain,
        client.wrap_socket(plain, server_hostname=HOST) as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"


def test_old_tls_is_refused(tls: Nginx) -> None:
    old = ["openssl", "s_client", "-connect", f"127.0.0.1:{tls.tls_port}", "-servername", HOST]
    old += ["-cipher", "ALL:@SECLEVEL=0", "-tls1_1"]
    ended = subprocess.run(old, input=b"", capture_output=True, check=False)
    assert ended.returncode != 0
    assert b"alert protocol version" in ended.stderr, "the refusal is the server's"


def test_unknown_host_names_get_no_handshake_and_no_page(
    tls: Nginx, client: ssl.SSLContext
) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        tls.fetch("/", tls=client, sni="evil.test")
    assert tls.fetch("/", tls=client, host="evil.test").status == 421


def test_the_acme_challenge_is_served_over_http(tls: Nginx) -> None:
    folder = tls.folder / "acme" / ".well-known" / "acme-challenge"
    folder.mkdir(parents=True)
    (folder / "token").write_text("proof")
    answer = tls.fetch("/.well-known/acme-challenge/token")
    assert (answer.status, answer.text) == (200, "proof")
    assert answer.headers["content-type"] == "text/plain"
    assert tls.fetch("/.well-known/acme-challenge/other").status == 404


def test_a_renewed_certificate_is_loaded_without_interruption(
    start_nginx: Callable[..., Nginx],
    make_certificate: Callable[[], dict[str, str]],
    tmp_path: Path,
    echo: Echo,
) -> None:
    live = {"TLS_CERTIFICATE": tmp_path / "cert.pem", "TLS_CERTIFICATE_KEY": tmp_path / "key.pem"}
    first, second = make_certificate(), make_certificate()

    def put(certificate: dict[str, str]) -> None:
        for name, path in live.items():
            shutil.copy(certificate[name], path)

    put(first)
    named = {name: str(path) for name, path in live.items()}
    nginx = start_nginx(SERVE="tls", BACKEND=f"127.0.0.1:{echo.port}", **named)
    either = ssl.create_default_context(cafile=first["TLS_CERTIFICATE"])
    either.load_verify_locations(second["TLS_CERTIFICATE"])
    assert nginx.fetch("/", tls=either).status == 200
    put(second)
    # What `nginx -s reload` sends.
    os.kill(int((tmp_path / "run" / "nginx.pid").read_text()), signal.SIGHUP)

    def renewed() -> bool:
        assert nginx.fetch("/", tls=either).status == 200
        try:
            return nginx.fetch("/", tls=trusting(second["TLS_CERTIFICATE"])).status == 200
        except ssl.SSLCertVerificationError:
            return False

    eventually(renewed, "the new certificate")


@pytest.fixture
def behind(start_nginx: Callable[..., Nginx], echo: Echo) -> Nginx:
    """nginx behind another proxy, which has the address PROXY."""
    return start_nginx(
        SERVE="upstream",
        UPSTREAM_PROXY=f"{PROXY}, 10.9.0.0/16",
        BACKEND=f"127.0.0.1:{echo.port}",
        BOOKING_RATE="1 per minute",
    )


def seen(body: str) -> dict[str, str]:
    headers: dict[str, str] = json.loads(body)["headers"]
    return headers


def test_the_upstream_proxys_headers_are_trusted(behind: Nginx) -> None:
    answer = behind.fetch("/nowhere", host="inner.test", source=PROXY, **FORWARDED)
    headers = seen(answer.text)
    assert headers["X-Forwarded-For"] == "198.51.100.9"
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["X-Forwarded-Host"] == headers["Host"] == HOST
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_forwarded_values_from_the_visitor_are_not_trusted(behind: Nginx) -> None:
    chain = FORWARDED | {"X_Forwarded_For": "203.0.113.1, 198.51.100.9, 10.9.1.1"}
    headers = seen(behind.fetch("/nowhere", source=PROXY, **chain).text)
    assert headers["X-Forwarded-For"] == "198.51.100.9"


def test_other_peers_headers_are_not_trusted(behind: Nginx) -> None:
    spoofed = FORWARDED | {"Forwarded": "for=1.2.3.4", "Proxy": "x", "X_Real_IP": "1.2.3.4"}
    answer = behind.fetch("/nowhere", source="127.0.0.6", **spoofed)
    headers = seen(answer.text)
    assert headers["X-Forwarded-For"] == "127.0.0.6"
    assert headers["X-Forwarded-Proto"] == "http"
    assert headers["X-Forwarded-Host"] == headers["Host"] == HOST
    assert not {"Forwarded", "Proxy", "X-Real-IP"} & headers.keys()
    assert "strict-transport-security" not in answer.headers
    refused = behind.fetch("/", host="evil.test", source="127.0.0.6", X_Forwarded_Host=HOST)
    assert refused.status == 421


def test_an_unknown_forwarded_host_is_refused(behind: Nginx) -> None:
    for name in ("evil.test", f"{HOST}.evil.test", "evil.test, x"):
        strange = FORWARDED | {"X_Forwarded_Host": name}
        assert behind.fetch("/", host="inner.test", source=PROXY, **strange).status == 421


def test_a_forwarded_http_request_redirects_to_https(behind: Nginx) -> None:
    clear = FORWARDED | {"X_Forwarded_Proto": "http"}
    answer = behind.fetch("/x?y=1", source=PROXY, **clear)
    assert (answer.status, answer.headers["location"]) == (308, f"https://{HOST}/x?y=1")


def test_limits_count_visitors_and_not_the_proxy(behind: Nginx) -> None:
    def book(visitor: str) -> int:
        forwarded = FORWARDED | {"X_Forwarded_For": visitor}
        return behind.fetch("/performances/1/book", "POST", source=PROXY, **forwarded).status

    assert [book("198.51.100.9") for _ in range(3)] == [200, 200, 429]
    assert book("198.51.100.10") == 200
    # All IPv6 addresses with the same first 64 bits are one visitor's.
    assert [book(f"2001:db8:0:1::{n}") for n in range(1, 4)] == [200, 200, 429]
    assert book("2001:db8:0:2::1") == 200


def test_without_an_upstream_proxy_no_header_is_trusted(
    start_nginx: Callable[..., Nginx], echo: Echo
) -> None:
    nginx = start_nginx(BACKEND=f"127.0.0.1:{echo.port}", UPSTREAM_PROXY="127.0.0.1")
    answer = nginx.fetch("/nowhere", **FORWARDED, X_Request_ID="theirs")
    headers = seen(answer.text)
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "http"
    assert headers["X-Request-ID"] == answer.headers["x-request-id"] != "theirs"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("proxy", ["127.0.0.1", PROXY], ids=["believed", "a stranger"])
def test_the_smoke_check_can_act_as_the_upstream_proxy(
    start_nginx: Callable[..., Nginx], site: str, app: Flask, proxy: str
) -> None:
    nginx = start_nginx(SERVE="upstream", UPSTREAM_PROXY=proxy, BACKEND=site)
    options = ["--url", f"https://{HOST}", "--as-proxy-to", f"127.0.0.1:{nginx.http_port}"]
    with app.app_context():
        done = app.test_cli_runner().invoke(args=["smoke", *options])
    assert "FAIL" not in done.output
    assert "all 19 ok" in done.output
    assert done.exit_code == 0
    asked = Visitor(Site(f"https://{HOST}", as_proxy_to=("127.0.0.1", nginx.http_port))).get("/")
    assert ("Strict-Transport-Security" in asked.headers) == (proxy == "127.0.0.1")
