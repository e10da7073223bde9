"""Transactions: `transaction()`, and `execute_autocommit` for a use case of a single statement."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any, TypeVar

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import ClauseElement, Connection, Insert, TextClause, Update
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from azionelab.database.actors import announce_current
from azionelab.database.connections import SETS_LIMITS
from azionelab.database.errors import detect_lost_commit, is_database_busy
from azionelab.database.session import IN_USE_CASE, db, has_changes
from azionelab.validation.text import remove_bidi_controls

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_COMMITTED = "azionelab.committed"
_INSERTS_WITH_COMMIT = "azionelab.insert_with_commit"
_BEFORE_COMMIT = "azionelab.before_commit"
_Locked = TypeVar("_Locked")


class NestedTransaction(RuntimeError):
    """A use case was called inside another one, which already owns the commit."""


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit the block's changes, or roll all of them back when it raises.

    A use case that changes state is one such block, several of them in sequence, or a single statement sent by
    `execute_autocommit` (docs/locking.md). Earlier reads of the request share its connection; at READ COMMITTED
    they do not affect it.

    Raises NestedTransaction inside another block or after a write outside of one, and CommitUnknown when the
    connection is lost during the commit.
    """
    session = db.session()
    _refuse_nesting(session)
    session.info[IN_USE_CASE] = True
    try:
        announce_current(session)
        yield session
        run_before_commit(session)
        _commit(session, session.info.pop(_INSERTS_WITH_COMMIT, ()))
        session.info[_COMMITTED] = True
    except BaseException:
        _roll_back(session)
        raise
    finally:
        session.info.pop(IN_USE_CASE, None)
        session.info.pop(_INSERTS_WITH_COMMIT, None)
        session.info.pop(_BEFORE_COMMIT, None)


def has_committed() -> bool:
    """Whether this request has already committed a transaction."""
    return db.session.registry.has() and _COMMITTED in db.session.info


def insert_with_commit(
    session: Session, statement: Insert | TextClause, values: dict[str, Any]
) -> None:
    """Send this insert together with the transaction's COMMIT, in one round trip (psycopg's pipeline).

    Several inserts keep their order. If nothing was sent before, BEGIN travels with them, too. Locks that they take are held only while the server executes them and
    the COMMIT, and not while a thread of this process waits for its turn. Their errors are raised where the
    transaction ends. It raises the rate of bookings of one performance (docs/performance.md).
    """
    require_transaction(session)
    session.info.setdefault(_INSERTS_WITH_COMMIT, []).append((statement, values))


def before_commit(session: Session, work: Callable[[Session, int], None], about: int) -> None:
    """Call `work(session, about)` at the end of the transaction, before it commits; once, however often it is asked.

    For what follows from all that the transaction did to a row, whose id `about` is. What raises rolls back.
    """
    require_transaction(session)
    session.info.setdefault(_BEFORE_COMMIT, {})[about, work] = None


def has_before_commit(session: Session, about: int) -> bool:
    """Whether something is still to be done about a row before the commit."""
    return any(row == about for row, _work in session.info.get(_BEFORE_COMMIT, {}))


def run_before_commit(session: Session, about: int | None = None) -> None:
    """Do what `before_commit` was asked for, in the order of the rows' ids; of one row if it is named."""
    waiting = session.info.get(_BEFORE_COMMIT, {})
    while due := [each for each in waiting if about in (None, each[0])]:
        key = min(due, key=lambda each: each[0])
        del waiting[key]
        key[1](session, key[0])


def execute_autocommit(statement: ClauseElement, values: Mapping[str, object]) -> Any:
    """Execute and commit one statement, and return its first row or None.

    The statement is a transaction of its own (autocommit): no BEGIN and COMMIT are sent, and its locks are held
    only while the server executes it. A read transaction that the request has open is ended first, so that a
    request uses one connection.

    Raises NestedTransaction inside `transaction()` or after a write outside of one, and CommitUnknown when the
    connection is lost before the answer arrives.
    """
    if db.session.registry.has():
        session = db.session()
        _refuse_nesting(session)
        commit_read_transaction(session)
    with db.engine.connect() as connection, _autocommit(connection):
        row = read_row(connection, statement, values)
    db.session.info[_COMMITTED] = True
    return row


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection for one statement that reads: without BEGIN and COMMIT, which are round trips of their own.

    In a transaction that the session has open it is that one's.
    """
    if db.session.registry.has():
        session = db.session()
        if session.info.get(IN_USE_CASE) or session.in_transaction():
            yield session.connection()
            return
    with db.engine.connect() as connection, _autocommit(connection, writes=False):
        yield connection


def update_beside(statement: Update) -> int:
    """Execute and commit an UPDATE on a connection of its own; returns how many rows it changed.

    For the progress of a long transaction, which shows nothing itself before its end. That one must not have locked
    the rows.
    """
    with db.engine.connect() as connection, connection.begin():
        return connection.execute(statement).rowcount


@contextmanager
def _autocommit(connection: Connection, *, writes: bool = True) -> Iterator[None]:
    """Autocommit; behind a pooler a transaction instead, since LIMITS are set before the statement."""
    driver: Any = connection.connection.driver_connection
    watch = detect_lost_commit(driver) if writes else nullcontext()
    if connection.get_execution_options().get(SETS_LIMITS):
        with watch, connection.begin():
            yield
        return
    driver.autocommit = True
    try:
        with watch:
            yield
    except (IntegrityError, OperationalError):
        raise
    except DBAPIError as error:
        # Possibly a stale prepared statement. psycopg discards those at a ROLLBACK, which autocommit never
        # sends, so the connection is closed.
        connection.invalidate(error)
        raise
    finally:
        if not driver.closed:
            driver.autocommit = False


def read_row(connection: Connection, statement: ClauseElement, values: Mapping[str, object]) -> Any:
    """Execute a statement by the driver and return its first row as a named tuple, or None.

    For the statements of every scan: SQLAlchemy's execution costs more than PostgreSQL's
    (docs/performance.md). Strings are cleaned as `UserText` does.
    """
    driver: Any = connection.connection.driver_connection
    with _translate_errors(connection), driver.cursor(row_factory=namedtuple_row) as cursor:
        row = cursor.execute(_compile(statement), values).fetchone()
    return row and row._make(
        remove_bidi_controls(value) if isinstance(value, str) else value for value in row
    )


@cache
def _compile(statement: ClauseElement) -> str:
    """The statement's SQL for the driver, compiled once."""
    return str(statement.compile(dialect=_DIALECT))


@contextmanager
def _translate_errors(connection: Connection) -> Iterator[None]:
    """Translate the driver's errors into SQLAlchemy's, which callers handle."""
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


def _commit(session: Session, last: Sequence[tuple[Insert | TextClause, dict[str, Any]]]) -> None:
    session.flush()
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    if last:
        # Errors of the statements are SQLAlchemy's and come before the COMMIT; the driver's come after it.
        with (
            _translate_errors(connection),
            detect_lost_commit(driver, psycopg.Error),
            driver.pipeline(),
        ):
            for statement, values in last:
                connection.execute(statement, values)
            # The driver commits: the session's commit would return the connection to the pool while its
            # pipeline is still open.
            driver.commit()
    with detect_lost_commit(driver):
        session.commit()


def _roll_back(session: Session) -> None:
    """Roll back. A lost connection has rolled back by itself; the caller raises the first error."""
    try:
        session.rollback()
    except SQLAlchemyError as error:
        session.invalidate()
        if not is_database_busy(error):
            raise


def commit_read_transaction(session: Session) -> None:
    """End a read-only transaction by COMMIT; closing the session would send ROLLBACK.

    psycopg discards a connection's prepared statements at a ROLLBACK, and the next requests would plan their
    statements again. Changes made outside of `transaction()` are not committed.
    """
    if session.in_transaction() and not has_changes(session):
        try:
            session.commit()
        except SQLAlchemyError:
            _roll_back(session)  # the connection is lost; the response needs no database any more


def _refuse_nesting(session: Session) -> None:
    if session.info.get(IN_USE_CASE) or has_changes(session):
        raise NestedTransaction


def take_locks(session: Session, take: Callable[[], _Locked | None]) -> _Locked | None:
    """Take row locks by `take`. When it returns None they are let go: it runs in a savepoint."""
    require_transaction(session)
    with session.begin_nested() as savepoint:
        locked = take()
        if locked is None:
            savepoint.rollback()
    return locked


def require_transaction(session: Session) -> None:
    """Refuse to lock a row outside of `transaction()`, where nothing would release the lock."""
    if not session.info.get(IN_USE_CASE):
        raise RuntimeError("a row may be locked only inside transaction()")
