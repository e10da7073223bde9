"""Restoring a lost installation; a failed restore changes nothing."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import flask_migrate
import psycopg
import pytest
from flask import Flask
from psycopg import sql

from azionelab.bookings import rules
from azionelab.bookings.seats import holds
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.ops.checks.secret_keys import fingerprint, note_secret_key
from bare_machine.embedded_postgres import as_application
from tests.backup.conftest import Backups, making_backups
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    let_lapse,
    seats_held,
    ticket_token,
    visitor_token,
)
from tests.support.processes import AS_NO_SUPERUSER


def an_evening() -> tuple[int, dict[str, str], str]:
    """Bookings in every state; the performance, visitors' tokens by state, the door's for one."""
    performance = a_performance(capacity=20)
    confirmed, inside = a_party(performance, 2), a_party(performance, 3)
    admit(performance.id, ticket_token(inside), uuid4(), DOOR_A, people=2)
    taken_back = uuid4()
    admit(performance.id, ticket_token(confirmed), taken_back, DOOR_A)
    undo(performance.id, taken_back, DOOR_A)
    cancelled = a_party(performance, 2)
    rules.cancel(cancelled.id)
    expired = a_party(performance, 1, confirmed=False)
    let_lapse(expired)
    holds.expire_lapsed_holds()
    pending = a_party(performance, 4, confirmed=False)
    parties = {
        "confirmed": confirmed,
        "inside": inside,
        "cancelled": cancelled,
        "expired": expired,
        "pending": pending,
    }
    tokens = {state: visitor_token(party) for state, party in parties.items()}
    return performance.id, tokens, ticket_token(confirmed)


@contextmanager
def running(make_app: Callable[..., Flask], url: str) -> Iterator[Flask]:
    """The application on a database, with a role of its own; it lets go of it afterwards."""
    app = make_app(DATABASE_URL=as_application(url), MIGRATION_DATABASE_URL=url)
    with app.app_context():
        yield app
        from azionelab.database import db

        db.session.remove()
        db.engine.dispose()


def destroy(server: str, url: str) -> None:
    """Lose the database and get an empty one, as a new disk does."""
    name = sql.Identifier(url.partition("?")[0].rpartition("/")[2])
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))


def rows(url: str) -> dict[str, list[Any]]:
    """Everything in a database but the backups' own reports."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename <> 'backup_report' ORDER BY 1"
        ).fetchall()
        return {
            name: sorted(
                map(str, connection.execute(sql.SQL("TABLE {}").format(sql.Identifier(name))))
            )
            for (name,) in names
        }


def test_a_lost_installation_is_restored(
    make_backups: Callable[[str], Backups],
    make_app: Callable[..., Flask],
    empty_database: str,
    database_server: str,
) -> None:
    backups = make_backups(as_application(empty_database))
    backups.settings["MIGRATION_DATABASE_URL"] = empty_database
    (backups.media / "posters").mkdir()
    (backups.media / "posters" / "amleto.jpg").write_bytes(b"\xff\xd8 a poster")
    with running(make_app, empty_database) as app:
        flask_migrate.upgrade()
        performance, tokens, at_the_door = an_evening()
        pages = {state: page(app, token) for state, token in tokens.items()}
    before = rows(empty_database)
    backups.take()

    destroy(database_server, empty_database)
    (backups.media / "posters" / "amleto.jpg").unlink()
    (backups.media / "posters").rmdir()
    done = backups.run("restore")
    assert done.returncode == 0, done.stderr
    total = sum(map(len, before.values()))
    assert f"restored {total} of {total} rows" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("now run `flask db upgrade`")

    assert rows(empty_database) == before
    assert (backups.media / "posters" / "amleto.jpg").read_bytes() == b"\xff\xd8 a poster"
    with running(make_app, empty_database) as app:
        doctor = app.test_cli_runner().invoke(args=["doctor"])
        assert doctor.exit_code == 0, doctor.output
        assert {line.split()[0] for line in doctor.stdout.splitlines()} == {"ok"}
        assert {state: page(app, token) for state, token in tokens.items()} == pages
        for state in ("confirmed", "inside"):
            for paper in ("qr.png", "ticket.pdf", "event.ics"):
                answer = app.test_client().get(f"/bookings/{tokens[state]}/{paper}")
                assert answer.status_code == 200, paper
        # And life goes on: the counters count, and nobody comes in a second time.
        assert seats_held(performance) == (9, 9)
        assert admit(performance, at_the_door, uuid4(), DOOR_A).people == 2
        a_party(a_performance(), 2)


def page(app: Flask, token: str) -> str:
    """The visitor's own page, without what is new on every page: the forms' keys."""
    answer = app.test_client().get(f"/bookings/{token}")
    assert answer.status_code == 200
    return re.sub(r' value="[^"]*"', "", answer.text)


def take_of_an_evening(backups: Backups) -> str:
    """Take a backup of an evening and a file."""
    (backups.media / "poster.jpg").write_bytes(b"old")
    an_evening()
    return backups.take()


@pytest.fixture(scope="module")
def taken_once(
    app: Flask,
    postgres_programs: dict[str, str],
    database_url: str,
    forget: Callable[[], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of a backup of an evening, to be copied."""
    folder = tmp_path_factory.mktemp("taken")
    with making_backups(folder, postgres_programs) as make, app.app_context():
        backups = make(database_url)
        name = take_of_an_evening(backups)
    forget()
    return backups.folder / name


@pytest.fixture
def taken(backups: Backups, taken_once: Path) -> str:
    """A backup, with an evening in it and a file, which is still there."""
    (backups.media / "poster.jpg").write_bytes(b"old")
    shutil.copytree(taken_once, backups.folder / taken_once.name)
    return taken_once.name


def elsewhere(url: str) -> dict[str, str]:
    return {"DATABASE_URL": url}


@pytest.mark.parametrize("harm", ["changed", "cut", "gone"])
def test_a_corrupt_backup_is_refused(
    backups: Backups, taken: str, empty_database: str, harm: str
) -> None:
    (backups.media / "poster.jpg").write_bytes(b"new")
    for path in sorted((backups.folder / taken).iterdir()):
        content = path.read_bytes()
        middle = len(content) // 2
        path.unlink()
        if harm == "changed":
            byte = bytes([content[middle] ^ 1])
            path.write_bytes(content[:middle] + byte + content[middle + 1 :])
        elif harm == "cut":
            path.write_bytes(content[:middle])
        reported = backups.refusal("restore", "--replace", **elsewhere(empty_database))
        assert reported.startswith(f"{taken} is corrupt: "), path
        assert backups.run("list").stdout.startswith(f"{taken}  CORRUPT: "), path
        path.write_bytes(content)
    assert rows(empty_database) == {}
    assert (backups.media / "poster.jpg").read_bytes() == b"new"


def test_a_backup_that_was_copied_by_hand_is_not_called_corrupt(
    backups: Backups, taken: str, empty_database: str
) -> None:
    for path in sorted((backups.folder / taken).iterdir()):
        path.chmod(0)
        reported = backups.refusal("restore", by=AS_NO_SUPERUSER, **elsewhere(empty_database))
        assert reported == f"{taken} cannot be read: its owner has to be {os.geteuid()} (chown -R)"
        listed = backups.run("list", by=AS_NO_SUPERUSER).stdout
        assert listed.startswith(f"{taken}  not readable: its owner"), path
        path.chmod(0o600)


def sum_up(folder: Path) -> None:
    """Write the checksums of a backup's files as they are now."""
    sums = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("database.dump", "media.tar", "manifest.json")
    ]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="ascii")


KEY = "Qm5vX0c2RkpsV3pTQ1h1aE9yTnA4eXQ3RGdLYjRhZQ"
OTHER = KEY[::-1]


@pytest.mark.parametrize(
    ("keys", "opens"),
    [
        ({"SECRET_KEY": KEY}, True),
        ({"SECRET_KEY": OTHER, "SECRET_KEY_FALLBACKS": f"x, {KEY}"}, True),
        ({"SECRET_KEY": OTHER}, False),
        ({}, True),  # not told here: doctor looks again
    ],
)
def test_a_restore_says_when_the_key_is_another(
    backups: Backups,
    make_app: Callable[..., Flask],
    empty_database: str,
    keys: dict[str, str],
    opens: bool,
) -> None:
    note_secret_key(make_app(SECRET_KEY=KEY))
    taken = backups.take()
    assert backups.run("list").stdout.endswith(f", key {fingerprint(KEY)}\n")
    done = backups.run("restore", taken, **elsewhere(empty_database), **keys)
    assert done.returncode == 0, done.stderr
    assert ("they will not open" in done.stderr) is not opens
    if not opens:
        assert fingerprint(KEY) in done.stderr
        assert fingerprint(OTHER) in done.stderr
        assert "docker/secrets/secret_key" in done.stderr


def test_a_backup_of_an_earlier_release_names_no_key(
    backups: Backups, taken: str, empty_database: str
) -> None:
    folder = backups.folder / taken
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["secret_key"]
    (folder / "manifest.json").write_text(json.dumps(manifest | {"later": 1}), encoding="utf-8")
    sum_up(folder)
    done = backups.run("restore", "--replace", **elsewhere(empty_database), SECRET_KEY=OTHER)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_truncated_dump_restores_nothing(
    backups: Backups, taken: str, empty_database: str
) -> None:
    """The checksums are those of a dump that was cut before they were taken."""
    folder = backups.folder / taken
    dump = folder / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-2000])
    sum_up(folder)
    (backups.media / "poster.jpg").unlink()
    reported = backups.refusal("restore", **elsewhere(empty_database))
    assert reported.startswith("nothing was restored: ")
    assert rows(empty_database) == {}
    assert list(backups.media.iterdir()) == []


@pytest.mark.usefixtures("in_app", "newer_schema")
def test_an_unknown_schema_is_refused(backups: Backups, empty_database: str) -> None:
    backups.settings["AZIONELAB_TAG"] = "9.9.9-aaaaaaaaaaaa"
    newer = backups.take()
    backups.settings["AZIONELAB_TAG"] = "9.9.8-bbbbbbbbbbbb"
    reported = backups.refusal("restore", newer, "--replace", **elsewhere(empty_database))
    assert reported.startswith(
        f"{newer} has schema 9999, and this release (9.9.8-bbbbbbbbbbbb) knows none after "
    )
    assert ": restore it with release 9.9.9-aaaaaaaaaaaa, which took it, or " in reported
    assert rows(empty_database) == {}
    # What cannot be restored is not called good.
    assert backups.refusal("verify", newer) == reported


def test_after_a_rollback_the_release_restores_what_it_took(
    make_backups: Callable[[str], Backups],
    make_app: Callable[..., Flask],
    empty_database: str,
    database_server: str,
) -> None:
    backups = make_backups(empty_database)
    with running(make_app, empty_database):
        flask_migrate.upgrade()
        performance, tokens, _ = an_evening()
    # What the next release's migration left behind.
    with psycopg.connect(empty_database) as connection:
        connection.execute("ALTER TABLE show ADD COLUMN note text DEFAULT 'new'")
        connection.execute("CREATE TABLE usher AS SELECT 'Ada' AS name")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = rows(empty_database)
    taken = backups.take()
    done = backups.run("verify")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{taken} is good: ")
    assert ", schema 9999, " in done.stdout

    apart = {
        "DATABASE_URL": as_application(empty_database),
        "MIGRATION_DATABASE_URL": empty_database,
    }
    for how in (["--replace"], []):
        if not how:
            destroy(database_server, empty_database)
        done = backups.run("restore", taken, *how, **apart)
        assert done.returncode == 0, done.stderr
        # `flask db upgrade` refuses a schema that it does not know.
        assert done.stdout.splitlines()[-1] == "now run `flask doctor`, then start the site"
        assert rows(empty_database) == before
    with running(make_app, empty_database) as app:
        doctor = app.test_cli_runner().invoke(args=["doctor"])
        assert doctor.exit_code == 0, doctor.output
        health = app.test_client().get("/api/health")
        assert (health.status_code, health.get_json()["migrations"]) == (200, "newer")
        page(app, tokens["confirmed"])
        assert seats_held(performance) == (9, 9)
        a_party(a_performance(), 2)


def test_a_database_with_tables_is_left_alone(
    backups: Backups, taken: str, empty_database: str
) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE precious AS SELECT 1 AS one")
    reported = backups.refusal("restore", **elsewhere(empty_database))
    assert reported == "the database is not empty; --replace gives up what is in it"
    assert list(rows(empty_database)) == ["precious"]


def test_media_are_left_alone(backups: Backups, taken: str, empty_database: str) -> None:
    reported = backups.refusal("restore", **elsewhere(empty_database))
    assert reported == f"{backups.media} is not empty; --replace gives up what is in it"
    assert rows(empty_database) == {}


def test_a_running_site_is_left_alone(backups: Backups, taken: str, empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        reported = backups.refusal("restore", "--replace", **elsewhere(empty_database))
        assert reported == "1 others are connected to the database: stop the site first"
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_replace_deletes_the_existing_data(
    backups: Backups, in_app: Flask, empty_database: str, database_url: str
) -> None:
    taken = take_of_an_evening(backups)
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE precious AS SELECT 1 AS one")
        connection.execute("CREATE VIEW on_it AS TABLE precious")
    (backups.media / "poster.jpg").write_bytes(b"new")
    (backups.media / "other.jpg").write_bytes(b"new")
    done = backups.run("restore", taken, "--replace", **elsewhere(empty_database))
    assert done.returncode == 0, done.stderr
    assert rows(empty_database) == rows(database_url)
    assert [path.name for path in backups.media.iterdir()] == ["poster.jpg"]
    assert (backups.media / "poster.jpg").read_bytes() == b"old"


def test_a_failed_replace_changes_nothing(
    backups: Backups, taken: str, empty_database: str
) -> None:
    """The database refuses late, when the rows are in and the old tables are gone."""
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE precious AS SELECT 1 AS one")
        connection.execute("CREATE SCHEMA guard")
        connection.execute(
            "CREATE FUNCTION guard.refuse() RETURNS event_trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE 'no more room'; END $$"
        )
        connection.execute(
            "CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE INDEX')"
            " EXECUTE FUNCTION guard.refuse()"
        )
    (backups.media / "poster.jpg").write_bytes(b"new")
    reported = backups.refusal("restore", "--replace", **elsewhere(empty_database))
    assert reported == "nothing was restored: no more room"
    assert list(rows(empty_database)) == ["precious"]
    assert (backups.media / "poster.jpg").read_bytes() == b"new"


def test_a_full_volume_of_media_restores_nothing(
    backups: Backups, taken: str, empty_database: str
) -> None:
    (backups.media / "poster.jpg").write_bytes(b"x" * 1_000_000)
    big = backups.take()
    (backups.media / "poster.jpg").write_bytes(b"new")
    reported = backups.refusal(
        "restore", big, "--replace", before="ulimit -f 100", **elsewhere(empty_database)
    )
    assert "File too large" in reported
    assert rows(empty_database) == {}
    assert (backups.media / "poster.jpg").read_bytes() == b"new"
    assert [path.name for path in backups.media.iterdir()] == ["poster.jpg"]


def test_an_unknown_backup(backups: Backups, empty_database: str) -> None:
    reported = backups.refusal("restore", **elsewhere(empty_database))
    assert reported == f"there is no backup in {backups.folder}"


def test_a_password_never_shows(backups: Backups, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("Nw7f2RqZ8k\n", encoding="utf-8")
    url = "postgresql+psycopg://azionelab@127.0.0.1:1/none"
    done = backups.run("now", DATABASE_URL=url, DATABASE_PASSWORD_FILE=str(secret))
    assert done.returncode == 1
    assert "Nw7f2RqZ8k" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
