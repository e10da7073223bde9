"""A theatre's application on an embedded database, in which time passes because everything written becomes older.

The rules ask Python's clock, triggers and views ask the database's. Neither is touched: to let a day pass, every moment in
every table is moved a day back. So a deadline passes for all of them alike, and no code knows that it is simulated. The
theatre's time zone is moved too, by whole hours, so that it is evening there when the curtain is near.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import flask_migrate
import psycopg
from flask import Flask
from psycopg import sql

from azionelab.app import create_app
from azionelab.database import db, now, transaction
from azionelab.settings.loading import load_config
from azionelab.shows.limits import CLOSES_BEFORE
from azionelab.shows.models import Performance, Show, Venue
from bare_machine import embedded_postgres

CURTAIN = timedelta(hours=20, minutes=30)  # o'clock
_HALF_DAY, _DAY = 12, 24  # hours
_MOMENTS = """
SELECT table_name, array_agg(column_name::text) FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type = 'timestamp with time zone'
    AND table_name NOT LIKE 'procrastinate%' GROUP BY table_name
"""
_TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT IN ('alembic_version', 'role')
"""


def settings(database_url: str, folder: Path) -> dict[str, str]:
    """The settings of a theatre that has changed none but those that it must set."""
    return {
        "FLASK_DEBUG": "true",
        "SECRET_KEY": "6bYyQ0p4pX1n8zKq3tVh7sWm2rLc9dFa",
        "DATABASE_URL": embedded_postgres.as_application(database_url),
        "SITE_BASE_URL": "http://127.0.0.1:8000",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_DEFAULT_SENDER": "box-office@theatre.example",
        "MEDIA_DIR": str(folder),
    }


def migrate(database_url: str, folder: Path) -> None:
    """Build the database by the migrations."""
    app = create_app(
        load_config(settings(database_url, folder) | {"MIGRATION_DATABASE_URL": database_url})
    )
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()


class World:
    """One evening of the theatre, at a moment that only moves on."""

    def __init__(self, app: Flask, database: "psycopg.Connection[Any]") -> None:
        self._app = app
        self._database = database
        self._settings = app.config["AZIONELAB"]
        self.performance_id = 0
        self._curtain = now()
        moments = database.execute(_MOMENTS).fetchall()
        # Triggers are off: nobody changes anything. Indexes of a search that nobody makes cost most of the time.
        database.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        database.execute("DROP INDEX IF EXISTS ix_reservation_search")
        updates = [
            sql.SQL("UPDATE {} SET {};").format(
                sql.Identifier("public", table),
                sql.SQL(", ").join(sql.SQL("{0} = {0} + by").format(sql.Identifier(each)) for each in columns),
            )
            for table, columns in moments
        ]  # fmt: skip
        database.execute(
            sql.SQL(
                "CREATE FUNCTION pg_temp.age(by interval) RETURNS void LANGUAGE plpgsql"
                " AS $$ BEGIN {} END $$"
            ).format(sql.SQL(" ").join(updates))
        )
        tables = [table for (table,) in database.execute(_TABLES)]
        self._forget = sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(
            sql.SQL(", ").join(sql.Identifier("public", table) for table in tables)
        )

    def open_evening(
        self, capacity: int, before: timedelta, *, confirm_again_hours: int = 0
    ) -> None:
        """Forget the evening before, and begin so long `before` the curtain of a new one, whose booking opens now."""
        self._settings = replace(self._settings, confirm_again_hours=confirm_again_hours)
        db.session.remove()
        self._database.execute(self._forget)
        at = now()
        self._curtain = at + before
        with transaction() as session:
            performance = Performance(
                show=Show(slug="show", title="Show", published=True),
                venue=Venue(name="Venue", address="Via Roma 1"),
                starts_at=self._curtain,
                booking_opens_at=at - timedelta(minutes=1),
                booking_closes_at=self._curtain - CLOSES_BEFORE,
                capacity=capacity,
            )
            session.add(performance)
        self.performance_id = performance.id
        self._turn_clock(at, before)

    def pass_until(self, before: timedelta) -> None:
        """Let time pass until so long `before` the curtain; negative is after it."""
        db.session.remove()
        at = now()
        passed = at + before - self._curtain
        self._database.execute("SELECT pg_temp.age(%s)", [passed])
        self._curtain += passed
        self._turn_clock(at, before)

    def deliver_mails(self) -> None:
        """Let the mails that were written arrive."""
        self._database.execute(
            "UPDATE mail SET delivery = 'sent', sent_at = now() WHERE delivery = 'queued'"
        )

    def rows(self, query: str) -> list[Any]:
        """Read from the database, beside the rules."""
        return self._database.execute(query.encode()).fetchall()

    def _turn_clock(self, at: datetime, before: timedelta) -> None:
        # What the theatre's clock shows, less what UTC's does: to the nearest hour, as zones of whole hours exist.
        shown = (CURTAIN - before) / timedelta(hours=1)
        hours = round(shown - (at.hour + at.minute / 60)) % _DAY
        hours -= _DAY if hours >= _HALF_DAY else 0
        zone = ZoneInfo(f"Etc/GMT{-hours:+d}")  # these have the sign of POSIX
        self._app.config["AZIONELAB"] = replace(self._settings, time_zone=zone)


@contextmanager
def world(database_url: str, folder: Path) -> Iterator[World]:
    """A theatre on a migrated database that nobody else uses."""
    app = create_app(load_config(settings(database_url, folder)))
    with (
        app.app_context(),
        psycopg.connect(database_url, autocommit=True) as database,
    ):
        yield World(app, database)
        db.session.remove()
        db.engine.dispose()
