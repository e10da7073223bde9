"""The advice on standby places: which evenings it compares, what it says, and that it needs no names."""

from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from flask import Flask

from azionelab.bookings import erasure
from azionelab.checkin.scanning.scans import admit
from azionelab.database import now
from azionelab.reports.no_show_model import Record
from azionelab.reports.standby import FEWEST, Advice, Basis, standby_advice
from azionelab.shows.models import Performance
from tests.factories import DOOR_A, a_party, a_performance
from tests.reports.test_figures import played
from tests.support.people import logged_in

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
ROME = ZoneInfo("Europe/Rome")


def an_evening(database: Database, ago: timedelta, **where: Any) -> Performance:
    """An evening of the past: of eight people three stayed away."""
    performance = a_performance(20, **where)
    came = a_party(performance, 5)
    a_party(performance, 3)
    admit(performance.id, came.reference, uuid4(), DOOR_A, people=5)
    played(database, performance, ago)
    return performance


def advise(performance: Performance) -> Advice:
    return standby_advice(performance, 12, now(), ROME)


def test_evenings_of_the_show_are_compared_else_those_of_weekday_and_venue_else_all(
    database: Database,
) -> None:
    tonight = a_performance(20, starts_at=now() + timedelta(days=7, hours=1))
    here, weeks = {"venue": tonight.venue}, [timedelta(weeks=week, hours=-1) for week in (1, 2, 3)]
    an_evening(database, timedelta(hours=1), show=tonight.show)  # goes on
    for ago in weeks:
        an_evening(database, ago, **here)
    an_evening(database, timedelta(weeks=200), **here)
    assert (advise(tonight).forecast, advise(tonight).standby) == (None, 0)
    assert len(advise(tonight).evenings) == FEWEST - 1

    an_evening(database, timedelta(days=4, hours=-1), **here)
    assert (advise(tonight).basis, len(advise(tonight).evenings)) == (Basis.ALL, 4)
    an_evening(database, timedelta(weeks=4, hours=-1), **here)
    assert (advise(tonight).basis, len(advise(tonight).evenings)) == (Basis.WEEKDAY, 4)
    for days in range(3, 7):
        an_evening(database, timedelta(days=days), show=tonight.show)
    found = advise(tonight)
    assert (found.basis, found.evenings) == (Basis.SHOW, [Record(8, 3)] * 4)
    assert found.forecast
    assert found.forecast.mean == pytest.approx(12 * 3 / 8, rel=0.2)

    assert erasure.erase_personal_data() > 0
    assert advise(tonight) == found


def test_the_page_advises_or_says_that_there_are_too_few_evenings(
    app: Flask, database: Database
) -> None:
    tonight = a_performance(20)
    for _party in range(2):
        a_party(tonight, 6)
    address = f"/admin/evenings/{tonight.id}/standby"
    client = logged_in(app, "read_only")
    assert address in client.get(f"/admin/evenings/{tonight.id}").text
    page = client.get(address).text
    assert "Not enough evenings yet." in page
    assert "<svg class" not in page
    for days in range(3, 3 + FEWEST):
        an_evening(database, timedelta(days=days), show=tonight.show)
    page = client.get(address).text
    advised = advise(tonight)
    assert f"The record supports {advised.standby} standby place" in page
    assert "12 people are booked now." in page
    assert "Compared with the last 4 evenings of this show." in page
    assert "12 of 32 booked people stayed away (38%)." in page
    assert 'role="img" aria-label="12 people are booked now.' in page
    database.execute("UPDATE performance SET cancelled_at = now() WHERE id = %s", [tonight.id])
    assert "over or cancelled" in client.get(address).text
