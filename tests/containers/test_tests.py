"""The suite's own container (docker/compose.test.yml), by the command that docs/deployment.md names."""

import re
import shlex

from tests.containers.conftest import ROOT, run
from tests.support.processes import PATIENCE

COMMAND = (
    "docker compose --env-file .env.example -f docker/compose.yml -f docker/compose.test.yml"
    " run --rm --build test"
)
# One with a database, one with nginx, one with a browser: each has what it needs there.
SOME = ("tests/shows/test_feeds.py", "tests/nginx/test_routing.py", "tests/e2e/test_proof.py")


def test_the_tests_run_in_a_container() -> None:
    assert COMMAND in (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    chosen = f"ARGS=--quiet --no-header {' '.join(SOME)}"
    # Building it takes minutes the first time: a browser, Java, and the packages.
    told = run(*shlex.split(COMMAND), chosen, cwd=ROOT, timeout=PATIENCE * 20).stdout
    assert re.search(r"^\d+ passed", told, re.MULTILINE), told
