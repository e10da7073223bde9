"""Foreign codes: the same table is the app's (static_frontend/tests/door/foreign-codes.test.ts)."""

import json
from pathlib import Path

import pytest

from azionelab.checkin.codes import is_foreign

_CODES = json.loads(Path(__file__).with_name("codes.json").read_text())
_CASES = [(code, False) for code in _CODES["ours"]] + [(code, True) for code in _CODES["foreign"]]


@pytest.mark.parametrize(("code", "expected"), _CASES)
def test_a_code_is_ours_by_its_form(code: str, expected: bool) -> None:
    assert is_foreign(code) is expected
