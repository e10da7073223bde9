"""The bench measures production's configuration, and the docs have its figures unchanged."""

import random
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

from azionelab.checkin.devices.registry import find_device
from azionelab.settings.loading import load_config
from bench import camera
from bench.__main__ import PAGE, SCALING
from bench.capacity import capacity
from bench.data import make_devices
from bench.figures import write
from bench.hard_frames import SIZE, frames
from bench.servers import site_settings
from tests.factories import a_performance


def written(page: Path) -> str:
    """What the bench wrote into a page."""
    text = page.read_text(encoding="utf-8")
    return (
        text.partition("<!-- make bench writes from here -->")[2]
        .partition("<!-- to here -->")[0]
        .strip()
    )


def test_production_starts_with_the_settings_of_the_bench() -> None:
    config = load_config(site_settings("postgresql://bench@127.0.0.1:1/bench", 25))
    assert not config.debug


def test_all_phones_of_the_bench_are_at_one_door(
    in_app: Flask, database: psycopg.Connection[Any]
) -> None:
    tokens = make_devices(database, a_performance().id, 3)
    assert [find_device(token) is not None for token in tokens] == [True] * 3


def test_one_machines_capacity_follows_from_the_measurements() -> None:
    assert written(SCALING) == capacity(written(PAGE))


REPORT = """2026-11-29, 2 cores, and so on.

| scenario | a second | of hello-world | to reach | p50 ms | p95 ms | refused | lost |
|---|--:|--:|--:|--:|--:|--:|--:|
| programme page, rendered for each request | 500 | 0.100 |  | 1.0 | 2.0 | 0 | 0 |
| programme page | 1000 | 0.500 | 0.25 | 1.0 | 2.0 | 0 | 0 |
| booking by form | 400 | 0.050 |  | 1.0 | 2.0 | 0 | 0 |
| booking by API | 800 | 0.090 | 0.08 | 1.0 | 2.0 | 0 | 0 |
| admission | 900 | 0.150 | 0.15 | 1.0 | 2.0 | 0 | 0 |

Memory: 140 MB a worker (at most 150). 4000 mails in 40 s (100 a second); the last one left later.
"""


def test_every_hard_picture_stands_in_the_cameras_table() -> None:
    table = PAGE.read_text(encoding="utf-8").partition(f"<!-- {camera.COMMAND} writes")[2]
    kinds = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[4:]]
    assert kinds[: len(frames())] == list(frames())
    for frame in frames().values():
        assert frame(random.Random(1)).size == SIZE


def test_the_arithmetic_of_one_machine() -> None:
    output = capacity(REPORT)
    assert "1.0 + 3 x 2.0 + 2 x 2.5, about 12.0 ms" in output
    assert "**83 visitors a second**" in output
    assert "20.0 ms, which may wait" in output
    assert "31 when their mails leave" in output
    assert "112,000 an hour" in output
    assert "2 web processes of 140 MB" in output
    assert "| visitors who book, a second | 83 | 830 | 8,300 |" in output
    assert "(20 ms of a core a mail), if mail must keep up | 3 | 30 | 300 |" in output


def test_a_report_that_lacks_a_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        capacity(REPORT.replace("| admission |", "| admissions |"))


def test_figures_are_written_between_the_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    write(page, "other figures")
    assert written(page) == "other figures"
    write(page, written(PAGE))
    assert page.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")
