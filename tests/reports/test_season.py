"""The season report: its figures, what erasure leaves of them, its pages and files."""

import csv
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import openpyxl
import psycopg
import pytest
from flask import Flask

from azionelab.bookings import erasure, rules
from azionelab.bookings.box_office.book_for import Guest, book_for
from azionelab.bookings.performance_changes import cancel_performance
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.database import now
from azionelab.reports.periods import Period, season_of, year_of
from azionelab.reports.season import Figures, played_lead_seats, season_figures
from azionelab.shows.models import Performance
from tests.factories import DOOR_A, a_party, a_performance, fresh
from tests.reports.test_figures import booked, played
from tests.support.people import logged_in

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
ROME = ZoneInfo("Europe/Rome")


def a_season(database: Database) -> list[Performance]:
    """An evening with a check-in, one without, one that was cancelled, one to come, and a draft's."""
    checked, unchecked, cancelled = (a_performance(capacity=20) for _ in range(3))
    coming, draft = a_performance(capacity=7), a_performance(published=False)
    whole, part = a_party(checked, 4), a_party(checked, 3)
    for party in (whole, part):
        admit(checked.id, party.reference, uuid4(), DOOR_A, people=party.seats)
    absent = a_party(checked, 2, name="Bruno Neri")
    rules.cancel(a_party(checked, 5).id)
    a_party(checked, 1, confirmed=False)
    let_in_walk_ins(checked.id, 2, uuid4(), DOOR_A)
    desk = book_for(checked.id, Guest("Walk-in", "", "en", at_desk=True), 1)
    admit(checked.id, desk.reference, uuid4(), DOOR_A)
    a_party(unchecked, 6)
    a_party(cancelled, 3)
    a_party(coming, 3)
    cancel_performance(cancelled.id)
    for days, each in ((400, checked), (800, unchecked), (500, cancelled), (600, draft)):
        curtain = played(database, each, timedelta(days=days))
        if each is checked:
            for party, before in ((whole, 10), (part, 3), (absent, 1)):
                booked(database, party, curtain - timedelta(days=before))
    return [checked, unchecked, cancelled, coming]


def test_what_is_counted_is_the_same_before_and_after_the_names_are_erased(
    database: Database,
) -> None:
    checked, unchecked, cancelled, coming = a_season(database)
    asked = a_party(coming, 1)
    before = season_figures(now())
    lead = played_lead_seats(before)
    assert [each.performance_id for each in before.played] == [unchecked.id, checked.id]
    assert [each.performance_id for each in before.coming] == [coming.id]
    assert [each.performance_id for each in before.cancelled] == [cancelled.id]
    evening = before.played[1].figures
    assert evening == Figures(
        performances=1,
        seats=20,
        taken=12,
        booked=9,
        came=10,
        walk_ins=3,
        checked=1,
        expected=9,
        absent=2,
        lead=pytest.approx(4 * 10 + 3 * 3 + 2 * 1, abs=0.1),
    )
    assert (evening.fill, evening.no_show_share) == (60, pytest.approx(100 * 2 / 9))
    assert evening.lead_days == pytest.approx(51 / 9, abs=0.1)
    assert before.total.fill == pytest.approx(100 * 18 / 40)
    assert (before.total.expected, before.total.checked) == (9, 1), "nobody knows of the other"
    assert lead[1:5] == [2, 3, 0, 4]
    assert erasure.erase_personal_data() > 0
    erasure.erase_on_request(asked.id)
    assert fresh(asked.id).name == ""
    names = database.execute("SELECT count(*) FROM reservation WHERE name <> ''").fetchone()
    assert names == (1,), "the party to come alone is not erased"
    after = season_figures(now())
    assert after == before
    assert played_lead_seats(after) == lead


def test_a_period_has_the_evenings_between_its_days_where_the_theatre_is(
    database: Database,
) -> None:
    late, next_day = a_performance(), a_performance()
    for each, curtain in (
        (late, datetime(2025, 8, 31, 21, 59, tzinfo=UTC)),
        (next_day, datetime(2025, 8, 31, 22, 0, tzinfo=UTC)),
    ):
        played(database, each, now() - curtain)
    found = season_figures(now(), *season_of(date(2025, 8, 31)).bounds(ROME))
    assert [each.performance_id for each in found.played] == [late.id]
    found = season_figures(now(), *season_of(date(2025, 9, 1)).bounds(ROME))
    assert [each.performance_id for each in found.played] == [next_day.id]


def test_seasons_and_years_follow_each_other() -> None:
    season = season_of(date(2026, 8, 31))
    assert season == Period(date(2025, 9, 1), date(2026, 8, 31))
    assert season.before == season_of(date(2025, 8, 31))
    assert year_of(date(2024, 2, 29)).before == year_of(date(2023, 6, 1))


def test_the_report_is_a_page_a_document_and_files(app: Flask, database: Database) -> None:
    checked, unchecked, cancelled, _coming = a_season(database)
    client = logged_in(app, "read_only")
    first, second = (curtain_of(database, each) for each in (unchecked, checked))
    asked = f"first={first:%Y-%m-%d}&last={now():%Y-%m-%d}"
    page = client.get(f"/admin/season-report/?{asked}")
    assert page.status_code == 200
    for text in (checked.show.title, "1 performance was cancelled", "had no check-in", "45%"):
        assert text in page.text
    rows = csv_rows(client.get(f"/admin/season-report/report.csv?{asked}").data)
    assert [(row["Show"], row["State"], row["Fill (%)"]) for row in rows] == [
        (unchecked.show.title, "played", "30.0"),
        (cancelled.show.title, "cancelled", "0.0"),
        (checked.show.title, "played", "60.0"),
    ]
    assert rows[2]["Came"] == "10"
    assert rows[0]["Came"] == "", "nobody knows"
    book = client.get(f"/admin/season-report/report.xlsx?table=shows&{asked}").data
    head, *lines = openpyxl.load_workbook(BytesIO(book)).active.iter_rows(values_only=True)
    assert head[:3] == ("Show", "Performances", "Seats offered")
    assert [line[:3] for line in lines] == [
        (unchecked.show.title, 1, 20),
        (checked.show.title, 1, 20),
    ]
    paper = client.get(f"/admin/season-report/report.pdf?{asked}")
    assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")
    years = csv_rows(client.get("/admin/season-report/years.csv").data)
    assert [row["Year"] for row in years] == [str(first.year), str(second.year)]
    assert client.get("/admin/season-report/years.pdf?by=season").data.startswith(b"%PDF-")
    assert client.get("/admin/season-report/years/?by=season").status_code == 200


def test_days_that_cannot_be_are_answered_at_their_fields(app: Flask) -> None:
    client = logged_in(app, "read_only")
    page = client.get("/admin/season-report/?first=2026-09-31&last=2026-10-01").text
    assert 'value="2026-09-31"' in page
    assert 'id="first-error"' in page
    page = client.get("/admin/season-report/?first=2026-10-02&last=2026-10-01").text
    assert "The last day is before the first one." in page
    assert client.get("/admin/season-report/report.pdf?first=2026-10-02&last=x").status_code == 404
    assert "there are no figures" in client.get("/admin/season-report/").text


def curtain_of(database: Database, performance: Performance) -> datetime:
    """The curtain of a performance that was moved to the past."""
    row = database.execute(
        "SELECT starts_at FROM performance WHERE id = %s", [performance.id]
    ).fetchone()
    assert row
    curtain: datetime = row[0]
    return curtain.astimezone(ROME)


def csv_rows(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"), newline="")))
