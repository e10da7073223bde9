"""Tests wait for events with one timeout (tests/support/processes.py), and failed tests are recorded."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import PYTHON, ROOT, clean_environment

# A limit or a pause of a test's own. The two places that ask again and again pause between; `make faults` is no test, but
# a program that measures how long the site takes, and whose clients try again.
OWN_LIMIT = re.compile(r"timeout=\d|wait_for_timeout\(|\bsleep\(|monotonic\(|\.wait\(\d")
WAITING = ("tests/support/processes.py", "tests/support/door.py", "tests/faults/harness/")


def test_no_test_has_its_own_timeout() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if not str(path.relative_to(ROOT)).startswith(WAITING)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if OWN_LIMIT.search(line) and "connect_timeout" not in line and "re.compile" not in line
    ]
    assert not found


TESTS = {
    "passes": "def test_a(): pass",
    "fails": "def test_a(): pass\ndef test_b(): assert 0\ndef test_c(broken): pass",
    "breaks off": "import pytest\ndef test_a(): assert 0\ndef test_b(): pytest.exit('no more')",
}


@pytest.mark.parametrize(
    ("what", "written"),
    [
        ("passes", None),
        ("fails", "test_some.py::test_b\ntest_some.py::test_c\n"),
        ("breaks off", None),
    ],
)
def test_failed_tests_are_recorded(tmp_path: Path, what: str, written: str | None) -> None:
    (tmp_path / "test_some.py").write_text(TESTS[what], encoding="utf-8")
    failed = tmp_path / "failed"
    subprocess.run(
        [PYTHON, "-m", "pytest", "-q", "-p", "tests.support.failed_tests", "test_some.py"],
        cwd=tmp_path,
        env=clean_environment({"FAILED_TESTS": str(failed), "PYTHONPATH": str(ROOT)}),
        capture_output=True,
        check=False,
    )
    assert (failed.read_text(encoding="utf-8") if failed.exists() else None) == written
