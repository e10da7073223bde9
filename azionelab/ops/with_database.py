"""with_database, which says what is the matter with the database when a command cannot use it."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from flask.cli import with_appcontext
from psycopg.errors import InsufficientPrivilege, UndefinedColumn, UndefinedTable
from sqlalchemy.exc import DBAPIError, OperationalError

from azionelab.database.errors import describe_unreachable
from azionelab.ops.checks import roles
from azionelab.ops.checks.schema import NOT_MIGRATED

P = ParamSpec("P")
R = TypeVar("R")


def with_database(command: Callable[P, R]) -> Callable[P, R]:
    """Run a command in the application context; database errors become one-line messages."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except OperationalError as error:
            raise click.ClickException(describe_unreachable(error)) from error
        except DBAPIError as error:
            if isinstance(error.orig, InsufficientPrivilege):
                raise click.ClickException(roles.NO_RIGHTS) from error
            if not isinstance(error.orig, UndefinedTable | UndefinedColumn):
                raise
            raise click.ClickException(NOT_MIGRATED) from error

    in_context: Callable[P, R] = with_appcontext(run)
    return in_context
