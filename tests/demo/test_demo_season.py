"""`flask demo-season`: an invented season in every state, beside nobody's real bookings."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from random import Random
from typing import Any

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from PIL import Image

from azionelab.demo.parties import Audience
from azionelab.demo.posters import draw_poster
from azionelab.demo.programme import evenings, shows
from azionelab.ops.checks.doctor import run_checks
from tests.factories import a_party, a_performance

Database = psycopg.Connection[Any]


@pytest.fixture
def write_season(in_app: Flask) -> Callable[..., Result]:
    """Run the command."""
    command = ("demo-season", "--no-pictures")
    return lambda *options: in_app.test_cli_runner().invoke(args=(*command, *options))


def count(database: Database, what: str) -> int:
    row = database.execute(f"SELECT count(*) FROM {what}").fetchone()  # type: ignore[arg-type]
    assert row
    return int(row[0])


def test_there_is_something_of_everything_and_all_of_it_is_consistent(
    write_season: Callable[..., Result], database: Database, in_app: Flask
) -> None:
    written = write_season()
    assert written.exit_code == 0, written.output
    reservations = "reservation JOIN performance AS p ON p.id = performance_id"
    for what, at_least in {
        "reservation": 300,
        "reservation WHERE state = 'pending' AND holds_seats AND hold_expires_at > now()": 2,
        "reservation WHERE state = 'pending' AND NOT holds_seats": 1,
        "reservation WHERE state = 'cancelled'": 10,
        "reservation WHERE state = 'expired'": 10,
        "reservation WHERE reduced_from > seats": 3,
        "reservation WHERE walk_in AND admitted = seats": 3,
        "reservation WHERE late_at IS NOT NULL": 2,
        "reservation WHERE note <> ''": 3,
        "reservation WHERE released > 0": 1,
        "reservation WHERE locale = 'en'": 5,
        f"{reservations} WHERE state = 'confirmed' AND admitted = 0 AND starts_at < now()": 10,
        "performance WHERE starts_at < now()": 15,
        "performance WHERE starts_at > now() AND booking_opens_at > now()": 5,
        "performance WHERE seats_held = capacity AND starts_at > now()": 1,
        "performance WHERE capacity - seats_held BETWEEN 1 AND wheelchair_places - wheelchair_held"
        " AND starts_at > now()": 1,
        "reservation WHERE wheelchair_places = 1": 20,
        "performance WHERE cancelled_at < now()": 2,
        "show WHERE NOT published": 1,
        "venue": 2,
        "mail WHERE delivery = 'failed'": 1,
        "scan WHERE verdict = 'cancelled'": 1,
    }.items():
        assert count(database, what) >= at_least, what
    # Nothing has happened that is still to come.
    for untrue in (
        "reservation WHERE created_at > now()",
        "reservation WHERE confirmed_at > now() OR ended_at > now()",
        "reservation WHERE confirmed_at < created_at OR ended_at < created_at",
        f"{reservations} WHERE NOT walk_in AND created_at > booking_closes_at",
        "scan WHERE scanned_at > now() OR received_at > now()",
        "admission JOIN scan ON scan.id = scan_id WHERE admitted_at <> scanned_at",
        "mail WHERE created_at > now() OR sent_at > now()",
    ):
        assert count(database, untrue) == 0, untrue
    assert not [str(check) for check in run_checks() if check.failed]


@pytest.mark.usefixtures("demo_season")
def test_only_mails_of_the_last_minutes_have_jobs(database: Database) -> None:
    waiting = count(database, "mail WHERE delivery = 'queued'")
    assert 0 < waiting < 30
    assert waiting == count(database, "procrastinate_jobs WHERE task_name = 'mail.send'")


def test_real_bookings_stay_alone(write_season: Callable[..., Result], database: Database) -> None:
    a_party(a_performance())
    refused = write_season()
    assert refused.exit_code == 1
    assert "has reservations" in refused.output
    assert count(database, "reservation") == 1
    assert write_season("--force").exit_code == 0
    again = write_season("--force")
    assert again.exit_code == 1
    assert "in this database already" in again.output


def test_a_production_site_is_left_alone(
    make_app: Callable[..., Flask], database: Database
) -> None:
    production = make_app(
        FLASK_DEBUG="false",
        SITE_BASE_URL="https://tickets.theatre.org",
        ALLOWED_HOSTS="tickets.theatre.org",
        CSRF_TRUSTED_ORIGINS="https://tickets.theatre.org",
        MAIL_DEFAULT_SENDER="boxoffice@theatre.org",
        MAIL_USE_TLS="true",
    )
    refused = production.test_cli_runner().invoke(args=["demo-season"])
    assert refused.exit_code == 1
    assert "production" in refused.output
    assert count(database, "show") == 0


@pytest.mark.parametrize("day", [datetime(2027, 2, day, tzinfo=UTC) for day in range(1, 8)])
def test_every_day_has_an_evening(in_app: Flask, day: datetime) -> None:
    zone = in_app.config["AZIONELAB"].time_zone
    programme = evenings(day.date(), zone)
    assert any(each.starts_at.date() == day.date() for each in programme)
    moments = [(each.venue.name, each.starts_at) for each in programme]
    assert len(moments) == len(set(moments))


def test_the_same_people_book_each_time(in_app: Flask) -> None:
    day = datetime(2027, 2, 3, 9, tzinfo=UTC)
    evening = evenings(day.date(), in_app.config["AZIONELAB"].time_zone)[3]
    one, other = (Audience(Random(7)).bookings(evening, day) for _ in range(2))
    assert one == other
    assert one


def test_each_show_has_a_poster_of_its_own() -> None:
    drawn = [Image.open(BytesIO(draw_poster(show.slug, show.title))) for show in shows()]
    assert {image.size for image in drawn} == {(1000, 1500)}
    assert len({image.tobytes() for image in drawn}) == len(drawn)
