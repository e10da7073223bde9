"""The bench measures production's configuration, and the docs have its figures unchanged."""

import random
from dataclasses import replace
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
from bench.crowd import Stampede
from bench.data import make_devices
from bench.delivery import Mails
from bench.figures import write
from bench.floors import Floor
from bench.hard_frames import SIZE, frames
from bench.report import POSTGRESQL, WEB, Found, goals, report
from bench.servers import site_settings
from bench.turns import Row
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


def row(name: str, rate: float, p99: float = 90.0) -> Row:
    return Row(
        name, rate, 0.1, 0.05, 20.0, 50.0, p99, 99.0, 0, 0, {WEB: 2.0, POSTGRESQL: 1.0}, 0.01
    )


def test_a_report_says_which_goals_are_reached_and_has_what_the_arithmetic_needs() -> None:
    names = [line.split(" | ")[0].removeprefix("| ") for line in REPORT.splitlines()[4:9]]
    found = Found(
        rows=[row(name, 300) for name in ["bare Flask hello-world", *names, "sync, nothing new"]],
        floors=[Floor(performances, 5000, 1.0, 2.0, 3.0, 0.1) for performances in (1, 100)],
        through_nginx=(row("nginx, a file", 1000), replace(row("programme page, by nginx", 900), ratio=0.9)),
        clients={clients: row("", 300, 300.0 + clients) for clients in (8, 32, 64, 256)},
        spread=(row("one performance", 300), row("100 performances", 390)),
        stampede=Stampede(3.1, 3.5, 100),
        memory=100, start=2.0, mails=Mails(1000, 10.0, 1.0), door="The door.",
    )  # fmt: skip
    text = report(found)
    assert "| mail delivered | 100 | 10.0 ms |" in capacity(text)
    reached = {goal.name: goal.reached for goal in goals(found)}
    assert reached == {
        "booking by API, of the hello-world": False,
        "booking by form, of the hello-world": True,
        "admission, of the hello-world": False,
        "sync with nothing new, of the hello-world": False,
        "programme from nginx' cache, of a file": True,
        "p99 of a booking, 32 clients": False,
        "p99 of a booking, times its p50, 64 clients": False,
        "p99 of a booking, times its p50, 256 clients": False,
        "1,000 tries for 200 seats": False,
        "rate over 100 performances, of one": True,
        "rate of 64 clients, of 8": True,
        "mails a second of a worker (three times 52)": False,
        "memory of a web worker": True,
        "a backend answers after its start": True,
    }


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
