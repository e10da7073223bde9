"""Classify database errors: unreachable, overloaded or full; and whether a COMMIT was in progress.

A lost connection raises different errors: the driver's, SQLAlchemy's, the pool's, the job queue's, or one of a
transaction that cannot continue. This module separates all of them from errors in our own code.
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
# psycopg raises class 25 as InternalError: the server became a standby, or ended a transaction that was idle
# for too long.
_BUSY_STATES = {"25006", "25P03", "25P04"}
_INVALIDATED = "8s2b"  # SQLAlchemy's code for a transaction whose connection was lost
# Messages of the server and of libpq for a refused login: a connection that fails to open has no SQLSTATE.
_PASSWORD_REFUSED = ("password authentication failed", "no password supplied")
_OF_THE_DATABASE = (SQLAlchemyError, psycopg.Error, ConnectorException)


class CommitUnknown(SQLAlchemyError):
    """The connection was lost after COMMIT was sent and before the answer arrived.

    Whether the transaction was committed is unknown. The caller may repeat the request (docs/locking.md).
    """


def is_database_busy(error: BaseException) -> bool:
    """Whether the database was unreachable, overloaded or full, or a lock timed out.

    Such an error is temporary: the request may be repeated. Errors that a library raised while it handled such
    an error count, too.
    """
    links = list(_chain(error))
    return isinstance(links[0], _OF_THE_DATABASE) and any(map(_is_busy, links))


def is_commit_unknown(error: BaseException) -> bool:
    """Whether a COMMIT was in progress when `error` happened."""
    return any(isinstance(link, CommitUnknown) for link in _chain(error))


@contextmanager
def detect_lost_commit(
    driver: psycopg.Connection[Any], errors: type[Exception] = SQLAlchemyError
) -> Iterator[None]:
    """Raise CommitUnknown when the connection is lost in the block, which sends a COMMIT.

    Only `errors` are translated, and only when the connection is lost: after an error that the server
    reports, the transaction was rolled back.
    """
    try:
        yield
    except errors as error:
        if driver.closed or _was_ended(error):
            raise CommitUnknown from error
        raise


def describe_cause(error: BaseException) -> str:
    """The error's class and SQLSTATE, if any, for a log: "DiskFull 53100", "OperationalError".

    The message is left out: it may quote a row.
    """
    if isinstance(error, CommitUnknown) and error.__cause__:
        error = error.__cause__
    met = getattr(error, "orig", None) or error.__cause__ or error
    state = getattr(met, "sqlstate", None)
    if not state and _is_password_refused(met):
        state = "password refused"
    return f"{type(met).__name__} {state}" if state else type(met).__name__


def describe_unreachable(error: OperationalError) -> str:
    """One line for the user of a command: why the database cannot be reached, and what to do if that is known."""
    told = f"the database cannot be reached: {str(error.orig).strip().partition(chr(10))[0]}"
    if error.orig and _is_password_refused(error.orig):
        told += " (docs/runbook.md, Refused database password)"
    return told


def is_out_of_room(error: DBAPIError) -> bool:
    """Whether the server lacked disk space, memory or connections (SQLSTATE class 53)."""
    return str(getattr(error.orig, "sqlstate", None)).startswith("53")


def _is_password_refused(error: BaseException) -> bool:
    return isinstance(error, psycopg.OperationalError) and any(
        words in str(error) for words in _PASSWORD_REFUSED
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes: Werkzeug's original exception, SQLAlchemy's `orig`, `__cause__`, `__context__`."""
    link: BaseException | None = getattr(error, "original_exception", None) or error
    while link is not None:
        yield link
        if isinstance(getattr(link, "orig", None), BaseException):
            yield link.orig  # type: ignore[attr-defined]
        link = link.__cause__ or link.__context__


def _is_busy(error: BaseException) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, PendingRollbackError):
        return error.code == _INVALIDATED
    return isinstance(error, (*_BUSY, CommitUnknown)) or _state(error) in _BUSY_STATES


def _was_ended(error: BaseException) -> bool:
    """Whether the server ended the connection (SQLSTATE class 57P, such as 57P01)."""
    return any(_state(link).startswith("57P") for link in _chain(error))


def _state(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def violated_constraint(error: DBAPIError) -> str | None:
    """The name of the violated constraint, or None when the error is no constraint's."""
    diagnosis: Any = getattr(error.orig, "diag", None)
    return diagnosis.constraint_name if diagnosis is not None else None
