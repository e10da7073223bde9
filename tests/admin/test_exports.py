"""Lists as files: what is filtered and found, as a spreadsheet reads it."""

import csv
import re
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.admin.exports.tables import csv_chunks, xlsx_file
from azionelab.shows.models import Performance
from tests.factories import a_party, a_performance
from tests.support.people import logged_in, press

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def performance() -> Performance:
    """A performance with seats to spare."""
    return a_performance(capacity=20)


def csv_rows(answer: Any, delimiter: str = ",") -> list[dict[str, str]]:
    assert answer.status_code == 200
    text = answer.data.decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline=""), delimiter=delimiter))


def workbook_rows(content: bytes) -> list[dict[str, Any]]:
    page = openpyxl.load_workbook(BytesIO(content)).active
    head, *rows = page.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def links(page: str) -> dict[str, str]:
    return {
        kind: address.replace("&amp;", "&")
        for address, kind in re.findall(r'href="([^"]*/export/(csv|xlsx)/[^"]*)"', page)
    }


def test_a_list_is_downloaded_as_it_is_found_and_sorted(
    staff: FlaskClient, performance: Performance
) -> None:
    a_party(performance, 3, name="Zoè Rossi", email="zoe@example.org")
    a_party(performance, 2, name="Ada Rossi", email="ada@example.org", confirmed=False)
    a_party(performance, name="Bruno Neri", email="bruno@example.org")
    page = press(staff, "/admin/reservations/find/?sort=1", search="rossi").text
    first, second = csv_rows(staff.get(links(page)["csv"]))
    assert (first["Name"], second["Name"]) == ("Ada Rossi", "Zoè Rossi")
    assert (first["E-mail"], first["Seats"], first["State"]) == (
        "ada@example.org",
        "2",
        "not confirmed yet",
    )
    found = workbook_rows(staff.get(links(page)["xlsx"]).data)
    assert [row["Name"] for row in found] == ["Ada Rossi", "Zoè Rossi"]
    assert found[1]["Seats"] == 3
    assert isinstance(found[0]["Curtain"], datetime)
    assert first["Curtain"].startswith(f"{found[0]['Curtain']:%Y-%m-%d %H:%M}")


def test_a_filter_holds_for_the_file(staff: FlaskClient, performance: Performance) -> None:
    a_party(performance, name="Ada Rossi")
    a_party(performance, name="Bruno Neri", confirmed=False)
    page = staff.get("/admin/reservations/?flt0_0=pending").text
    (row,) = csv_rows(staff.get(links(page)["csv"]))
    assert row["Name"] == "Bruno Neri"


def test_each_list_is_downloaded(app: Flask, performance: Performance) -> None:
    a_party(performance)
    client = logged_in(app, "admin")
    lists = ("reservations", "performances", "shows", "venues", "mails", "accounts")
    for name in lists:
        assert csv_rows(client.get(f"/admin/{name}/export/csv/")), name
        answer = client.get(f"/admin/{name}/export/xlsx/")
        assert workbook_rows(answer.data), name
        assert re.search(
            rf"filename={name}-\d{{4}}-\d\d-\d\d\.xlsx", answer.headers["Content-Disposition"]
        )
        assert "no-store" in answer.headers["Cache-Control"]
    assert client.get("/admin/venues/export/pdf/").status_code == 404


def test_more_than_a_batch_is_whole_and_in_order(
    staff: FlaskClient, performance: Performance, database: psycopg.Connection[Any]
) -> None:
    database.execute(
        """
        INSERT INTO venue (name, address) SELECT 'Sala ' || lpad(n::text, 4, '0'), repeat('Via Roma ', 9)
        FROM generate_series(1, 1203) AS n
        """
    )
    answer = staff.get("/admin/venues/export/csv/?sort=0")
    assert len(list(answer.iter_encoded())) > 1, "it is streamed"
    names = [row["Name"] for row in csv_rows(answer) if row["Name"].startswith("Sala 0")]
    assert len(names) == 999
    assert names == sorted(names)
    names = [row["Name"] for row in workbook_rows(staff.get("/admin/venues/export/xlsx/").data)]
    assert len([name for name in names if name.startswith("Sala ")]) >= 1203


def test_a_name_never_becomes_a_formula(staff: FlaskClient, performance: Performance) -> None:
    a_party(performance, name="=1+1")
    (row,) = csv_rows(staff.get("/admin/reservations/export/csv/"))
    assert row["Name"] == "'=1+1"
    book = openpyxl.load_workbook(BytesIO(staff.get("/admin/reservations/export/xlsx/").data))
    (cell,) = [cell for cell in book.active[2] if cell.value == "=1+1"]
    assert cell.data_type == "s", "a text, not a formula"


def test_the_parties_of_a_performance_are_a_workbook_too(
    staff: FlaskClient, performance: Performance
) -> None:
    a_party(performance, 4, name="Ada Rossi")
    answer = staff.get(f"/admin/evenings/{performance.id}/parties.xlsx")
    (row,) = workbook_rows(answer.data)
    assert (row["Name"], row["Seats"]) == ("Ada Rossi", 4)
    assert staff.get(f"/admin/evenings/{performance.id}/scans.xlsx").status_code == 200


def test_an_italian_file_has_semicolons_and_accents(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "it"}):
        content = b"".join(csv_chunks(["Nome", "Età"], [["Niccolò", 3], ["Ada 7.5", 7.5]]))
    assert content.decode() == "\ufeffNome;Età\r\nNiccolò;3\r\nAda 7.5;7,5\r\n"


def test_a_workbook_of_nothing_has_its_headings(app: Flask) -> None:
    with app.test_request_context(), xlsx_file(["Nome"], [], "Sala: A/B [1]?") as file:
        page = openpyxl.load_workbook(file).active
    assert page.title.split() == ["Sala", "A", "B", "1"]
    assert [cell.value for cell in page[1]] == ["Nome"]
