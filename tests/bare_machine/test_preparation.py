"""What `make run` tells of the accounts it made."""

from pathlib import Path

import psycopg
import pytest

from azionelab.staff.accounts import create_account, hash_new_password
from bare_machine.preparation import accounts, secret
from tests.support.people import change_account

pytestmark = pytest.mark.usefixtures("in_app")


def test_only_logins_that_work_are_told(database_url: str, tmp_path: Path) -> None:
    kept = {}
    for role in ("admin", "staff", "door"):
        kept[role] = secret(tmp_path / "passwords" / role)
        create_account(f"{role}@theatre.example", role, kept[role])
    change_account(2, role="admin", active=True)
    change_account(3, role="door", active=False)
    changed = hash_new_password("four words are enough", "staff@theatre.example")
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE user_account SET password = %s WHERE id = 2", [changed])
        admin, staff, door = accounts(connection, tmp_path)
    assert kept["admin"] in admin
    assert "its password was changed" in staff
    assert staff.endswith("everything")
    assert "deactivated" in door
    assert not any(kept[role] in staff + door for role in kept)
