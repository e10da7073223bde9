"""The documented way from a clone: its folders are there, and the commands check out what a clone has."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")


def git(folder: Path, *arguments: str | Path) -> str:
    """What Git answers."""
    done = subprocess.run(
        ["git", "-C", folder, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of this repository, as it was committed last, without any tag."""
    folder = tmp_path / "site"
    git(ROOT, "clone", "--quiet", "--shared", "--no-tags", ROOT, folder)
    return folder


def typed(section: str) -> list[list[str]]:
    """The commands that check something out in a section of the runbook, each with what stands before it in its block."""
    text = RUNBOOK.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
    return [block.splitlines() for block in blocks if "git checkout" in block or "--to" in block]


def test_the_folders_that_compose_mounts_are_there(clone: Path) -> None:
    for name in ("certificates", "acme"):
        folder = clone / "docker" / name
        assert folder.is_dir()
        # What is put there stays out of Git.
        (folder / "privkey.pem").touch()
    assert "certificates" not in git(clone, "status", "--porcelain")


@pytest.mark.parametrize("section", ["Upgrade", "Rollback", "Lost disk"])
def test_what_the_runbook_checks_out_is_in_every_clone(section: str, clone: Path) -> None:
    first, newest = git(clone, "rev-parse", "HEAD~1", "HEAD").split()
    git(clone, "checkout", "--quiet", first)
    # The tag of the release to go back to, which the operator writes in place of the example's.
    (clone / ".env").write_text(f"AZIONELAB_TAG=0.4.0-{first[:12]}\n")
    wanted = newest if section == "Upgrade" else first
    blocks = typed(section)
    assert blocks
    for block in blocks:
        lines = [
            re.sub(r"^(previous=0\.4\.0-).*", rf"\g<1>{first[:12]}", line)
            for line in block
            if line.startswith(
                ("previous=", "sed -i", "git checkout", "git fetch", "docker/upgrade")
            )
        ]
        if section != "Upgrade":
            git(clone, "checkout", "--quiet", newest)
        # docker/upgrade checks out what --to names (tests/ops/test_upgrade_script.py).
        script = "\n".join(lines).replace("docker/upgrade --to", "git rev-parse --verify --quiet")
        script = script.replace('"$previous"', '"${previous##*-}"')
        done = subprocess.run(
            ["sh", "-euc", script], cwd=clone, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert wanted in (done.stdout.strip(), git(clone, "rev-parse", "HEAD"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_checks_out_a_version_by_its_number(page: Path) -> None:
    numbers = r"(?:git checkout|docker/upgrade --to) v?\d[\w.-]*"
    assert re.findall(numbers, page.read_text(encoding="utf-8")) == []
