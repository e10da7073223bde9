"""Lists as files by the API for staff: as the back office downloads them."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.admin.exports.api import LISTS
from azionelab.integrations.tokens import Scope, issue_program_token
from tests.admin.test_exports import csv_rows, workbook_rows
from tests.api.expect import assert_problem
from tests.factories import a_party, a_performance
from tests.support.people import logged_in

pytestmark = pytest.mark.usefixtures("in_app")


def test_lists_are_downloaded_as_from_their_pages(app: Flask, client: FlaskClient) -> None:
    _token, text = issue_program_token("A sheet", [Scope.EXPORTS], 1, None)
    headers = {"Authorization": f"Bearer {text}", "Accept-Language": "en"}

    def export(path: str, **asked: Any) -> Any:
        return client.get(f"/api/v1/staff/exports/{path}", headers=headers, query_string=asked)

    performance = a_performance(capacity=20)
    a_party(performance, 3, name="=1+1", email="zoe@example.org")
    a_party(performance, name="Niccolò", confirmed=False)
    a_party(a_performance(), name="Elsewhere")
    admin = logged_in(app, "admin")
    for name in LISTS:
        files = [export(f"{name}/csv"), export(f"{name}/xlsx")]
        assert files[0].data == admin.get(f"/admin/{name}/export/csv/").data, name
        pages = workbook_rows(admin.get(f"/admin/{name}/export/xlsx/").data)
        assert workbook_rows(files[1].data) == pages, name
        for kind, file in zip(("csv", "xlsx"), files, strict=True):
            assert f"filename={name}-" in file.headers["Content-Disposition"]
            assert file.headers["Content-Disposition"].endswith(f".{kind}")
            assert "no-store" in file.headers["Cache-Control"]

    here = {"performance_id": performance.id}
    found = csv_rows(export("reservations/csv", **here))
    assert {row["Name"] for row in found} == {"'=1+1", "Niccolò"}, "and no formula"
    (row,) = workbook_rows(export("reservations/xlsx", **here, state="pending").data)
    assert row["Name"] == "Niccolò"
    (row,) = csv_rows(export("mails/csv", kind="ticket", delivery="queued"))[:1]
    assert row
    for path, asked in (
        ("reservations/csv", {"state": "gone"}),
        ("venues/xlsx", {"state": "pending"}),
        ("reservations/csv", {"search": "Ada"}),
    ):
        told = assert_problem(export(path, **asked), 422, "invalid-fields")
        assert [error["field"] for error in told["errors"]] == list(asked)
    for path in ("accounts/csv", "programs/xlsx", "reservations/pdf"):
        assert_problem(export(path), 404)
