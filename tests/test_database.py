"""State of connections between requests, and the number of rows that a booking reads."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from azionelab.bookings import rules
from azionelab.database import NestedTransaction, db, execute_autocommit, transaction
from azionelab.shows.models import Performance
from tests.factories import a_performance, a_visitor


def prepared(app: Flask) -> int:
    with app.app_context():
        return int(db.session.scalar(text("SELECT count(*) FROM pg_prepared_statements")) or 0)


def test_a_page_that_only_reads_leaves_the_prepared_statements(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        db.engine.dispose()
        a_performance()
    for _ in range(7):  # psycopg prepares what it was asked five times
        assert client.get("/").status_code == 200
    assert prepared(app) > 0


def set_and_leave(performance: Performance) -> None:
    performance.party_limit = 1


def set_and_read_on(performance: Performance) -> None:
    performance.party_limit = 1
    db.session.scalars(select(Performance)).all()  # sends the change along


def send_an_update(_performance: Performance) -> None:
    db.session.execute(update(Performance).values(party_limit=1))


@pytest.mark.parametrize("change", [set_and_leave, set_and_read_on, send_an_update])
def test_changes_outside_a_transaction_are_discarded(
    app: Flask, database: psycopg.Connection[Any], change: Callable[[Performance], None]
) -> None:
    with app.test_request_context("/"):
        change(a_performance())
        app.process_response(app.response_class())
    kept = database.execute("SELECT party_limit FROM performance").fetchone()
    assert kept is not None
    assert kept.party_limit != 1


@pytest.mark.parametrize("change", [set_and_leave, set_and_read_on, send_an_update])
def test_no_rule_commits_other_pending_changes(
    in_app: Flask, change: Callable[[Performance], None]
) -> None:
    performance = a_performance()
    change(performance)
    with pytest.raises(NestedTransaction):
        rules.reserve(performance.id, a_visitor(), 1)
    db.session.rollback()


def test_a_rolled_back_write_leaves_no_lock(in_app: Flask) -> None:
    performance = a_performance()
    send_an_update(performance)
    db.session.rollback()
    assert rules.reserve(performance.id, a_visitor(), 1).seats == 1


def rows_read(database: psycopg.Connection[Any]) -> int:
    """Rows of reservations that were read until now, by everybody."""
    db.session.execute(text("SELECT pg_stat_force_next_flush()"))
    db.session.rollback()
    read = database.execute(
        "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS rows"
        " FROM pg_stat_user_tables WHERE relname = 'reservation'"
    ).fetchone()
    return int(read.rows) if read else 0


@pytest.fixture
def a_season_booked(in_app: Flask, database: psycopg.Connection[Any]) -> Performance:
    """A performance with 120 parties and 1,500 that did not confirm in time, all known to the planner.

    Of a table of one page it would rightly read all rows, of one that it knows nothing about it guesses.
    """
    performance = a_performance(capacity=500)
    database.execute(
        """
        INSERT INTO reservation (id, reference, performance_id, name, email, email_key, locale, seats,
                                 state, request_key, created_at, hold_expires_at, confirmed_at)
        SELECT gen_random_uuid(), 'R' || n, %s, 'Ada Rossi', n || '@example.org', n || '@example.org', 'en', 1,
               CASE WHEN n <= 120 THEN 'confirmed' ELSE 'expired' END,
               gen_random_uuid(), now(), now(), CASE WHEN n <= 120 THEN now() END
        FROM generate_series(1, 1620) n
        """,
        [performance.id],
    )
    database.execute("ANALYZE reservation")
    return performance


def test_a_booking_reads_a_few_rows_however_many_there_are(
    a_season_booked: Performance, database: psycopg.Connection[Any]
) -> None:
    before = rows_read(database)
    # More than ten: the plan that is made for the first ones is not the one that is kept.
    for _ in range(60):
        rules.reserve(a_season_booked.id, a_visitor(), 1)
    assert 0 < rows_read(database) - before <= 60 * 3


RENAME = text("UPDATE show SET title = :title RETURNING title")


def title(database: psycopg.Connection[Any]) -> str:
    shown = database.execute("SELECT title FROM show").fetchone()
    assert shown is not None
    return str(shown.title)


def test_an_autocommitted_statement_is_committed_and_leaves_the_connection_as_it_was(
    in_app: Flask, database: psycopg.Connection[Any]
) -> None:
    performance = a_performance()
    database.execute("DELETE FROM show WHERE id <> %s", [performance.show_id])
    assert db.session.get(Performance, performance.id) is not None  # the request read before
    assert execute_autocommit(RENAME, {"title": "Amleto"}).title == "Amleto"
    assert title(database) == "Amleto"
    db.session.execute(RENAME, {"title": "Otello"})
    db.session.rollback()
    assert title(database) == "Amleto", "the pool's connections begin transactions as before"
    with pytest.raises(DBAPIError, match="no_such_column"):
        execute_autocommit(text("SELECT no_such_column"), {})
    assert execute_autocommit(text("SELECT 1 AS one"), {}).one == 1


def test_a_request_that_executes_in_autocommit_holds_one_connection(in_app: Flask) -> None:
    db.session.scalar(text("SELECT 1"))
    pool: Any = db.engine.pool
    assert pool.checkedout() == 1
    execute_autocommit(text("SELECT 1"), {})
    assert pool.checkedout() == 0


@pytest.mark.parametrize("change", [set_and_leave, set_and_read_on, send_an_update])
def test_nothing_is_autocommitted_beside_uncommitted_changes(
    in_app: Flask, change: Callable[[Performance], None]
) -> None:
    change(a_performance())
    with pytest.raises(NestedTransaction):
        execute_autocommit(text("SELECT 1"), {})
    db.session.rollback()
    with transaction(), pytest.raises(NestedTransaction):
        execute_autocommit(text("SELECT 1"), {})


def test_a_statement_whose_plan_went_stale_fails_once(
    in_app: Flask, database: psycopg.Connection[Any]
) -> None:
    db.engine.dispose()
    database.execute("CREATE TABLE passing (word varchar(10))")
    database.execute("GRANT SELECT ON passing TO PUBLIC")
    try:
        look = text("SELECT word FROM passing")
        for _ in range(7):  # psycopg prepares what it was asked five times
            execute_autocommit(look, {})
        database.execute("ALTER TABLE passing ALTER COLUMN word TYPE varchar(20)")
        with pytest.raises(DBAPIError, match="cached plan"):
            execute_autocommit(look, {})
        assert execute_autocommit(look, {}) is None
    finally:
        database.execute("DROP TABLE passing")
