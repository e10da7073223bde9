"""The Excel file of a long list: made by the worker with its progress, for whoever asked."""

from io import BytesIO
from typing import Any
from uuid import UUID

import openpyxl
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.admin.exports.lists import ROWS_AT_ONCE
from azionelab.exports import rules
from azionelab.exports.rules import begin_file, forget_files, note_rows
from azionelab.ops.processes.worker import run_worker
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance
from tests.support.people import logged_in, press

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


@pytest.fixture
def long_list(database: Database) -> None:
    """More venues than a file has at once; names with "Lungo" among them."""
    database.execute(
        """
        INSERT INTO venue (name, address)
        SELECT 'Sala ' || lpad(n::text, 5, '0') || CASE WHEN n %% 2 = 0 THEN ' Lungo' ELSE '' END, 'Via Roma'
        FROM generate_series(1, %s) AS n
        """,
        [2 * ROWS_AT_ONCE + 20],
    )


def ask(client: FlaskClient, address: str) -> str:
    """Ask for the file of a list; returns the address of its progress."""
    page = client.get(address)
    assert page.status_code == 200
    assert page.mimetype == "text/html", "it is not made at once"
    make = address.replace("/export/xlsx/", "/export/make/")
    answer = client.post(make, data=fields(page.text))
    assert answer.status_code == 302, answer.text
    # Pressed twice, it is one file.
    assert client.post(make, data=fields(page.text)).location == answer.location
    return answer.location


@pytest.mark.usefixtures("long_list")
def test_a_long_list_is_made_by_the_worker_as_it_was_found_and_sorted(
    app: Flask, staff: FlaskClient, database: Database
) -> None:
    found = press(staff, "/admin/venues/find/?sort=0&desc=1", search="lungo")
    query = found.request.query_string.decode()
    progress = ask(staff, f"/admin/venues/export/xlsx/?{query}")
    assert "waits to be made" in staff.get(progress).text
    assert staff.get(f"{progress}download").status_code == 404
    run_worker(app, once=True)
    assert f"{ROWS_AT_ONCE + 10} rows" in staff.get(progress).text
    answer = staff.get(f"{progress}download")
    assert "no-store" in answer.headers["Cache-Control"]
    head, *rows = openpyxl.load_workbook(BytesIO(answer.data)).active.iter_rows(values_only=True)
    assert head[0] == "Name"
    assert len(rows) == ROWS_AT_ONCE + 10
    names = [row[0] for row in rows]
    assert names == sorted(names, reverse=True)
    assert all(name.endswith("Lungo") for name in names)
    # Nobody else gets it, and it is gone after an hour.
    other = logged_in(app, "admin")
    assert other.get(progress).status_code == 404
    assert other.get(f"{progress}download").status_code == 404
    assert forget_files() == 0
    database.execute("UPDATE export_file SET finished_at = finished_at - interval '61 minutes'")
    assert forget_files() == 1
    assert staff.get(progress).status_code == 404
    assert database.execute("SELECT count(*) FROM export_chunk").fetchone() == (0,)


@pytest.mark.usefixtures("long_list")
def test_a_file_is_cancelled_or_fails_with_a_word(
    app: Flask, staff: FlaskClient, database: Database
) -> None:
    progress = ask(staff, "/admin/venues/export/xlsx/")
    file_id = UUID(progress.strip("/").rpartition("/")[2])
    assert begin_file(file_id) is not None
    assert note_rows(file_id, 1000)
    assert f"1000 of {2 * ROWS_AT_ONCE + 20} rows are written" in staff.get(progress).text
    assert "Cancelled" in press(staff, f"{progress}cancel", progress).text
    assert not note_rows(file_id, 2000), "whoever makes it notices"
    rules.keep_file(file_id, 3, BytesIO(b"late"))
    assert staff.get(f"{progress}download").status_code == 404
    run_worker(app, once=True)
    assert "Cancelled" in staff.get(progress).text
    failing = ask(staff, "/admin/venues/export/xlsx/?sort=0")
    database.execute("UPDATE export_file SET endpoint = 'gone' WHERE status = 'waiting'")
    run_worker(app, once=True)
    database.execute("UPDATE export_file SET endpoint = 'admin_venues' WHERE endpoint = 'gone'")
    assert "could not be made" in staff.get(failing).text


def test_a_short_list_is_a_file_at_once(staff: FlaskClient) -> None:
    a_party(a_performance())
    answer = staff.get("/admin/reservations/export/xlsx/")
    assert answer.data.startswith(b"PK")


@pytest.mark.usefixtures("long_list")
def test_nobody_waits_for_many_files(staff: FlaskClient) -> None:
    for number in range(rules.MOST_UNFINISHED):
        ask(staff, f"/admin/venues/export/xlsx/?sort={number}")
    page = staff.get("/admin/venues/export/xlsx/")
    answer = staff.post("/admin/venues/export/make/", data=fields(page.text), follow_redirects=True)
    assert "being made already" in answer.text
