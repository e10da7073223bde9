"""`docker/upgrade` under a steady load: upgrade, failed upgrades, changed settings and rollback, unnoticed."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.containers.conftest import Stack, run
from tests.containers.visitors import Visitors
from tests.support.processes import PATIENCE, ROOT, eventually

MIGRATION = '''\
"""A note for each show, as a later release might want."""

import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("show", sa.Column("note", sa.Text()))


def downgrade() -> None:
    op.drop_column("show", "note")
'''
IGNORED = shutil.ignore_patterns(
    ".git", ".venv", "instance", "node_modules", "dist", "__pycache__", ".*_cache", "secrets"
)


@pytest.fixture
def next_tag(engine: Mapping[str, Any]) -> Iterator[str]:
    """The tag of its images, which nobody has built yet; they go afterwards."""
    tag = f"9.9.9-{uuid4().hex[:12]}"
    yield tag
    images = (f"azionelab-{name}:{tag}" for name in ("backend", "nginx", "backup"))
    run("docker", "image", "rm", "--force", *images, check=False)


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """A later release's folder, that has one migration more than this one."""
    folder = tmp_path / "next"
    shutil.copytree(ROOT, folder, ignore=IGNORED, symlinks=True)
    versions = folder / "migrations" / "versions"
    head = max(re.match(r"\d+", path.name)[0] for path in versions.glob("0*.py"))  # type: ignore[index]
    (versions / "9999_note.py").write_text(MIGRATION.format(head=head))
    facts = folder / "pyproject.toml"
    facts.write_text(re.sub("(?m)^version = .*", 'version = "9.9.9"', facts.read_text()))
    return folder


def whose(stack: Stack) -> tuple[str, ...]:
    """The options that name this stack."""
    return ("--env-file", str(stack.env_file), "--project-name", stack.name)


def upgrade(stack: Stack, *options: str, check: bool = True) -> str:
    """Run docker/upgrade of the stack's checkout; what it printed."""
    done = run(
        stack.source / "docker" / "upgrade",
        *whose(stack),
        *options,
        check=check,
    )
    assert check or done.returncode == 1
    return done.stdout + done.stderr


def given_up(stack: Stack) -> None:
    """Run docker/upgrade and close its output while a new backend starts; it has gone back when this returns."""
    command = [str(part) for part in (stack.source / "docker" / "upgrade", *whose(stack))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        assert any("the new start" in line for line in program.stdout)
        program.stdout.close()
        assert program.wait(timeout=PATIENCE * 4) == 1


def running(stack: Stack) -> set[str]:
    """The stack's containers; all of them run."""
    services = ("entrance", "nginx", "backend", "worker", "backup")
    found = [container for service in services for container in stack.containers(service)]
    assert {container["State"]["Status"] for container in found} == {"running"}
    return {container["Id"] for container in found}


def test_nobody_notices_an_upgrade(next_tag: str, own_stack: Stack, next_release: Path) -> None:
    stack = own_stack
    this_tag = stack.setting("AZIONELAB_TAG")
    # All of the visitors come from one network, and more often than one person would.
    stack.set(
        BOX_OFFICE_NETWORKS="10.0.0.0/8,172.16.0.0/12,192.168.0.0/16", UNCONFIRMED_PERCENT="100"
    )
    stack.flask("db", "upgrade")
    stack.up()
    evening = stack.evening(5000)
    first = running(stack)
    (entrance,) = stack.containers("entrance")

    with Visitors(stack, evening) as visitors:
        # What runs is what is asked for.
        assert "nothing to do" in upgrade(stack)

        stack.source = next_release
        stack.set(AZIONELAB_TAG=next_tag)
        assert "to replace: backend nginx worker backup" in upgrade(stack, "--dry-run")
        assert running(stack) == first

        # A failure after visitors are at the new one: the worker does not run.
        sound = stack.surroundings.read_text()
        stack.overlay(services={"worker": {"command": ["false"]}})
        told = upgrade(stack, check=False)
        assert f"{this_tag} runs as before" in told
        assert running(stack) == first
        assert stack.setting("AZIONELAB_TAG") == this_tag
        stack.surroundings.write_text(sound)

        stack.set(AZIONELAB_TAG=next_tag)
        upgrade(stack)
        assert stack.sql("SELECT version_num FROM alembic_version") == "next"
        (backend,) = stack.containers("backend")
        assert backend["Config"]["Image"].endswith(f":{next_tag}")

        # Given up by somebody whose terminal is gone; then a setting that the site takes, with more backends.
        second = running(stack)
        stack.set(HOLD_MINUTES="31")
        given_up(stack)
        assert running(stack) == second
        stack.set(BACKEND_CONTAINERS="3")
        upgrade(stack)
        assert len(stack.containers("backend")) == 3

        # Back, on the newer schema.
        stack.source = ROOT
        stack.set(AZIONELAB_TAG=this_tag, BACKEND_CONTAINERS="")
        upgrade(stack)
        assert {x["Config"]["Image"] for x in stack.containers("backend")} == {
            f"azionelab-backend:{this_tag}"
        }
        # Compose finds nothing to do either.
        third = running(stack)
        stack.up()
        assert running(stack) == third

    assert visitors.failed == []
    assert stack.containers("entrance")[0]["Id"] == entrance["Id"]
    held = f"SELECT seats_held FROM performance WHERE id = {evening.performance_id}"
    assert stack.sql(held) == str(visitors.booked)
    eventually(lambda: "FAIL" not in stack.flask("doctor", check=False).stdout, "a clean doctor")

    # What the runbook's Rollback and Restore say of backups: of the newer schema too.
    assert "schema next" in stack.execute("backup", "azionelab-backup", "now").stdout
    assert " is good: " in stack.execute("backup", "azionelab-backup", "verify").stdout
    stack.compose("stop", "backend", "worker")
    restored = stack.execute("backup", "azionelab-backup", "restore", "--replace").stdout
    assert restored.endswith("now run `flask doctor`, then start the site\n")
    assert stack.sql("SELECT version_num FROM alembic_version") == "next"
    assert stack.sql(held) == str(visitors.booked)
    stack.up()
    assert evening.slug in stack.request("/en/").data.decode()
