"""A line to the database that a test cuts."""

from collections.abc import Iterator

import pytest

from tests.support.cutting_proxy import CuttingProxy


@pytest.fixture
def cutter(database_url: str) -> Iterator[CuttingProxy]:
    """The proxy before PostgreSQL; `cutter.url` leads through it."""
    with CuttingProxy(database_url) as cutter:
        yield cutter
