"""Off-site backups: shipped encrypted, fetched, and configured for restic by the operator's settings."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.backup.conftest import Backups, Database, reports
from tests.factories import a_party, a_performance
from tests.support.processes import ROOT

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def elsewhere(backups: Backups, tmp_path: Path) -> Path:
    """Have backups carried to a repository in another folder."""
    password = tmp_path / "restic_password"
    password.write_text("a long word\n", encoding="utf-8")
    repository = tmp_path / "elsewhere"
    backups.settings |= {
        "RESTIC_REPOSITORY": str(repository),
        "RESTIC_PASSWORD_FILE": str(password),
    }
    return repository


def test_backups_are_shipped_and_fetched(
    backups: Backups, elsewhere: Path, database: Database
) -> None:
    a_party(a_performance(), 3, name="Ada Zzyzx")
    name = backups.take()
    assert reports(database) == [("backup", True), ("ship", True)]
    stored = b"".join(path.read_bytes() for path in elsewhere.rglob("*") if path.is_file())
    assert b"Zzyzx" not in stored
    assert b"PGDMP" not in stored

    shutil.rmtree(backups.folder)
    backups.folder.mkdir()
    assert backups.run("fetch", "--list").stdout.split() == [name]
    done = backups.run("fetch")
    assert done.returncode == 0, done.stderr
    assert backups.names() == [name]
    assert backups.run("verify", name).returncode == 0
    assert backups.refusal("fetch", name) == f"{name} is here already"
    assert backups.refusal("fetch", "1999-01-01T000000Z").startswith("there is no backup 1999")


def test_local_backups_are_kept_off_site(backups: Backups, elsewhere: Path) -> None:
    backups.settings |= {
        "BACKUP_KEEP_DAYS": "1",
        "BACKUP_KEEP_WEEKS": "0",
        "BACKUP_KEEP_MONTHS": "0",
    }
    first, second, third = (backups.take() for _ in range(3))

    def there() -> list[str]:
        return backups.run("fetch", "--list").stdout.split()

    assert there() == [first, second, third]
    shutil.rmtree(backups.folder / second)
    fourth = backups.take()
    assert there() == [first, third, fourth]


OVERLAY = yaml.safe_load((ROOT / "docker" / "compose.offsite.yml").read_text(encoding="utf-8"))
# Each place that docs/backups.md offers: the repository, the account's setting, the key's.
PLACES = re.findall(
    r"^\| [^|]+ \| `(\w+:[^`]+)` \| `(\w+)` \| `(\w+)` \|$",
    (ROOT / "docs" / "backups.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_several_repositories_are_accepted() -> None:
    kinds = [repository.partition(":")[0] for repository, *_ in PLACES]
    assert kinds == ["s3", "b2", "azure", "rest"]


@pytest.mark.parametrize(("repository", "account", "key"), PLACES)
def test_restic_gets_the_credentials_of_each_kind_of_repository(
    backups: Backups, elsewhere: Path, tmp_path: Path, *, repository: str, account: str, key: str
) -> None:
    """By the settings and files that the overlay makes of what an operator wrote."""
    written = {"RESTIC_REPOSITORY": repository, account: "the account"}
    service = OVERLAY["services"]["backup"]
    for secret in service["secrets"]:
        (tmp_path / secret).write_text(f"what {secret} holds\n", encoding="utf-8")
    for name, value in service["environment"].items():
        here = value.replace("/run/secrets", str(tmp_path))
        backups.settings[name] = re.sub(
            r"\$\{(\w+):[^}]*\}", lambda found: written.get(found[1], ""), here
        )
    programs = tmp_path / "programs"
    programs.mkdir()
    # In restic's place, as none of these places is at hand.
    (programs / "restic").write_text(f"#!/bin/sh\nenv > {tmp_path}/given\n", encoding="utf-8")
    (programs / "restic").chmod(0o755)
    backups.settings["PATH"] = f"{programs}:{backups.settings['PATH']}"
    backups.take()
    given = (tmp_path / "given").read_text(encoding="utf-8").splitlines()
    assert {
        f"RESTIC_REPOSITORY={repository}", f"{account}=the account", f"{key}=what offsite_key holds",
        f"RESTIC_PASSWORD_FILE={tmp_path / 'restic_password'}",
    } <= set(given)  # fmt: skip


def test_a_backup_that_could_not_be_shipped_is_kept(
    backups: Backups, elsewhere: Path, database: Database
) -> None:
    elsewhere.write_text("no folder", encoding="utf-8")
    assert "failed" in backups.refusal("now")
    assert len(backups.names()) == 1
    assert reports(database) == [("backup", True), ("ship", False)]


def test_an_empty_password_file_is_allowed_only_without_a_repository(
    backups: Backups, elsewhere: Path
) -> None:
    (elsewhere.parent / "restic_password").write_text("", encoding="utf-8")
    assert "RESTIC_PASSWORD_FILE: is empty" in backups.refusal("now")
    backups.settings["RESTIC_REPOSITORY"] = ""
    backups.take()
