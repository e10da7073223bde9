"""`make` on a machine that lacks something, and its list of targets."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import PYTHON, ROOT

# What a bare machine has; Python is what the tests take away or spoil.
TOOLS = ("awk", "bash", "cat", "find", "rm", "sh", "touch")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with a clone of the project and a few tools, and no Python."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        path = shutil.which(name)
        assert path, name
        (tools / name).symlink_to(path)
    for name in ("Makefile", "requirements.txt", "requirements-local.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def make(machine: Path, target: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program
    return subprocess.run(
        [program, target],
        cwd=machine,
        env={"PATH": str(machine / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def a_python(machine: Path, name: str, script: str) -> None:
    path = machine / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_help_lists_every_target(machine: Path) -> None:
    text = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^\.PHONY: (\w+)$", text, flags=re.MULTILINE)
    told = make(machine, "help").stdout
    assert {"run", "test", "help", "lint", "types", "format", "e2e", "bench", "psql"} <= set(
        targets
    )
    for target in targets:
        assert re.search(rf"^  {target} +\S", told, flags=re.MULTILINE), target


def test_without_python_it_says_so(machine: Path) -> None:
    done = make(machine, "run")
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "Python 3.11 or newer is needed, and none was found."


def test_an_old_or_broken_python_is_passed_over(machine: Path) -> None:
    a_python(machine, "python3.13", "exit 127")
    a_python(machine, "python3.12", "exit 1")
    old = f'case "$2" in *version_info*) exit 1;; esac\nexec {PYTHON} "$@"'
    a_python(machine, "python3", old)
    done = make(machine, "run")
    assert done.stderr.splitlines()[0] == "Python 3.11 or newer is needed, and none was found."


def test_without_the_venv_module_it_says_what_to_install(machine: Path) -> None:
    bare = f'case "$2" in *ensurepip*) exit 1;; esac\nexec {PYTHON} "$@"'
    a_python(machine, "python3", bare)
    done = make(machine, "run")
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == (
        "python3 lacks its venv module (Debian: apt-get install python3-venv)."
    )
    assert not (machine / ".venv").exists()
