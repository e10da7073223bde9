"""Routing: requests for the application, nginx's own responses, and internal pages."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.support.nginx import HOST, Echo, Nginx

APPLICATIONS = {
    "/": 302,
    "/it/": 200,
    "/shows/unknown": 302,
    "/en/shows/unknown": 404,
    "/en/performances/1/book": 404,
    "/en/bookings/unknown": 404,
    "/bookings/unknown/qr.png": 404,
    "/xx/": 404,
    "/checkin/": 302,
    "/checkin/app": 200,
    "/checkin/sw.js": 200,
    "/checkin/manifest.webmanifest": 200,
    "/staff/login": 200,
    "/admin/": 302,
    "/api/health": 200,
    "/api/openapi.json": 200,
    "/api/v1/performances": 200,
    "/api/v1/performances/1": 404,
    "/nowhere": 404,
}
WITHOUT_SLASH = [
    "/admin", "/api", "/staff", "/api/v1/checkin", "/static/assets",
]  # fmt: skip
INTERNAL = [
    "/metrics", "/metrics/", "//metrics", "/%6detrics", "/shows/../metrics", "/metrics?x=1",
    "/.env", "/.git/config", "/static/.vite/manifest.json", "/static/errors/503.html",
    "/.well-known/acme-challenge/",
]  # fmt: skip
ONCE = (
    "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy",
    "Cross-Origin-Opener-Policy", "X-Request-ID",
)  # fmt: skip


@pytest.mark.parametrize("path", APPLICATIONS)
def test_the_application_answers(front: Nginx, app: Flask, path: str) -> None:
    answer = front.fetch(path)
    assert answer.status == APPLICATIONS[path]
    assert front.logged(answer)["upstream_status"] == str(answer.status)
    for name in ONCE:
        assert "\n" not in answer.headers[name.lower()], "nginx doubles the application's"


def test_the_applications_error_pages_are_passed_on(front: Nginx, app: Flask) -> None:
    assert "See what is on" not in front.fetch("/nowhere", Accept_Language="it").text
    assert "See what is on" not in front.fetch("/it/shows/unknown").text
    problem = front.fetch("/api/v1/performances/1", Accept_Language="it")
    assert problem.headers["content-type"] == "application/problem+json"
    assert "non esiste" in problem.text


@pytest.mark.parametrize("path", WITHOUT_SLASH)
def test_a_missing_slash_redirects_to_the_visitors_host(front: Nginx, path: str) -> None:
    answer = front.fetch(f"{path}?x=1")
    assert (answer.status, answer.headers["location"]) == (301, f"{path}/?x=1")


@pytest.mark.parametrize("path", INTERNAL)
def test_internal_pages_are_not_served(front: Nginx, app: Flask, path: str) -> None:
    answer = front.fetch(path)
    assert answer.status == 404
    assert front.logged(answer)["upstream_status"] == "", "the application was asked"
    assert "Guarda il cartellone" in answer.text
    assert "See what is on" in answer.text


def test_an_error_page_has_its_headers_and_its_style(front: Nginx, site_root: Path) -> None:
    answer = front.fetch("/metrics")
    for name in ONCE:
        assert "\n" not in answer.headers[name.lower()]
    assert answer.headers["cache-control"] == "no-store"
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'self' 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert answer.headers["server"] == "nginx"


@pytest.mark.parametrize("suffix", ["css", "js", "wasm"])
def test_hashed_files_are_immutable_and_compressed(
    front: Nginx, site_root: Path, suffix: str
) -> None:
    path = sorted((site_root / "static" / "assets").glob(f"*.{suffix}"))[0]
    plain = front.fetch(f"/static/assets/{path.name}")
    small = front.fetch(f"/static/assets/{path.name}", Accept_Encoding="gzip")
    kinds = {"css": "text/css", "js": "application/javascript", "wasm": "application/wasm"}
    assert plain.status == small.status == 200
    assert plain.body == path.read_bytes()
    assert small.body == path.with_name(path.name + ".gz").read_bytes()
    for answer in (plain, small):
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == kinds[suffix]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert small.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in plain.headers["vary"]
    assert front.logged(plain)["upstream_status"] == ""


def test_other_files_are_cached_briefly_and_missing_ones_not(front: Nginx) -> None:
    assert front.fetch("/static/favicon.svg").headers["cache-control"] == "public, max-age=300"
    # Of another release, whose pages browsers still have.
    (front.folder / "run" / "kept" / "static" / "assets" / "before-12345678.js").write_text("1")
    before = front.fetch("/static/assets/before-12345678.js")
    assert (before.status, before.headers["cache-control"]) == (
        200, "public, max-age=31536000, immutable",
    )  # fmt: skip
    missing = front.fetch("/static/assets/gone-12345678.js")
    assert missing.status == 404
    assert missing.headers["cache-control"] == "no-store"


def test_pictures_are_served_from_their_folder_and_nothing_else_is(
    front: Nginx, media_root: Path
) -> None:
    digest = "0123456789abcdef" * 2
    (media_root / f"{digest}-640.avif").write_bytes(b"a picture")
    (media_root / f"{digest}-640.svg").write_text("<svg/>")
    (media_root / "incoming-1").mkdir()
    (media_root / "incoming-1" / "640.avif").write_bytes(b"not yet")
    answer = front.fetch(f"/media/{digest}-640.avif")
    assert (answer.status, answer.body) == (200, b"a picture")
    assert answer.headers["content-type"] == "image/avif"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    others = (f"{digest}-640.svg", f"{digest}-320.avif", "incoming-1/640.avif", "", "../x-1.jpg")
    for name in others:
        assert front.fetch(f"/media/{name}").status in (400, 404)


def test_a_strange_host_gets_no_answer(front: Nginx) -> None:
    with pytest.raises(ConnectionError):
        front.fetch("/", host="evil.test")
    assert front.fetch("/", host=f"{HOST}:1234").status == 302


@pytest.mark.parametrize(
    ("path", "limit", "problem"),
    [
        ("/performances/1/book", 64, False),
        ("/it/performances/1/book", 64, False),
        ("/bookings/unknown/cancel", 64, False),
        ("/admin/shows/new/", 256, False),
        ("/admin/season/import", 3 * 1024, False),
        ("/admin/shows/add-picture/", 26 * 1024, False),
        ("/api/v1/performances/1/reservations", 64, True),
    ],
)
def test_too_large_bodies_do_not_reach_the_application(
    start_nginx: Callable[..., Nginx], echo: Echo, path: str, limit: int, problem: bool
) -> None:
    # Not the site: it answers strangers without reading what they sent, and then it is chance what nginx hears first.
    nginx = start_nginx(BACKEND=f"127.0.0.1:{echo.port}")
    small = nginx.fetch(path, "POST", body=b"x" * 1024 * limit)
    assert json.loads(small.text)["headers"]["Content-Length"] == str(1024 * limit)
    large = nginx.fetch(path, "POST", body=b"x" * (1024 * limit + 1))
    assert large.status == 413
    assert len(echo.requests) == 1
    assert nginx.logged(large)["upstream_status"] == ""
    if problem:
        assert large.headers["content-type"] == "application/problem+json"
        assert '"status":413' in large.text
    else:
        assert "Richiesta troppo grande" in large.text


def sample(rule: Rule) -> str:
    """An address of the rule, with a visitor's token wherever one may stand."""
    path = re.sub(r"<(int|uuid):\w+>", "12", rule.rule).replace("<language:language>", "it")
    path = (
        path.replace("<export_type>", "csv")
        .replace("<path:filename>", "assets/some-1a2B.js")
        .replace("<slug>", "some-show")
    )
    return re.sub(r"<[^>]+>", "s3cret.Token_", path)


def test_the_log_has_every_page_and_no_token(front: Nginx, app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        path = sample(rule)
        answer = front.fetch(
            f"{path}?email=ada@example.org", User_Agent="Ada's", Referer="https://x"
        )
        logged = front.logged(answer)
        assert logged["path"] != "-", path
        assert logged["status"] == answer.status
        if "s3cret" not in path and "12/scans/12" not in path:
            assert logged["path"] == path
    for odd in (
        "/bookings%2Fs3cret",
        "/it/s3cret",
        "/it-s3cret/",
        "/ada@example.org",
        "//bookings/s3cret",
        "/x?y=s3cret",
    ):
        assert front.logged(front.fetch(odd))["path"] == "-"
    for secret in ("s3cret", "example.org", "Ada", "127.0.0.1"):
        assert secret not in front.log


def test_a_house_list_is_compressed(start_nginx: Callable[..., Nginx], echo: Echo) -> None:
    echo.headers = {"Content-Type": "application/json"}
    nginx = start_nginx(BACKEND=f"127.0.0.1:{echo.port}")
    path, long = "/api/v1/checkin/performances/1/sync", "n" * 2000
    answer = nginx.fetch(path, "POST", body=b"", Accept_Encoding="gzip", X_Padding=long)
    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
    elsewhere = nginx.fetch("/api/v1/performances", Accept_Encoding="gzip", X_Padding=long)
    assert "content-encoding" not in elsewhere.headers, "beside secrets nothing is compressed"


def test_a_programs_change_passes_and_the_log_keeps_its_secrets(
    start_nginx: Callable[..., Nginx], echo: Echo
) -> None:
    nginx = start_nginx(BACKEND=f"127.0.0.1:{echo.port}")
    path = "/api/v1/staff/reservations/0b8f5f4e-6d0b-4f0e-9b55-5f2f0a9d8f11"
    sent = {"Authorization": "Bearer azl_s3cret", "Idempotency_Key": "k3y"}
    answer = nginx.fetch(path, "PATCH", body=b'{"name": "Ada"}', **sent)
    passed = json.loads(answer.text)["headers"]
    assert (passed["Authorization"], passed["Idempotency-Key"]) == ("Bearer azl_s3cret", "k3y")
    logged = nginx.logged(answer)
    assert (logged["method"], logged["path"]) == ("PATCH", "/api/v1/staff/reservations/-")
    for secret in ("s3cret", "k3y", "0b8f", "Ada"):
        assert secret not in nginx.log
