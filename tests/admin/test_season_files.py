"""Importing and exporting the season, duplicating and archiving its shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from icalendar import Calendar

from azionelab.database import now
from tests.admin.test_runs import a_venue, sent_back
from tests.factories import a_party, a_performance
from tests.support.people import press

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
IMPORT = "/admin/season/import"
CSV = """show,venue,starts,seats,minutes
Amleto,Sala Grande,2029-10-05 20:30,80,110
Amleto,Sala Grande,6/10/2029 20:30,80,
"Re Lear","Sala Piccola",2029-10-07 16:00,40,
"""
ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//x//
BEGIN:VEVENT
UID:1
SUMMARY:Amleto
LOCATION:Sala Grande\\, Via Roma 1
DTSTART:20291005T183000Z
DTEND:20291005T202000Z
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Amleto
LOCATION:Sala Grande
DTSTART;TZID=Europe/Rome:20291006T203000
DURATION:PT2H
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def tried(staff: FlaskClient, content: str) -> str:
    return press(staff, IMPORT, IMPORT, content=content, preview="yes").text


def imported(staff: FlaskClient, page: str, content: str) -> str:
    form = sent_back(page) | {"content": content, "save": "yes"}
    return staff.post(IMPORT, data=form, follow_redirects=True).text


def evenings(database: Database) -> list[Any]:
    return database.execute(
        "SELECT title, name, starts_at, capacity FROM performance"
        " JOIN show ON show.id = show_id JOIN venue ON venue.id = venue_id ORDER BY starts_at"
    ).fetchall()


def test_a_file_is_tried_and_then_imported_at_once(staff: FlaskClient, database: Database) -> None:
    page = tried(staff, CSV)
    assert "New shows: Amleto, Re Lear" in page
    assert "New venues: Sala Grande, Sala Piccola" in page
    assert evenings(database) == []
    assert "3 evenings added." in imported(staff, page, CSV)
    assert evenings(database) == [
        ("Amleto", "Sala Grande", datetime(2029, 10, 5, 18, 30, tzinfo=UTC), 80),
        ("Amleto", "Sala Grande", datetime(2029, 10, 6, 18, 30, tzinfo=UTC), 80),
        ("Re Lear", "Sala Piccola", datetime(2029, 10, 7, 14, tzinfo=UTC), 40),
    ]
    again = tried(staff, CSV)
    assert "The show already has a performance at this time." in again
    assert 'name="save"' not in again


def test_a_calendar_is_imported(staff: FlaskClient, database: Database) -> None:
    a_venue(default_capacity=70)
    page = tried(staff, ICS)
    assert "Save 2 evenings" in page
    assert "2 evenings added." in imported(staff, page, ICS)
    assert [row[1:] for row in evenings(database)] == [
        ("Sala Grande", datetime(2029, 10, 5, 18, 30, tzinfo=UTC), 70),
        ("Sala Grande", datetime(2029, 10, 6, 18, 30, tzinfo=UTC), 70),
    ]
    assert database.execute("SELECT duration_minutes FROM show").fetchone() == (110,)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CSV.replace("2029-10-07 16:00", "soon"), "Line 4: starts: “soon” is no date"),
        (CSV.replace(",40,", ",many,"), "Line 4: seats: “many” is no number"),
        (CSV.replace("Amleto,Sala Grande,6/10", ",Sala Grande,6/10"), "Line 3: show is missing."),
        (CSV.replace("Re Lear", "x" * 300), "Line 4: show: “xxx"),
        (CSV.replace("Re Lear", "東京"), "Line 4: show: use letters from a to z"),
        (CSV.replace("show,venue", "what,where"), "Line 1: The first line has to name"),
        ("show,venue,starts\n", "There is no evening in the file."),
        (ICS.replace("DURATION:PT2H", "RRULE:FREQ=DAILY"), "Line 11: It repeats without end"),
        (ICS.replace("DURATION:PT2H", "RRULE:FREQ=HOURLY;COUNT=3"), "Line 11: How it repeats"),
        (ICS.replace("DURATION:PT2H", "RRULE:FREQ=DAILY;BYDAY=ZZ;COUNT=3"), "It cannot be read"),
        (ICS.replace("DURATION:PT2H", "RRULE:FREQ=DAILY;BYHOUR=18,20,22;COUNT=9999"), "more than 3000 evenings"),
        (ICS.replace("DTSTART:20291005T183000Z", "DTSTART;VALUE=DATE:20291005"), "Line 4: It has no time"),
        (ICS.replace("DTSTART:20291005T183000Z\r\n", ""), "Line 4: starts is missing."),
        (ICS.replace("20291005T183000Z", "soon"), "Line 4: It cannot be read: DTSTART"),
        ("BEGIN:VCALENDAR\r\nnonsense", "It cannot be read"),
    ],
)  # fmt: skip
def test_each_bad_line_is_named_and_nothing_is_saved(
    staff: FlaskClient, database: Database, content: str, words: str
) -> None:
    page = tried(staff, content)
    assert words in page
    assert 'name="save"' not in page
    imported(staff, page, content)
    assert evenings(database) == []


@pytest.mark.parametrize(
    "lines",
    [
        # No day of it has a next one.
        "DTSTART:20290102T193000\nRRULE:FREQ=DAILY;INTERVAL=0;COUNT=3;BYMONTH=2",
        "DTSTART:20290102T193000\nRRULE:FREQ=DAILY;INTERVAL=-1;COUNT=3",
        "DTSTART:20290102T193000\nRRULE:FREQ=DAILY;COUNT=-1",
        # A zone on one side only, and moments that no calendar holds.
        "DTSTART:20290102T193000\nDTEND:20290102T213000Z",
        "DTSTART:99991231T235959Z",
        "DTSTART:20290102T193000\nDURATION:P99999999W",
        "RECURRENCE-ID:99991231T235959Z\nDTSTART:20290102T193000",
        "DTSTART:20290102T193000\nRDATE:99991231T235959Z",
    ],
)
def test_an_event_that_no_calendar_can_hold_is_named(staff: FlaskClient, lines: str) -> None:
    a_venue(default_capacity=70)
    event = f"BEGIN:VEVENT\nUID:1\nSUMMARY:Amleto\nLOCATION:Sala Grande\n{lines}\nEND:VEVENT\n"
    page = tried(staff, f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//x//\n{event}END:VCALENDAR\n")
    assert "Line 4" in page


def test_repeating_events_become_their_evenings(staff: FlaskClient, database: Database) -> None:
    # Fridays and Saturdays over the night of 29 October 2028, when the clocks go back, in a calendar that
    # begins in the past and in which one date is excluded, one moved, one cancelled and one added.
    a_venue(default_capacity=70)
    event = "BEGIN:VEVENT\nUID:1\nSUMMARY:Amleto\nLOCATION:Sala Grande\n"
    rome = "TZID=Europe/Rome"
    content = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//x//\n" + "".join(
        f"{event}{lines}END:VEVENT\n"
        for lines in (
            (
                f"DTSTART;{rome}:20201016T203000\nDURATION:PT2H\n"
                "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=FR,SA;UNTIL=20281028T183000Z\n"
                f"EXDATE;{rome}:20281006T203000\nRDATE;{rome}:20281106T203000\n"
            ),
            f"RECURRENCE-ID:20281007T183000Z\nDTSTART;{rome}:20281008T160000\nDURATION:PT2H\n",
            f"RECURRENCE-ID;{rome}:20281013T203000\nDTSTART;{rome}:20281013T203000\nSTATUS:CANCELLED\n",
        )
    )
    content += "END:VCALENDAR\n"
    page = tried(staff, content)
    assert "dates of repeating events are over, and left out." in page
    imported(staff, page, content)
    local = database.execute(
        "SELECT to_char(starts_at AT TIME ZONE 'Europe/Rome', 'MM-DD HH24:MI') FROM performance"
        " WHERE starts_at > '2028-01-01' ORDER BY starts_at"
    ).fetchall()
    assert [row[0] for row in local] == [
        "10-08 16:00", "10-14 20:30", "10-20 20:30", "10-21 20:30", "10-27 20:30", "10-28 20:30", "11-06 20:30",
    ]  # fmt: skip


def test_a_night_of_the_clocks_keeps_the_whole_file_out(
    staff: FlaskClient, database: Database
) -> None:
    content = CSV.replace("2029-10-07 16:00", "2029-03-25 02:30")
    page = tried(staff, content)
    assert "the clocks go forward that night" in page
    imported(staff, page, content)
    assert evenings(database) == []


def test_what_is_exported_can_be_imported(staff: FlaskClient, database: Database) -> None:
    imported(staff, tried(staff, CSV), CSV)
    before = evenings(database)
    csv = staff.get("/admin/season/season.csv").text
    ics = staff.get("/admin/season/season.ics").text
    assert len(Calendar.from_ical(ics).walk("VEVENT")) == 3
    for table in ("performance", "show"):
        database.execute(f"DELETE FROM {table}")
    imported(staff, tried(staff, csv), csv)
    assert evenings(database) == before
    database.execute("DELETE FROM performance")
    database.execute("UPDATE venue SET default_capacity = 80")
    imported(staff, tried(staff, ics), ics)
    assert [row[:3] for row in evenings(database)] == [row[:3] for row in before]


def test_a_show_is_duplicated_with_its_run(staff: FlaskClient, database: Database) -> None:
    imported(staff, tried(staff, CSV), CSV)
    show = database.execute("SELECT id FROM show WHERE title = 'Amleto'").fetchone()
    assert show is not None
    address = f"/admin/season/duplicate?show={show[0]}"
    page = press(
        staff, address, address, title="Amleto", first_day="2030-01-11", preview="yes"
    ).text
    assert "Save 2 evenings" in page
    form = sent_back(page) | {"save": "yes"}
    assert "2 evenings added." in staff.post(address, data=form, follow_redirects=True).text
    assert [row.starts_at for row in evenings(database)[3:]] == [
        datetime(2030, 1, 11, 19, 30, tzinfo=UTC),
        datetime(2030, 1, 12, 19, 30, tzinfo=UTC),
    ]
    page = press(staff, address, address, title="Amleto", save="alone").text
    assert "Duplicated, as a draft." in page
    slugs = database.execute("SELECT slug, published FROM show WHERE title = 'Amleto' ORDER BY id")
    assert slugs.fetchall() == [("amleto", False), ("amleto-2", False), ("amleto-3", False)]


def test_a_show_that_is_over_is_archived_and_comes_back(
    staff: FlaskClient, database: Database
) -> None:
    over = a_performance(starts_at=now() - timedelta(days=3))
    coming = a_performance()
    a_party(coming)
    for performance in (over, coming):
        press(staff, "/admin/shows/archive/", id=performance.show_id)
    state = "SELECT published, archived_at IS NOT NULL FROM show ORDER BY id"
    assert database.execute(state).fetchall() == [(False, True), (True, False)]
    title = over.show.title
    for address in ("/admin/shows/", "/admin/season/", "/admin/season/run"):
        assert title not in staff.get(address).text, address
    assert title in staff.get("/admin/shows/?archived=1").text
    page = staff.get(f"/admin/shows/edit/?id={over.show_id}").text
    assert "Take out of the archive" in page
    press(staff, "/admin/shows/restore/", id=over.show_id)
    assert database.execute(state).fetchall() == [(False, False), (True, False)]
    assert title in staff.get("/admin/shows/").text
