"""The example of docs/api.md runs as it stands there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from azionelab.integrations.tokens import Scope, issue_program_token
from tests.conftest import Site
from tests.factories import a_party, a_performance
from tests.support.processes import PATIENCE, PYTHON, ROOT

pytestmark = pytest.mark.usefixtures("in_app")


def test_the_example_lists_who_has_confirmed(live_site: Site, tmp_path: Path) -> None:
    performance = a_performance(capacity=200)
    parties = [a_party(performance, 2, name=f"Visitor {n}") for n in range(60)]
    a_party(performance, name="Not Yet", confirmed=False)
    (example,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.DOTALL
    )
    script = tmp_path / "confirmed.py"
    script.write_text(example, encoding="utf-8")
    _token, text = issue_program_token("Newsletter", [Scope.RESERVATIONS], 1, None)
    printed = subprocess.run(
        [PYTHON, str(script), str(performance.id)],
        env=os.environ | {"SITE": live_site.url, "TOKEN": text},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout
    expected = {f"{party.reference};2;{party.name};{party.email}" for party in parties}
    assert set(printed.splitlines()) == expected
