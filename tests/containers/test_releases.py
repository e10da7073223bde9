"""Upgrade to a new release and rollback, without losing a booking or a backup."""

import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.containers.conftest import SITE, Stack
from tests.support import journey
from tests.support.processes import ROOT, eventually

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


def exchange(stack: Stack) -> None:
    """Start the release that .env names, in the runbook's order: the programme stays up until nginx's turn."""
    seen = {stack.request("/en/").status}
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(stack.up, "backend", "worker", "backup")

        def the_programme_was_seen_to_its_end() -> bool:
            seen.add(stack.request("/en/").status)
            return started.done()

        eventually(the_programme_was_seen_to_its_end, "the new containers")
    started.result()
    assert seen == {200}
    stack.up()


def test_upgrade_and_rollback(
    own_stack: Stack,
    next_release: Path,
    open_page: Callable[[Stack], Page],
) -> None:
    stack = own_stack
    stack.flask("db", "upgrade")
    stack.up()
    # One network holds these bookings, unconfirmed: a third of the house at most.
    evening = stack.evening(60)

    def book(email: str) -> None:
        page = open_page(stack)
        page.goto(f"{SITE}/performances/{evening.performance_id}/book")
        journey.book(page, "Ada Rossi", email, 2)

    book("before@azionelab.org")
    this_tag = stack.setting("AZIONELAB_TAG")

    stack.source = next_release
    stack.set(AZIONELAB_TAG="9.9.9-next")
    stack.compose("build")
    stack.flask("db", "upgrade")
    assert stack.sql("SELECT version_num FROM alembic_version") == "next"
    exchange(stack)
    (backend,) = stack.containers("backend")
    assert backend["Config"]["Image"].endswith(":9.9.9-next")
    book("between@azionelab.org")

    stack.source = ROOT
    stack.set(AZIONELAB_TAG=this_tag)
    exchange(stack)
    (backend,) = stack.containers("backend")
    assert backend["Config"]["Image"].endswith(f":{this_tag}")
    assert stack.sql("SELECT version_num FROM alembic_version") == "next"
    book("after@azionelab.org")
    held = f"SELECT seats_held FROM performance WHERE id = {evening.performance_id}"
    assert stack.sql(held) == "6"
    # What a worker had in hand when it was replaced is taken up within two minutes.
    eventually(lambda: "FAIL" not in stack.flask("doctor", check=False).stdout, "a clean doctor")

    # What the runbook's Rollback and Restore say of backups: of the newer schema too.
    assert "schema next" in stack.execute("backup", "azionelab-backup", "now").stdout
    assert " is good: " in stack.execute("backup", "azionelab-backup", "verify").stdout
    book("lost@azionelab.org")
    stack.compose("stop", "backend", "worker")
    restored = stack.execute("backup", "azionelab-backup", "restore", "--replace").stdout
    assert restored.endswith("now run `flask doctor`, then start the site\n")
    assert stack.sql("SELECT version_num FROM alembic_version") == "next"
    assert stack.sql(held) == "6"
    stack.up()
    book("restored@azionelab.org")
    assert stack.sql(held) == "8"
    page = open_page(stack)
    page.goto(SITE)
    expect(page.locator("body")).to_contain_text(evening.slug)
