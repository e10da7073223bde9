"""The lines of the status: what each part is, as a state and in words, and what to do."""

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext


class State(StrEnum):
    """How a part is. WRONG needs a person."""

    WELL = "well"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    INFO = "info"  # neither good nor bad


class About(StrEnum):
    """The part that a line is about."""

    DATABASE = "database"
    SCHEMA = "schema"
    WORKER = "worker"
    WATCH = "watch"
    MAIL = "mail"
    PROVIDER = "mail-provider"
    FAILED_MAILS = "failed-mails"
    JOBS = "jobs"
    BACKUP = "backup"
    VERIFY = "backup-verified"
    SHIP = "backup-shipped"
    CERTIFICATE = "certificate"
    DATABASE_DISK = "disk-database"
    BACKUPS_DISK = "disk-backups"
    MEDIA_DISK = "disk-media"
    DATA = "data"
    KEY = "secret-key"
    SALES = "sales"
    RELEASE = "release"


@dataclass(frozen=True)
class Line:
    """A part's line. `advice` is what to do, `runbook` the heading of docs/runbook.md that says how.

    `items` name the things that are wrong in it, where there may be several.
    """

    about: About
    state: State
    name: str
    text: str
    advice: str = ""
    runbook: str = ""
    items: frozenset[str] = frozenset()


def not_read(about: About, name: str) -> Line:
    """A line about what the database did not tell."""
    return Line(about, State.UNKNOWN, name, gettext("Not known: the database did not say."))
