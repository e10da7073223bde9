"""A season is written to a file and loaded from it again: nothing is lost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from azionelab.database import db, now, transaction
from azionelab.shows.models import Performance, Show, Venue
from azionelab.shows.season import load_season
from tests.factories import a_performance

pytestmark = pytest.mark.usefixtures("in_app")

# What a database gives itself, and what has happened in it.
OWN = {"id", "version", "show_id", "venue_id", "seats_held", "wheelchair_held"}
OWN |= {"archived_at", "cancelled_at", "moved_from", "released_at"}
TYPED = 'Al "Gelsi"""\\\n\n  *due*\tvoci\n# [[show]]\nfine"'


def rows() -> list[dict[str, Any]]:
    """All columns of all venues, shows and performances, but those of `OWN`."""
    db.session.rollback()
    found = []
    for model in (Venue, Show, Performance):
        columns = [column for column in model.__table__.columns if column.name not in OWN]
        order = model.starts_at if model is Performance else model.id
        found += [row._asdict() for row in db.session.execute(select(*columns).order_by(order))]
    return found


def test_what_is_written_is_loaded_as_it_was(app: Flask, tmp_path: Path) -> None:
    flags = ("published", "wheelchair", "companion", "hearing_loop", "strobe", "loud_noise", "haze")
    show = Show(
        slug="gelsi",
        title="I gelsi",
        summary='Due "voci" \\ una',
        description=TYPED,
        duration_minutes=95,
        listed=False,
        titles={"en": "The Mulberries"},
        summaries={"en": "Two voices"},
        descriptions={"en": TYPED},
        credits={"it": "Regia: Anna Neri", "en": "Director: Anna Neri"},
        access_notes={"it": "Dal cortile"},
        press="Bello.\n— la Repubblica",
        age_from=8,
        spoken_language="it",
        surtitles="en",
        doors_minutes=30,
        reminders="24, 2",
        **dict.fromkeys(flags, True),
    )
    venue = Venue(
        name="Sala", address="Via Roma 1", default_capacity=80,
        directions={"it": "Autobus 11", "en": "Bus 11"}, latitude=44.4949, longitude=-0.00001,
    )  # fmt: skip
    twice = datetime(2030, 10, 27, 1, 30, tzinfo=UTC)  # the clocks showed 02:30 an hour before, too
    a_performance(
        50, show=show, venue=venue, starts_at=twice, booking_opens_at=now(), reentry=True,
        wheelchair_places=2, party_limit=4,
    )  # fmt: skip
    a_performance()
    a_performance(published=False)
    before = rows()
    # A column that was forgotten above has no value: what is written of it is not tried.
    assert {
        name for row in (before[0], before[3], before[-1]) for name in row if not row[name]
    } == {"listed"}
    a_performance(show=show, venue=venue, starts_at=now() - timedelta(days=1))
    file = tmp_path / "season.toml"
    run = app.test_cli_runner().invoke(args=["write-season", str(file)])
    assert (run.exit_code, run.output) == (0, "")
    with transaction() as session:
        for model in (Performance, Show, Venue):
            session.execute(delete(model))
    load_season(file)
    assert rows() == before
