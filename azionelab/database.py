"""The declarative base, the two ways to write, and the names of what the database refuses."""

import select
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import (
    ClauseElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Insert,
    MetaData,
    String,
    TypeDecorator,
    event,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import (
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    ORMExecuteState,
    Session,
    SessionTransaction,
    mapped_column,
    registry,
    scoped_session,
)

from azionelab.database_errors import committing, is_database_busy
from azionelab.one_line import without_directions

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_COMMITTED = "azionelab.committed"
_IN_USE_CASE = "azionelab.in_use_case"
_LAST_WORDS = "azionelab.last_words"
_LIMITED = "azionelab.limited"
_WRITTEN = "azionelab.written"


# What a transaction may take, and the clock of what it shows. Each connection is opened with these; a
# pooler between (DATABASE_POOLER) keeps them out, so that each transaction is begun with them instead.
LIMITS = {
    "timezone": "UTC",
    "lock_timeout": "5s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "1min",
}

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class _Typed(TypeDecorator[str]):
    """A text without what turns its neighbours (one_line.py), as it is written and as it is read.

    Every form refuses these. This holds for what was kept before they did, and for every export: whoever reads
    a column gets it so.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write it without."""
        return value if value is None else without_directions(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Read it without."""
        return value if value is None else without_directions(value)


Typed = Annotated[str, mapped_column(_Typed())]  # what somebody typed, and others read


class Base(DeclarativeBase):
    """Base of all models. Every constraint has a name that an error can be told by."""

    registry = registry(
        metadata=MetaData(naming_convention=_NAMING),
        type_annotation_map={datetime: DateTime(timezone=True)},
    )


class NestedTransaction(RuntimeError):
    """A use case was called inside another: two owners would decide about one commit."""


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit what the block wrote, all of it, or roll all of it back when it raises.

    Every use case that changes state is one such block or several of them in turn, or a single statement
    that `write_at_once` sends (docs/locking.md). Reads that the request made before it share its connection;
    at READ COMMITTED they hold nothing back.

    Raises NestedTransaction inside another block, or when somebody wrote outside of one, and
    CommitUnknown when the connection is lost while it commits.
    """
    from azionelab.extensions import db  # noqa: PLC0415 (extensions import the base above)

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
    from azionelab.extensions import db  # noqa: PLC0415 (extensions import the base above)

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
    from azionelab.extensions import db  # noqa: PLC0415 (extensions import the base above)

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
    if connection.get_execution_options().get(_LIMITED):
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
    PostgreSQL does (docs/performance.md).
    """
    driver: Any = connection.connection.driver_connection
    with _as_sqlalchemy(connection), driver.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(_written(statement), values).fetchone()


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
    if session.in_transaction() and not _has_changes(session):
        try:
            session.commit()
        except SQLAlchemyError:
            _roll_back(session)  # the connection is gone; what was read is told all the same


def notice_writing(sessions: scoped_session[Any]) -> None:
    """Have each session remember, until its transaction ends, that it sent a change to the database."""

    @event.listens_for(sessions, "after_flush")
    def flushed(session: Session, _context: object) -> None:
        session.info[_WRITTEN] = True

    @event.listens_for(sessions, "do_orm_execute")
    def executed(asked: ORMExecuteState) -> None:
        if asked.is_insert or asked.is_update or asked.is_delete:
            asked.session.info[_WRITTEN] = True

    @event.listens_for(sessions, "after_transaction_end")
    def ended(session: Session, ended: SessionTransaction) -> None:
        if ended.parent is None:
            session.info.pop(_WRITTEN, None)


def _refuse_nesting(session: Session) -> None:
    if session.info.get(_IN_USE_CASE) or _has_changes(session):
        raise NestedTransaction


def _has_changes(session: Session) -> bool:
    waiting = session.new or session.dirty or session.deleted
    return bool(waiting or session.info.get(_WRITTEN))


def refuse_closed_connections(engine: Engine) -> None:
    """Have the pool look at a connection before it lends it, at no cost of a round trip.

    An idle connection has nothing to read. When there is something, the server said good-bye: it was
    restarted, or a proxy between closed the line. The pool then opens a new one.
    """

    @event.listens_for(engine, "checkout")
    def look(connection: Any, _record: object, _proxy: object) -> None:
        line = select.poll()
        line.register(connection.fileno(), select.POLLIN)
        if line.poll(0):
            raise DisconnectionError


def limit_each_transaction(engine: Engine) -> None:
    """Begin every transaction with LIMITS, for engines whose connections lead to a pooler.

    A pooler lends another server connection for each transaction: what was set on one when it was
    opened, or by SET, would be missing now, and somebody else's later. It costs a round trip.
    """
    engine.update_execution_options(**{_LIMITED: True})
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in LIMITS.items())

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {settings}")


def require_transaction(session: Session) -> None:
    """Refuse to lock outside of `transaction()`: nothing would say when the lock ends."""
    if not session.info.get(_IN_USE_CASE):
        raise RuntimeError("a row may be locked only inside transaction()")


def violated_constraint(error: DBAPIError) -> str | None:
    """The name of the constraint that the database refused a statement by, if it was one."""
    diagnosis: Any = getattr(error.orig, "diag", None)
    return diagnosis.constraint_name if diagnosis is not None else None
