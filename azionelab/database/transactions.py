"""The two ways to write: `transaction()`, and `write_at_once` for a single statement."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import ClauseElement, Connection, Insert
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from azionelab.database.connections import LIMITED
from azionelab.database.errors import committing, is_database_busy
from azionelab.database.session import db, has_changes
from azionelab.validation.text import remove_bidi_controls

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_COMMITTED = "azionelab.committed"
_IN_USE_CASE = "azionelab.in_use_case"
_LAST_WORDS = "azionelab.last_words"


class NestedTransaction(RuntimeError):
    """A use case was called inside another: two owners would decide about one commit."""


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit what the block wrote, all of it, or roll all of it back when it raises.

    Every use case that changes state is one such block or several of them in turn, or a single statement
    that `write_at_once` sends (docs/locking.md). Reads that the request made before it share its connection;
    at READ COMMITTED they hold nothing back.

    Raises NestedTransaction inside another block, or when somebody wrote outside of one, and
    CommitUnknown when the connection is lost while it commits.
    """
    session = db.session()
    _refuse_nesting(session)
    session.info[_IN_USE_CASE] = True
    try:
        yield session
        _commit(session, session.info.pop(_LAST_WORDS, ()))
        session.info[_COMMITTED] = True
    except BaseException:
        _roll_back(session)
        raise
    finally:
        session.info.pop(_IN_USE_CASE, None)
        session.info.pop(_LAST_WORDS, None)


def has_committed() -> bool:
    """Whether this request has committed something already."""
    return db.session.registry.has() and _COMMITTED in db.session.info


def last_words(session: Session, statement: Insert, values: dict[str, Any]) -> None:
    """Have the transaction end with this insert, sent to the server in one go with its COMMIT.

    Several go in the order they were said. A lock that they take is then held for as long as the
    server needs for them, and not until this process, busy with other requests, gets round to saying
    COMMIT. What they are refused for is raised where the transaction ends.
    """
    require_transaction(session)
    session.info.setdefault(_LAST_WORDS, []).append((statement, values))


def write_at_once(statement: ClauseElement, values: Mapping[str, object]) -> Any:
    """Send a use case that is one statement, and commit it; the first row it answers, or None.

    It is a transaction of its own: BEGIN and COMMIT need not be sent, and what it locks is locked for no
    longer than the server needs. Reading that the request began before is ended, so that a request holds
    one connection and not two.

    Raises NestedTransaction inside `transaction()`, or when somebody wrote outside of one, and
    CommitUnknown when the connection is lost before the answer.
    """
    if db.session.registry.has():
        session = db.session()
        _refuse_nesting(session)
        end_reading(session)
    with db.engine.connect() as connection, _each_alone(connection):
        row = read_row(connection, statement, values)
    db.session.info[_COMMITTED] = True
    return row


@contextmanager
def _each_alone(connection: Connection) -> Iterator[None]:
    """Have each statement commit by itself; behind a pooler at the end, since LIMITS are set before it."""
    driver: Any = connection.connection.driver_connection
    if connection.get_execution_options().get(LIMITED):
        with committing(driver), connection.begin():
            yield
        return
    driver.autocommit = True
    try:
        with committing(driver):
            yield
    except (IntegrityError, OperationalError):
        raise
    except DBAPIError as error:
        # No fault of the row's or the network's: maybe of what was prepared, which only a ROLLBACK would
        # have psycopg forget, and none is sent here.
        connection.invalidate(error)
        raise
    finally:
        if not driver.closed:
            driver.autocommit = False


def read_row(connection: Connection, statement: ClauseElement, values: Mapping[str, object]) -> Any:
    """The first row of what a statement answers, by its columns' names, or None.

    For what every scan at the door asks: it goes past SQLAlchemy, which costs more than asking
    PostgreSQL does (docs/performance.md). Texts are read as `Typed` reads them.
    """
    driver: Any = connection.connection.driver_connection
    with _as_sqlalchemy(connection), driver.cursor(row_factory=namedtuple_row) as cursor:
        row = cursor.execute(_written(statement), values).fetchone()
    return row and row._make(
        remove_bidi_controls(value) if isinstance(value, str) else value for value in row
    )


@cache
def _written(statement: ClauseElement) -> str:
    """A statement as the driver takes it: made once, for what every scan at the door sends."""
    return str(statement.compile(dialect=_DIALECT))


@contextmanager
def _as_sqlalchemy(connection: Connection) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy's, which everybody knows."""
    driver: Any = connection.connection.driver_connection
    try:
        yield
    except psycopg.Error as error:
        if driver.closed:
            connection.invalidate(error)
        raise DBAPIError.instance(
            None,
            None,
            error,
            psycopg.Error,
            connection_invalidated=driver.closed,
            dialect=connection.dialect,
        ) from None


def _commit(session: Session, last: Sequence[tuple[Insert, dict[str, Any]]]) -> None:
    session.flush()
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    if last:
        # What the statements meet is SQLAlchemy's, and comes before the COMMIT; the driver's own comes after.
        with (
            _as_sqlalchemy(connection),
            committing(driver, psycopg.Error),
            driver.pipeline(),
        ):
            for statement, values in last:
                connection.execute(statement, values)
            # By the driver itself: the session's commit would give the connection back to the pool
            # while its pipeline is still open.
            driver.commit()
    with committing(driver):
        session.commit()


def _roll_back(session: Session) -> None:
    """Roll back; a connection that is lost by then has done that, and the first error is the one to tell."""
    try:
        session.rollback()
    except SQLAlchemyError as error:
        session.invalidate()
        if not is_database_busy(error):
            raise


def end_reading(session: Session) -> None:
    """End a transaction that only read by COMMIT, where closing the session would say ROLLBACK.

    At a ROLLBACK psycopg forgets all that it prepared on the connection, and the next requests have
    their statements planned anew. What somebody changed outside `transaction()` is not committed.
    """
    if session.in_transaction() and not has_changes(session):
        try:
            session.commit()
        except SQLAlchemyError:
            _roll_back(session)  # the connection is gone; what was read is told all the same


def _refuse_nesting(session: Session) -> None:
    if session.info.get(_IN_USE_CASE) or has_changes(session):
        raise NestedTransaction


def require_transaction(session: Session) -> None:
    """Refuse to lock outside of `transaction()`: nothing would say when the lock ends."""
    if not session.info.get(_IN_USE_CASE):
        raise RuntimeError("a row may be locked only inside transaction()")
