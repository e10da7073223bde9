"""A lost SECRET_KEY is noticed: at the start, by the doctor, by `check --deploy`, by docker/new-secrets."""

import logging
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

from azionelab.ops.checks.secret_keys import fingerprint, note_secret_key
from tests.support.processes import PYTHON, ROOT, Program, clean_environment, free_ports

KEY = "Qm5vX0c2RkpsV3pTQ1h1aE9yTnA4eXQ3RGdLYjRhZQ"
NEW = KEY[::-1]
THIRD = KEY[10:] + KEY[:10]

Database = psycopg.Connection[Any]
MakeApp = Callable[..., Flask]


def noted(database: Database) -> list[str]:
    query = "SELECT fingerprint FROM signing_key ORDER BY id"
    return [row[0] for row in database.execute(query).fetchall()]


def reported(app: Flask, command: str, *options: str) -> list[str]:
    """The lines of a command that speak of the key as of a failure."""
    with app.app_context():
        done = app.test_cli_runner().invoke(args=[command, *options])
    return [line for line in done.stdout.splitlines() if "FAIL" in line and "SECRET_KEY:" in line]


def test_only_the_first_start_stores_the_key(make_app: MakeApp, database: Database) -> None:
    for _ in range(2):
        note_secret_key(make_app(SECRET_KEY=KEY))
        assert noted(database) == [fingerprint(KEY)]
    assert KEY not in fingerprint(KEY)


def test_a_lost_key_is_reported_everywhere_and_accepted_only_by_command(
    make_app: MakeApp, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    note_secret_key(make_app(SECRET_KEY=KEY))
    app = make_app(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=THIRD)
    with caplog.at_level(logging.ERROR, "azionelab.ops.checks.secret_keys"):
        note_secret_key(app)
    assert "SECRET_KEY: is not the key" in caplog.text
    assert "docker/secrets" in caplog.text
    assert noted(database) == [fingerprint(KEY)]
    assert len(reported(app, "doctor")) == 1
    assert len(reported(app, "check", "--deploy")) == 1

    with app.app_context():
        assert app.test_cli_runner().invoke(args=["accept-secret-key"]).exit_code == 0
    assert noted(database) == [fingerprint(KEY), fingerprint(NEW)]
    assert reported(app, "doctor") == reported(app, "check", "--deploy") == []
    # The key from before is a lost one now: what the new one signed would not open.
    assert len(reported(make_app(SECRET_KEY=KEY), "doctor")) == 1


def test_a_rotated_key_is_recognized_by_the_fallbacks(
    make_app: MakeApp, database: Database
) -> None:
    note_secret_key(make_app(SECRET_KEY=KEY))
    rotated = make_app(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=f"{THIRD},{KEY}")
    assert reported(rotated, "doctor") == []
    note_secret_key(rotated)
    assert noted(database) == [fingerprint(KEY), fingerprint(NEW)]
    # Later the old one is let go.
    assert reported(make_app(SECRET_KEY=NEW), "doctor") == []


def test_an_unusable_database_does_not_stop_the_start(
    make_app: MakeApp, empty_database: str
) -> None:
    for url in (empty_database, "postgresql://azionelab:Nw7f2RqZ8k@127.0.0.1:1/none"):
        note_secret_key(make_app(DATABASE_URL=url))


def new_secrets(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "docker" / "new-secrets", folder],
        env=clean_environment({"COMPOSE_PROJECT_NAME": "azionelab-none"}),
        capture_output=True,
        text=True,
        check=True,
    )


def test_new_secrets_prints_the_same_fingerprint(tmp_path: Path) -> None:
    first = new_secrets(tmp_path / "secrets")
    assert "Put secret_key and the others back" in first.stderr
    key = (tmp_path / "secrets" / "secret_key").read_text(encoding="ascii")
    again = new_secrets(tmp_path / "secrets")
    assert again.stderr == ""
    for done in (first, again):
        assert f"key   {fingerprint(key)} is the fingerprint of secret_key" in done.stdout


@pytest.mark.parametrize(
    ("lost", "key", "password"),
    [
        ({"secret_key", "database_password"}, True, True),
        ({"secret_key"}, True, False),
        ({"database_password"}, False, True),
        ({"grafana_password", "database_owner_password"}, None, None),  # as after release 0.3
    ],
)
def test_new_secrets_names_the_secrets_that_an_existing_database_needs(
    tmp_path: Path, lost: set[str], key: bool | None, password: bool | None
) -> None:
    new_secrets(tmp_path / "secrets")
    for name in lost:
        (tmp_path / "secrets" / name).unlink()
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\n[ "$*" = "volume inspect theatre_postgres_data" ]\n')
    docker.chmod(0o755)
    environment = clean_environment({"COMPOSE_PROJECT_NAME": "theatre"})
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    done = subprocess.run(
        [ROOT / "docker" / "new-secrets", tmp_path / "secrets"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    warned = "there is a database (volume theatre_postgres_data)" in done.stderr
    assert warned == (key is not None)
    assert ("Its key is not here" in done.stderr) == bool(key)
    assert ("the site cannot log in" in done.stderr) == bool(password)


SERVING = [PYTHON, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
WORKING = [PYTHON, "-m", "flask", "--app", "wsgi", "worker"]


@pytest.mark.parametrize("command", [SERVING, WORKING], ids=["web", "worker"])
def test_the_start_logs_a_lost_key_and_goes_on(
    command: list[str],
    make_app: MakeApp,
    database: Database,
    settings: dict[str, str],
    tmp_path: Path,
) -> None:
    note_secret_key(make_app(SECRET_KEY=KEY))
    changed = settings | {"SECRET_KEY": NEW, "PORT": str(free_ports(1)[0])}
    with Program(command, changed, tmp_path / "log") as program:
        reported = "SECRET_KEY: is not the key that signed the links and tickets sent before"
        # It fails when the program ends instead.
        program.wait_until(lambda: reported in program.output, "the line about the key")
        assert program.output.count(reported) == 1
        program.stop()
    assert noted(database) == [fingerprint(KEY)]
