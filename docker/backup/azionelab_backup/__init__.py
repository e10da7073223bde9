"""AzioneLab's backups: dump, rotate, verify, ship off-site, restore.

Runs in its own container beside the database, with PostgreSQL's programs, psycopg and the standard library.
"""


class BackupError(Exception):
    """A task failed or was refused; the text is one line for the operator."""
