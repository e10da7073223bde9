"""AzioneLab's backups: taken, kept, looked at, carried elsewhere and restored.

It runs in a container of its own beside the database, with PostgreSQL's programs, psycopg and the
standard library only.
"""


class Refused(Exception):
    """Why something was not done, in one line for a person."""
