"""A pytest plugin for .ci/run: writes the failed tests to a file, to run them again alone.

`python -m pytest -p tests.support.failed_tests` with FAILED_TESTS=FILE in the environment. The file is
written only when the run went to its end and tests failed in it; one that broke off writes none.
"""

import os
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter, exitstatus: int) -> None:
    """Write the failed tests' ids, one per line."""
    if exitstatus != pytest.ExitCode.TESTS_FAILED:
        return
    reports = terminalreporter.getreports("failed") + terminalreporter.getreports("error")
    names = dict.fromkeys(report.nodeid for report in reports)
    Path(os.environ["FAILED_TESTS"]).write_text("".join(f"{name}\n" for name in names))
