"""A long file of the season: tried and saved by the worker's jobs, stopped before it is saved, all or nothing."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
from flask.testing import FlaskClient

from azionelab.admin.season.forms import slug_of
from azionelab.shows.exchange.imports import Reading, save_evenings, try_file
from tests.admin.test_season_files import IMPORT, imported, tried
from tests.support.people import press

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
READING = Reading(ZoneInfo("Europe/Rome"), slug_of)
HEAD = "show,venue,starts,seats\n"
FIRST = datetime(2027, 9, 1, 20, 30, tzinfo=READING.zone)
LINES = [
    f"Amleto con un titolo lungo,Sala Grande,{FIRST + timedelta(days=day):%Y-%m-%d %H:%M},80\n"
    for day in range(400)
]


def begun(staff: FlaskClient, content: str = HEAD + "".join(LINES)) -> tuple[str, UUID]:
    """The address of the page of a file that was sent, and its id."""
    page = press(staff, IMPORT, IMPORT, content=content, preview="yes")
    assert "The file is read and checked." in page.text
    address = page.request.path
    return address, UUID(address.rpartition("/")[2])


def played(database: Database) -> int:
    row = database.execute("SELECT count(*) FROM performance").fetchone()
    assert row is not None
    return int(row[0])


def test_a_long_file_is_tried_and_saved_by_the_worker(
    staff: FlaskClient, database: Database
) -> None:
    address, key = begun(staff)
    whole = HEAD + "".join(LINES)
    press(staff, IMPORT, IMPORT, content=whole, preview="yes", request_key=str(key))  # once more
    assert database.execute("SELECT count(*) FROM season_import").fetchone() == (1,)
    early = press(staff, f"{address}/save", IMPORT).text
    assert "This file cannot be saved" in early  # nobody has seen what is in it

    listed = staff.get(IMPORT).text
    assert address in listed
    assert "is being read" in listed

    try_file(key, READING)
    assert "read: 400 evenings can be saved" in staff.get(IMPORT).text
    page = staff.get(address).text
    assert "400 evenings" in page
    assert "New shows: Amleto con un titolo lungo" in page
    assert played(database) == 0

    assert "are being saved" in press(staff, f"{address}/save", IMPORT).text
    save_evenings(key, READING)
    assert "400 evenings added." in staff.get(address).text
    assert "400 evenings added" in staff.get(IMPORT).text
    assert played(database) == 400
    save_evenings(key, READING)  # the job once more, after its worker died
    assert "Too late" in press(staff, f"{address}/stop", IMPORT).text
    assert played(database) == 400


def test_it_is_stopped_while_it_is_read_and_while_it_is_saved(
    staff: FlaskClient, database: Database
) -> None:
    address, key = begun(staff)
    assert "Stopped. Nothing was saved." in press(staff, f"{address}/stop", IMPORT).text
    try_file(key, READING)
    assert "Stopped. Nothing was saved." in staff.get(address).text

    address, key = begun(staff)
    try_file(key, READING)
    press(staff, f"{address}/save", IMPORT)

    def stop_meanwhile(title: str) -> str:
        database.execute("UPDATE season_import SET state = 'stopped'")
        return slug_of(title)

    save_evenings(key, Reading(READING.zone, stop_meanwhile))
    assert played(database) == 0
    assert database.execute("SELECT count(*) FROM show").fetchone() == (0,)
    assert "Stopped. Nothing was saved." in staff.get(address).text


def test_a_season_that_changed_meanwhile_is_shown_again(
    staff: FlaskClient, database: Database
) -> None:
    address, key = begun(staff)
    try_file(key, READING)
    imported(staff, tried(staff, HEAD + LINES[7]), HEAD + LINES[7])
    press(staff, f"{address}/save", IMPORT)
    save_evenings(key, READING)
    assert played(database) == 1
    assert "so it is checked again" in staff.get(address).text
    try_file(key, READING)
    page = staff.get(address).text
    assert "1 evening cannot be" in page
    assert re.search(r"Line 9:.*already has a performance", page)
    assert f"{address}/save" not in page


def test_each_bad_line_of_a_long_file_is_named(staff: FlaskClient) -> None:
    address, key = begun(staff, HEAD + "".join(LINES) + "Amleto,Sala Grande,soon,80\n")
    try_file(key, READING)
    page = staff.get(address).text
    assert "Line 402: starts: “soon” is no date" in page
    assert f"{address}/save" not in page


def test_a_file_is_longer_than_other_forms_may_be(staff: FlaskClient) -> None:
    lines = "".join(line.replace("Grande", "G" * 60) for line in LINES)
    assert len(lines * 8) > 300_000
    address, key = begun(staff, HEAD + lines * 8)
    try_file(key, READING)
    assert "more than 3000 evenings" in staff.get(address).text
