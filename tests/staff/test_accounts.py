"""Making and changing staff accounts."""

import threading

import psycopg
import pytest
from flask import Flask
from flask_security import hash_password

from azionelab.app import create_app
from azionelab.settings.loading import load_config
from azionelab.staff.accounts import AccountError, create_account
from azionelab.staff.models import User
from tests.support.people import PASSWORD, change_account

pytestmark = pytest.mark.usefixtures("in_app")


def test_an_account_has_its_role_and_no_readable_password(
    database: psycopg.Connection[tuple[str, ...]],
) -> None:
    create_account(" Anna@Theatre.ORG ", "door", PASSWORD, name=" Anna ")
    row = database.execute(
        "SELECT u.email, u.name, u.password, u.active, r.name AS role FROM user_account u"
        " JOIN user_role ON user_id = u.id JOIN role r ON role_id = r.id"
    ).fetchone()
    assert (row.email, row.name, row.active, row.role) == ("anna@theatre.org", "Anna", True, "door")
    assert row.password.startswith("$argon2id$")


def test_a_password_costs_what_owasp_asks_at_least(settings: dict[str, str]) -> None:
    """OWASP's Password Storage Cheat Sheet: Argon2id with 19 MiB, two rounds, one thread."""
    with create_app(load_config(settings)).app_context():
        assert hash_password(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"email": "anna"}, "email"),
        ({"email": "anna@theatre.org\0"}, "email"),
        ({"email": "ànna@theatre.org"}, "email"),  # no mail could reach it
        ({"role": "usher"}, "role"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 11}, "password"),
        ({"password": "anna@theatre.org"}, "password"),
        ({"password": "four words\nare enough"}, "password"),
    ],
)
def test_what_cannot_be_an_account_is_refused_by_its_field(
    changed: dict[str, str],
    field: str,
    database: psycopg.Connection[tuple[int, ...]],
) -> None:
    with pytest.raises(AccountError) as refusal:
        create_account(
            **{"email": "anna@theatre.org", "role": "door", "password": PASSWORD} | changed
        )
    assert refusal.value.field == field
    assert str(refusal.value)
    assert database.execute("SELECT count(*) FROM user_account").fetchone() == (0,)


def test_a_name_does_not_turn_what_stands_beside_it() -> None:
    with pytest.raises(AccountError, match="non si possono visualizzare"):
        create_account("anna@theatre.org", "door", PASSWORD, name="An\u202ena")
    anna = create_account("anna@theatre.org", "door", PASSWORD, name="Anna")
    with pytest.raises(AccountError, match="non si possono visualizzare"):
        change_account(anna.id, role="door", active=True, name="An\u202ena")


def test_one_address_has_one_account_however_it_is_written() -> None:
    create_account("anna@theatre.org", "door", PASSWORD)
    with pytest.raises(AccountError) as refusal:
        create_account("ANNA@theatre.org", "staff", PASSWORD)
    assert refusal.value.field == "email"


def test_somebody_stays_administrator() -> None:
    admin = create_account("admin@theatre.org", "admin", PASSWORD)
    for change in ({"role": "staff", "active": True}, {"role": "admin", "active": False}):
        with pytest.raises(AccountError):
            change_account(admin.id, **change)
    other = create_account("other@theatre.org", "admin", PASSWORD)
    assert change_account(admin.id, role="door", active=True).roles[0].name == "door"
    with pytest.raises(AccountError):
        change_account(other.id, role="door", active=True)


def test_two_administrators_cannot_demote_each_other_at_once(
    app: Flask, database: psycopg.Connection[tuple[int, ...]]
) -> None:
    numbers = [create_account(f"{n}@theatre.org", "admin", PASSWORD).id for n in range(2)]
    together = threading.Barrier(2)
    refused = []

    def demote(number: int) -> None:
        with app.app_context():
            together.wait()
            try:
                change_account(number, role="staff", active=True)
            except AccountError as refusal:
                refused.append(refusal.field)

    threads = [threading.Thread(target=demote, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["role"]
    admins = "SELECT count(*) FROM user_role JOIN role ON role_id = id WHERE name = 'admin'"
    assert database.execute(admins).fetchone() == (1,)


def test_another_role_leaves_the_password_and_the_sessions() -> None:
    anna: User = create_account("anna@theatre.org", "door", PASSWORD)
    before = anna.password, anna.fs_uniquifier
    changed = change_account(anna.id, role="staff", active=True, name="Anna B.")
    assert (changed.password, changed.fs_uniquifier) == before
    assert changed.name == "Anna B."
