"""No main action costs more than bench/cost.json says; `python -m bench.cost --write` writes what one means."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from bench.cost import COMMAND, PAGE, PYTHON, Cost, meter, read_written, table, too_costly
from bench.servers import site_settings


@pytest.mark.usefixtures("app")
def test_no_action_costs_more_than_is_written(
    database: psycopg.Connection[Any], settings: dict[str, str]
) -> None:
    written, python = read_written()
    with meter(database, site_settings(settings["DATABASE_URL"], 25)) as made:
        found = made.measure(written)
    assert found.keys() == written.keys()
    assert too_costly(found, written, python) == []


def test_what_costs_too_much_is_named() -> None:
    written = {"booking": Cost(statements=8, round_trips=7, calls=1_000, cpu=20.0)}
    (cost,) = written.values()

    def name(python: str = PYTHON, **changes: float) -> list[str]:
        return too_costly({"booking": replace(cost, **changes)}, written, python)

    assert name() == name(calls=1_100, cpu=26.0) == name(statements=7, calls=900) == []
    assert name(statements=9) == ["booking: statements 9 instead of 8"]
    assert name(round_trips=8) == ["booking: round_trips 8 instead of 7"]
    assert name(calls=1_101, cpu=26.1) == [
        "booking: calls 1101 instead of 1000",
        "booking: cpu 26.1 instead of 20.0",
    ]
    assert name("2.7", calls=5_000, cpu=99.0, statements=9) == [
        "booking: statements 9 instead of 8"
    ]


def test_the_docs_have_the_written_costs() -> None:
    text = PAGE.read_text(encoding="utf-8").partition(f"<!-- {COMMAND} writes from here -->")[2]
    assert text.partition("<!-- to here -->")[0].strip() == table(read_written()[0])
