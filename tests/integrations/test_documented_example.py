"""The examples of docs/api.md run as they stand there."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from azionelab.bookings.models import Reservation
from azionelab.database import db
from azionelab.integrations.tokens import Scope, issue_program_token
from tests.conftest import Site
from tests.factories import a_party, a_performance
from tests.support.processes import PATIENCE, PYTHON, ROOT

pytestmark = pytest.mark.usefixtures("in_app")


def run(number: int, site: Site, folder: Path, scope: Scope, *arguments: str) -> list[str]:
    """The lines that an example prints with a token of one scope."""
    examples = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.DOTALL
    )
    script = folder / "example.py"
    script.write_text(examples[number], encoding="utf-8")
    _token, text = issue_program_token("Newsletter", [scope], 1, None)
    return subprocess.run(
        [PYTHON, str(script), *arguments],
        env=os.environ | {"SITE": site.url, "TOKEN": text},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout.splitlines()


def test_the_first_lists_who_has_confirmed(live_site: Site, tmp_path: Path) -> None:
    performance = a_performance(capacity=200)
    parties = [a_party(performance, 2, name=f"Visitor {n}") for n in range(60)]
    a_party(performance, name="Not Yet", confirmed=False)
    printed = run(0, live_site, tmp_path, Scope.RESERVATIONS, str(performance.id))
    expected = {f"{party.reference};2;{party.name};{party.email}" for party in parties}
    assert set(printed) == expected


def test_the_second_books_changes_and_cancels(live_site: Site, tmp_path: Path) -> None:
    performance = a_performance(party_limit=4)
    printed = run(1, live_site, tmp_path, Scope.CHANGE_RESERVATIONS, str(performance.id))
    (party,) = db.session.scalars(select(Reservation))
    assert printed == [
        f"{party.reference} confirmed 5",
        f"{party.reference} confirmed 4",
        f"{party.reference} cancelled 4",
    ]
    assert party.note == "One wheelchair"


def test_the_third_saves_a_list(live_site: Site, tmp_path: Path) -> None:
    performance = a_performance()
    a_party(performance, name="Zoè")
    a_party(performance, name="Not Yet", confirmed=False)
    run(2, live_site, tmp_path, Scope.EXPORTS, str(performance.id))
    head, row = (tmp_path / "reservations.csv").read_text(encoding="utf-8-sig").splitlines()
    assert head.startswith("Reference,Name,E-mail")
    assert "Zoè" in row
