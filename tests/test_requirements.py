"""Every imported library is required by name, not only as another library's dependency."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.support.processes import ROOT

OURS = {
    "azionelab",
    "azionelab_backup",
    "bare_machine",
    "bench",
    "fuzz",
    "ha",
    "migrations",
    "rush",
    "simulate",
    "tests",
    "wsgi",
}
PRODUCTION = ("azionelab", "migrations", "wsgi.py", "gunicorn.conf.py")
ASKED_WHERE = {
    "requirements.in": PRODUCTION,
    "requirements-local.in": ("bare_machine",),
    "requirements-dev.in": ("tests", "bench", "fuzz", "ha", "rush", "simulate"),
}


def plain(name: str) -> str:
    """A distribution's name as the package index compares it, without extras, versions and conditions."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[;<=>]", name)[0]).lower()


def asked_for(*lists: str) -> set[str]:
    lines = [line for name in lists for line in (ROOT / name).read_text().splitlines()]
    return {plain(line) for line in lines if line and line[0] not in "#-"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("wanted", ASKED_WHERE)
def test_every_imported_library_is_required(wanted: str) -> None:
    lists = {"requirements.in", wanted}
    if wanted == "requirements-dev.in":
        lists.add("requirements-local.in")
    makers = packages_distributions()
    for top in ASKED_WHERE[wanted]:
        for path in sorted((ROOT / top).rglob("*.py")) or [ROOT / top]:
            asked = asked_for(*lists)
            for module in set(imports(path)) - set(sys.stdlib_module_names) - OURS:
                made_by = {plain(maker) for maker in makers[module]}
                assert made_by & asked, f"{path} imports {module}"
