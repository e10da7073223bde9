"""The database's connection string for libpq: the job queue, psql, `make run`."""

from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL


def conninfo(url: URL) -> str:
    """Convert a SQLAlchemy URL to libpq's key=value form, including the password.

    Not to a URL: SQLAlchemy encodes a space in a socket's path as a plus sign, which libpq does not decode.
    """
    url = url.set(drivername="postgresql+psycopg")
    _, parameters = url.get_dialect()().create_connect_args(url)
    return make_conninfo(**parameters)
