"""What tests of races need."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from azionelab.database import db


@pytest.fixture
def without_the_database_guard(in_app: None, database: psycopg.Connection[Any]) -> Iterator[None]:
    """Take the database's own refusal away, and put it back."""
    guards = database.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname IN ('ck_performance_capacity_held', 'ck_performance_wheelchair_held')"
    ).fetchall()
    assert len(guards) == 2
    for name, _definition in guards:
        database.execute(f"ALTER TABLE performance DROP CONSTRAINT {name}")
    yield
    db.session.rollback()
    database.execute("TRUNCATE performance CASCADE")
    for name, definition in guards:
        database.execute(f"ALTER TABLE performance ADD CONSTRAINT {name} {definition}")
