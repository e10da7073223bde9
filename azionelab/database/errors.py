"""Which errors say that the database is away, too busy or full, and whether a COMMIT was under way.

A lost connection surfaces in many ways: as the driver's error or SQLAlchemy's, from the pool, from a
transaction that cannot go on, from the job queue, or from what was done next. Here they are told apart
from faults of ours, for everybody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import (
    DBAPIError,
    DisconnectionError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

_BUSY = (OperationalError, PoolTimeout, DisconnectionError, psycopg.OperationalError)
# Errors that psycopg files elsewhere (class 25 is InternalError): the server became a standby, or ended a
# transaction that waited for too long.
_BUSY_STATES = {"25006", "25P03", "25P04"}
_INVALIDATED = "8s2b"  # SQLAlchemy's code for a transaction whose connection was lost
# How the server and libpq say that a login was refused; of an opening that failed there is no SQLSTATE.
_PASSWORD_REFUSED = ("password authentication failed", "no password supplied")
_OF_THE_DATABASE = (SQLAlchemyError, psycopg.Error, ConnectorException)


class CommitUnknown(SQLAlchemyError):
    """The connection was lost after COMMIT was sent and before its answer came.

    Nobody knows whether the transaction holds. Whoever asked may ask again (docs/locking.md).
    """


def is_database_busy(error: BaseException) -> bool:
    """Whether `error` comes of a database that is away, too busy or full, or of a lock waited for in vain.

    Such an error is an event, to be told with "once more, please". An error that a library raised while
    it dealt with such a one is part of the same event.
    """
    links = list(_chain(error))
    return isinstance(links[0], _OF_THE_DATABASE) and any(map(_says_busy, links))


def is_commit_unknown(error: BaseException) -> bool:
    """Whether a COMMIT was under way when `error` happened."""
    return any(isinstance(link, CommitUnknown) for link in _chain(error))


@contextmanager
def committing(
    driver: psycopg.Connection[Any], errors: type[Exception] = SQLAlchemyError
) -> Iterator[None]:
    """Raise CommitUnknown for a connection that is lost in the block, which sends a COMMIT.

    Only `errors` say so. One that the server answers does not: it rolled the transaction back.
    """
    try:
        yield
    except errors as error:
        if driver.closed or _was_ended(error):
            raise CommitUnknown from error
        raise


def cause(error: BaseException) -> str:
    """What kind of error the database met, for a log: "DiskFull 53100", "OperationalError".

    The class and, where the server said it, its SQLSTATE. The text is left out: it may quote a row.
    """
    if isinstance(error, CommitUnknown) and error.__cause__:
        error = error.__cause__
    met = getattr(error, "orig", None) or error.__cause__ or error
    state = getattr(met, "sqlstate", None)
    if not state and _is_password_refused(met):
        state = "password refused"
    return f"{type(met).__name__} {state}" if state else type(met).__name__


def unreached(error: OperationalError) -> str:
    """Why the database could not be opened, in a line for who typed a command, and what to do if it is known."""
    told = f"the database cannot be reached: {str(error.orig).strip().partition(chr(10))[0]}"
    if error.orig and _is_password_refused(error.orig):
        told += " (docs/runbook.md, Refused database password)"
    return told


def is_out_of_room(error: DBAPIError) -> bool:
    """Whether the server could not do it for want of disk, memory or the like (SQLSTATE class 53)."""
    return str(getattr(error.orig, "sqlstate", None)).startswith("53")


def _is_password_refused(error: BaseException) -> bool:
    return isinstance(error, psycopg.OperationalError) and any(
        words in str(error) for words in _PASSWORD_REFUSED
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came of: that of a request's 500 (Werkzeug), of SQLAlchemy's, of a `raise`."""
    link: BaseException | None = getattr(error, "original_exception", None) or error
    while link is not None:
        yield link
        if isinstance(getattr(link, "orig", None), BaseException):
            yield link.orig  # type: ignore[attr-defined]
        link = link.__cause__ or link.__context__


def _says_busy(error: BaseException) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, PendingRollbackError):
        return error.code == _INVALIDATED
    return isinstance(error, (*_BUSY, CommitUnknown)) or _state(error) in _BUSY_STATES


def _was_ended(error: BaseException) -> bool:
    """Whether the server said good-bye instead of an answer (SQLSTATE 57P01 and its like)."""
    return any(_state(link).startswith("57P") for link in _chain(error))


def _state(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def violated_constraint(error: DBAPIError) -> str | None:
    """The name of the constraint that the database refused a statement by, if it was one."""
    diagnosis: Any = getattr(error.orig, "diag", None)
    return diagnosis.constraint_name if diagnosis is not None else None
