"""What tests of races need."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from azionelab.database import db


@pytest.fixture
def without_the_database_guard(in_app: None, database: psycopg.Connection[Any]) -> Iterator[None]:
    """Take the database's own refusal away, and put it back."""
    database.execute("ALTER TABLE performance DROP CONSTRAINT ck_performance_capacity_held")
    yield
    db.session.rollback()
    database.execute("TRUNCATE performance CASCADE")
    database.execute(
        "ALTER TABLE performance ADD CONSTRAINT ck_performance_capacity_held"
        " CHECK (seats_held BETWEEN 0 AND capacity)"
    )
