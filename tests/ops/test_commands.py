"""Making accounts and tokens from the command line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from flask import Flask

from azionelab.checkin.devices.registry import find_device
from azionelab.database import db
from azionelab.staff.invitations import accept
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import Scope
from tests.support.people import log_in

PASSWORD = "correct horse battery staple"


@pytest.fixture
def flask(in_app: Flask) -> Callable[..., Result]:
    """Run a `flask` command, with what is typed into it."""

    def run(*arguments: str, typed: str = "") -> Result:
        return in_app.test_cli_runner().invoke(args=arguments, input=typed)

    return run


Command = Callable[..., Result]


@pytest.mark.parametrize(
    ("options", "role"),
    [([], "admin"), (["--role", "staff"], "staff"), (["--role", "door"], "door")],
)
def test_an_account_is_made(
    flask: Command, database: psycopg.Connection[Any], options: list[str], role: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    reported = flask(
        "create-admin", "Anna@Theatre.org", *options, "--name", "Anna", "--password-file", str(file)
    )
    assert reported.exit_code == 0, reported.output
    assert reported.stdout == f"anna@theatre.org may log in now ({role}).\n"
    assert PASSWORD not in reported.output
    row = database.execute("""
        SELECT email, u.name, array_agg(r.name) AS roles FROM user_account AS u
        JOIN user_role ON user_id = u.id JOIN role AS r ON r.id = role_id GROUP BY u.id
    """).fetchone()
    assert row == ("anna@theatre.org", "Anna", [role])


def test_the_account_can_log_in(flask: Command, app: Flask) -> None:
    flask("create-admin", "anna@theatre.org", "--password-file", "-", typed=f"{PASSWORD}\n")
    client = app.test_client()
    assert log_in(client, "anna@theatre.org", PASSWORD).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_a_link_stands_in_for_a_password(
    flask: Command, app: Flask, database: psycopg.Connection[Any]
) -> None:
    made = flask("create-admin", "anna@theatre.org", "--link")
    assert made.exit_code == 0, made.output
    link = made.stdout.strip()
    # Again it is the same, until it has expired.
    before = database.execute("SELECT * FROM password_link").fetchall()
    assert flask("create-admin", "Anna@Theatre.org", "--link").stdout.strip() == link
    assert database.execute("SELECT * FROM password_link").fetchall() == before
    database.execute("UPDATE password_link SET made_at = made_at - interval '8 days'")
    database.execute("UPDATE password_link SET expires_at = now() - interval '1 second'")
    renewed = flask("create-admin", "anna@theatre.org", "--link").stdout.strip()
    assert renewed != link

    accept(renewed.rpartition("/")[2], PASSWORD)
    assert log_in(app.test_client(), "anna@theatre.org", PASSWORD).status_code == 302
    told = flask("create-admin", "anna@theatre.org", "--link")
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.startswith("anna@theatre.org has an account with a password")


def test_only_the_first_administrator_is_made(
    flask: Command, database: psycopg.Connection[Any]
) -> None:
    assert flask("create-admin", "--first", "--link").exit_code == 2
    # Who was invited and never came cannot log in.
    made = flask("create-admin", "anna@theatre.org", "--first", "--link")
    assert flask("create-admin", "--first", "--link").stdout == made.stdout
    flask("create-admin", "bruno@theatre.org", "--first", typed=f"{PASSWORD}\n{PASSWORD}\n")
    told = flask("create-admin", "carla@theatre.org", "--first", "--link")
    assert told.stdout.startswith("There is an administrator who can log in")
    found = database.execute("SELECT email FROM user_account ORDER BY email").fetchall()
    assert found == [("anna@theatre.org",), ("bruno@theatre.org",)]


def test_the_password_prompt_repeats_and_hides_it(flask: Command) -> None:
    reported = flask("create-admin", "anna@theatre.org", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert reported.exit_code == 0
    assert PASSWORD not in reported.output
    assert flask("create-admin", "bruno@theatre.org", typed=f"{PASSWORD}\nother\n").exit_code == 1


def test_an_invalid_address_gets_no_password_prompt(flask: Command) -> None:
    reported = flask("create-admin", "bad", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert reported.exit_code == 1
    assert reported.output == "Error: This is not a valid e-mail address.\n"


def test_a_password_file_is_utf_8(flask: Command, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes("perché no? così sia".encode("latin-1"))
    reported = flask("create-admin", "anna@theatre.org", "--password-file", str(file))
    assert reported.exit_code == 1
    assert reported.output == "Error: the password file is not UTF-8: save it as UTF-8\n"


def test_an_account_that_exists_is_left_as_it_is(
    flask: Command, database: psycopg.Connection[Any]
) -> None:
    flask("create-admin", "anna@theatre.org", typed=f"{PASSWORD}\n{PASSWORD}\n")
    before = database.execute("SELECT * FROM user_account").fetchall()
    other = "another good password"
    reported = flask(
        "create-admin", "ANNA@theatre.org", "--role", "door", typed=f"{other}\n{other}\n"
    )
    assert reported.exit_code == 1
    assert reported.stderr.splitlines()[-1] == "Error: This address already has an account."
    assert database.execute("SELECT * FROM user_account").fetchall() == before


@pytest.mark.parametrize(
    ("arguments", "password", "status"),
    [
        (["not an address"], PASSWORD, 1),
        (["anna@theatre.org"], "short", 1),
        (["anna@theatre.org"], "", 1),
        (["anna@theatre.org"], "qwertyuiop123", 1),
        (["anna@theatre.org"], "four words\tare enough", 1),
        (["anna@theatre.org", "--role", "king"], PASSWORD, 2),
        ([], PASSWORD, 2),
    ],
)
def test_an_invalid_account_is_refused(
    flask: Command,
    database: psycopg.Connection[Any],
    arguments: list[str],
    password: str,
    status: int,
) -> None:
    reported = flask("create-admin", *arguments, "--password-file", "-", typed=f"{password}\n")
    assert reported.exit_code == status
    assert "Error: " in reported.stderr
    assert database.execute("SELECT id FROM user_account").fetchone() is None


def test_a_token_is_shown_once_and_opens_the_door(flask: Command, app: Flask) -> None:
    reported = flask("create-token", "Door A, Marta's phone", "--hours", "3")
    assert reported.exit_code == 0
    secret = reported.stdout.strip()
    assert "shown only once" in reported.stderr
    assert re.search(r"until \d{4}-\d\d-\d\d \d\d:\d\d CES?T\.", reported.stderr)
    device = find_device(secret)
    assert device is not None
    assert device.label == "Door A, Marta's phone"
    token = db.session.get_one(ApiToken, device.token_id)
    assert (token.expires_at - token.created_at).total_seconds() == 3 * 3600


def test_a_token_may_be_for_scans_only(flask: Command) -> None:
    reported = flask("create-token", "Turnstile", "--scans-only")
    assert "is valid for the door's API (scans only) until" in reported.stderr
    device = find_device(reported.stdout.strip())
    assert device is not None
    assert device.scope is Scope.SCAN


def test_a_label_may_be_any_visible_text(flask: Command) -> None:
    label = "Porta\u00a0A, 👩\u200d🎤"
    reported = flask("create-token", f" {label} ")
    device = find_device(reported.stdout.strip())
    assert device is not None
    assert device.label == label


@pytest.mark.parametrize(
    "arguments", [[" "], ["\u200b"], ["Door\nA"], ["A\u202eB"], ["Door A", "--hours", "0"], []]
)
def test_an_invalid_token_request_is_refused(
    flask: Command, database: psycopg.Connection[Any], arguments: list[str]
) -> None:
    assert flask("create-token", *arguments).exit_code == 2
    assert database.execute("SELECT id FROM api_token").fetchone() is None


def test_a_database_without_tables_gets_a_one_line_message(
    make_app: Callable[..., Flask], empty_database: str
) -> None:
    other = make_app(DATABASE_URL=empty_database)
    with other.app_context():
        reported = other.test_cli_runner().invoke(args=["create-token", "Door A"])
    assert reported.exit_code == 1
    assert reported.stderr == (
        "Error: the database is not migrated to this release: run `flask db upgrade`\n"
    )
