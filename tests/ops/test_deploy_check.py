"""`flask check --deploy`: every deployment requirement is met or reported."""

import http.client
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from flask import Flask

from azionelab.staff.accounts import create_account
from tests.support.processes import (
    PATIENCE,
    PYTHON,
    ROOT,
    Program,
    clean_environment,
    free_port,
)

SAFE = {
    "FLASK_DEBUG": "false",
    "SECRET_KEY": "Qm5vX0c2RkpsV3pTQ1h1aE9yTnA4eXQ3RGdLYjRhZQ",
    "SITE_BASE_URL": "https://biglietti.teatro.it",
    "ALLOWED_HOSTS": "biglietti.teatro.it",
    "CSRF_TRUSTED_ORIGINS": "https://biglietti.teatro.it",
    "TRUSTED_PROXIES": "1",
    "MAIL_SERVER": "smtp.teatro.it",
    "MAIL_PORT": "587",
    "MAIL_USE_TLS": "true",
    "MAIL_DEFAULT_SENDER": "biglietteria@teatro.it",
}


@pytest.fixture
def built(tmp_path: Path) -> str:
    """A folder that looks like a built front end."""
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text("{}", encoding="utf-8")
    return str(tmp_path)


def check(app: Flask, *options: str) -> Result:
    with app.app_context():
        return app.test_cli_runner().invoke(args=["check", *options])


def failures(result: Result) -> list[str]:
    assert result.exception is None or isinstance(result.exception, SystemExit)
    reported = [
        line.split()[1].rstrip(":") for line in result.stdout.splitlines() if "FAIL" in line
    ]
    assert result.exit_code == (1 if reported else 0)
    return reported


def administrator(app: Flask) -> None:
    with app.app_context():
        create_account("anna@theatre.org", "admin", "correct horse battery staple")


def test_a_ready_deployment(make_app: Callable[..., Flask], built: str) -> None:
    app = make_app(**SAFE, FRONTEND_DIST=built)
    administrator(app)
    result = check(app, "--deploy")
    assert failures(result) == []
    for name in ("SECRET_KEY", "ALLOWED_HOSTS", "MAIL_SERVER", "DATABASE", "MIGRATIONS", "ADMIN"):
        assert f"ok    {name}" in result.stdout
    assert "look  BACKUPS" in result.stdout
    assert (
        "look  TLS: cannot be checked from here: run `flask smoke --url https://big"
        in result.stdout
    )
    # Inside Compose the site's name leads nowhere: docs/deployment.md runs it with these.
    assert "`--connect-to entrance:8443 --connect-to-http entrance:8080`" in result.stdout


@pytest.mark.parametrize(
    ("reports", "reported"),
    [
        ({"backup": "1 hour", "verify": "1 day"}, []),
        ({"backup": "1 hour"}, ["BACKUPS"]),
        ({"verify": "1 hour"}, ["BACKUPS"]),
        ({"backup": "2 days", "verify": "1 day"}, ["BACKUPS"]),
        ({"backup": "1 hour", "verify": "10 days"}, ["BACKUPS"]),
    ],
)
def test_backups_and_restore_tests_are_checked(
    make_app: Callable[..., Flask],
    built: str,
    database: psycopg.Connection[Any],
    reports: dict[str, str],
    reported: list[str],
) -> None:
    app = make_app(**SAFE, FRONTEND_DIST=built)
    administrator(app)
    for task, age in reports.items():
        database.execute(
            "INSERT INTO backup_report (task, well, ended_at)"
            " VALUES (%s, true, now() - %s::interval)",
            [task, age],
        )
    assert failures(check(app, "--deploy")) == reported


def test_an_older_backup_does_not_replace_a_failed_one(
    make_app: Callable[..., Flask], built: str, database: psycopg.Connection[Any]
) -> None:
    app = make_app(**SAFE, FRONTEND_DIST=built)
    administrator(app)
    database.execute(
        "INSERT INTO backup_report (task, well, ended_at) VALUES"
        " ('backup', true, now() - interval '5 hours'), ('verify', true, now()),"
        " ('backup', false, now())"
    )
    assert failures(check(app, "--deploy")) == ["BACKUPS"]


def test_an_alert_address_needs_a_watch(
    make_app: Callable[..., Flask], built: str, database: psycopg.Connection[Any]
) -> None:
    app = make_app(**SAFE, FRONTEND_DIST=built, ALERT_EMAIL="ada@teatro.it")
    administrator(app)
    remark = "look  ALERT_EMAIL: no `flask watch` has reported"
    assert remark in check(app, "--deploy").stdout
    database.execute("INSERT INTO status_report (part, facts) VALUES ('watch', '{}')")
    assert remark not in check(app, "--deploy").stdout


def test_the_check_before_serving_uses_no_network(
    make_app: Callable[..., Flask], built: str, tmp_path: Path
) -> None:
    away = {"DATABASE_URL": "postgresql://azionelab:Nw7f2RqZ8k@127.0.0.1:1/none"}
    ready = check(make_app(**SAFE, FRONTEND_DIST=built, **away), "--deploy", "--serving")
    assert failures(ready) == []
    for unready in (
        make_app(**SAFE, FRONTEND_DIST=str(tmp_path / "none"), **away),
        make_app(**SAFE | {"TRUSTED_PROXIES": "0"}, FRONTEND_DIST=built, **away),
        make_app(FRONTEND_DIST=built, **away),
    ):
        assert check(unready, "--deploy", "--serving").exit_code == 1


@pytest.mark.parametrize("unsafe", [{}, {"TRUSTED_PROXIES": "0"}], ids=["safe", "unsafe"])
def test_the_deployments_gunicorn_checks_before_it_serves(
    unsafe: dict[str, str], built: str, tmp_path: Path
) -> None:
    address = f"127.0.0.1:{free_port()}"
    away = {"DATABASE_URL": "postgresql://azionelab:Nw7f2RqZ8k@127.0.0.1:1/none"}
    settings = SAFE | away | {"FRONTEND_DIST": built, "GUNICORN_BIND": address} | unsafe
    command = [PYTHON, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:checked()"]
    with Program(command, settings, tmp_path / "log") as site:
        if unsafe:
            assert site.wait() == 1
        else:
            site.wait_until(lambda: answers(address), "an answer")
        log = site.output
    assert ("FAIL  TRUSTED_PROXIES: is 0" in log) == bool(unsafe)
    assert "ok    SECRET_KEY" in log
    assert "Traceback" not in log


def answers(address: str) -> bool:
    """Whether a server says anything at all there."""
    site = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        site.request("GET", "/api/health")
        return site.getresponse().status > 0
    except OSError:
        return False
    finally:
        site.close()


def test_advice_does_not_stop_serving(make_app: Callable[..., Flask], built: str) -> None:
    relay = {"MAIL_SERVER": "mail", "MAIL_USE_TLS": "false"}
    result = check(make_app(**SAFE | relay, FRONTEND_DIST=built), "--deploy", "--serving")
    assert failures(result) == []
    assert "look  MAIL_USE_TLS: mails go to mail unencrypted" in result.stdout


def test_a_development_server_is_not_ready(app: Flask) -> None:
    assert failures(check(app, "--deploy"))[:5] == [
        "FLASK_DEBUG",
        "SITE_BASE_URL",
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "TRUSTED_PROXIES",
    ]


def test_settings_are_checked_only_with_deploy(make_app: Callable[..., Flask], built: str) -> None:
    app = make_app(FRONTEND_DIST=built)
    administrator(app)
    assert failures(check(app)) == []


def test_an_administrator_is_needed(make_app: Callable[..., Flask], built: str) -> None:
    app = make_app(**SAFE, FRONTEND_DIST=built)
    with app.app_context():
        create_account("door@theatre.org", "door", "correct horse battery staple")
    assert failures(check(app, "--deploy")) == ["ADMIN"]


def test_a_front_end_is_needed(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(**SAFE, FRONTEND_DIST=str(tmp_path))
    administrator(app)
    assert failures(check(app, "--deploy")) == ["FRONTEND_DIST"]


def test_migrations_are_needed(
    make_app: Callable[..., Flask], built: str, empty_database: str
) -> None:
    app = make_app(**SAFE, FRONTEND_DIST=built, DATABASE_URL=empty_database)
    assert failures(check(app, "--deploy")) == ["MIGRATIONS"]


def test_a_newer_schema_is_reported_for_review(
    make_app: Callable[..., Flask], built: str, newer_schema: None
) -> None:
    app = make_app(**SAFE, FRONTEND_DIST=built)
    administrator(app)
    result = check(app, "--deploy")
    assert failures(result) == []
    assert "look  MIGRATIONS: newer than this release" in result.stdout


def test_a_database_is_needed(make_app: Callable[..., Flask], built: str) -> None:
    url = "postgresql://azionelab:Nw7f2RqZ8k@127.0.0.1:1/none"
    app = make_app(**SAFE, FRONTEND_DIST=built, DATABASE_URL=url)
    result = check(app, "--deploy")
    assert failures(result) == ["DATABASE"]
    assert "Nw7f2RqZ8k" not in result.output


def test_invalid_settings_are_all_named_without_a_traceback() -> None:
    settings = {
        "SECRET_KEY": "change-me",
        "DATABASE_URL": "postgresql://azionelab:change-me@postgres/azionelab",
        "SITE_BASE_URL": "http://localhost",
        "HOLD_MINUTES": "soon",
        "CORS_ALLOWED_ORIGINS": "http://localhost:4200",
    }
    done = subprocess.run(
        [PYTHON, "-m", "flask", "--app", "wsgi", "check", "--deploy"],
        cwd=ROOT,
        env=clean_environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for name in (
        "SECRET_KEY", "DATABASE_URL", "SITE_BASE_URL", "HOLD_MINUTES", "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS", "MAIL_SERVER", "MAIL_DEFAULT_SENDER",
    ):  # fmt: skip
        assert any(line.startswith(f"{name}: ") for line in done.stderr.splitlines()), name
