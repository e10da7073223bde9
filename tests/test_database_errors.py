"""Operators' messages for database errors."""

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from azionelab.database.errors import describe_cause, describe_unreachable


@pytest.mark.parametrize(
    ("words", "output"),
    [
        ('FATAL:  password authentication failed for user "azionelab"', True),
        ("fe_sendauth: no password supplied", True),
        ("Connection refused", False),
    ],
)
def test_a_rejected_password_is_named(words: str, output: bool) -> None:
    met = psycopg.OperationalError(f"connection failed: {words}\nand more")
    error = OperationalError("", {}, met)
    assert describe_cause(error) == "OperationalError" + " password refused" * output
    line = describe_unreachable(error)
    assert line.startswith(f"the database cannot be reached: connection failed: {words}")
    assert line.endswith("(docs/runbook.md, Refused database password)") == output
    assert "\n" not in line
