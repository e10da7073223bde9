"""How others than the engine connect to its database: the job queue, psql, `make run`."""

from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL


def conninfo(url: URL) -> str:
    """A SQLAlchemy URL as libpq's connection string: what the engine connects by, password and all.

    As a URL libpq would misread it: SQLAlchemy writes the space in a socket's folder as a plus sign.
    """
    url = url.set(drivername="postgresql+psycopg")
    _, parameters = url.get_dialect()().create_connect_args(url)
    return make_conninfo(**parameters)
