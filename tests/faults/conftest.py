"""A line to the database that a test cuts."""

from collections.abc import Iterator

import pytest

from tests.support.cutter import Cutter


@pytest.fixture
def cutter(database_url: str) -> Iterator[Cutter]:
    """The proxy before PostgreSQL; `cutter.url` leads through it."""
    with Cutter(database_url) as cutter:
        yield cutter
