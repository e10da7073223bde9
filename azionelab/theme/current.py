"""The theme that pages are shown in: read once in PAGE_CACHE_SECONDS by each process, or a draft's."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic

from flask import current_app, has_request_context
from flask.sansio.app import App
from sqlalchemy.exc import SQLAlchemyError

from azionelab.database import db
from azionelab.database.transactions import commit_read_transaction
from azionelab.theme.models import Theme
from azionelab.theme.rules import read_theme

_EXTENSION = "azionelab-theme"
_DRAFT: ContextVar[Theme | None] = ContextVar("theme_draft", default=None)


@dataclass
class _Kept:
    theme: Theme = field(default_factory=Theme)
    fresh_until: float = 0.0


def init_theme_cache(app: App) -> None:
    """Begin with the shipped theme, until one is read."""
    app.extensions[_EXTENSION] = _Kept()


def current_theme() -> Theme:
    """The draft that is looked at, or else the theme that was read last."""
    kept: _Kept = current_app.extensions[_EXTENSION]
    return _DRAFT.get() or kept.theme


def theatre_name() -> str:
    """The theatre's name, as staff wrote it, or else that of the settings."""
    if not has_request_context():
        refresh_theme()  # the worker, for a mail
    name: str = current_theme().name or current_app.config["AZIONELAB"].site_name
    return name


def refresh_theme() -> None:
    """Read the theme again, if what is kept is older than a page may be.

    A database that is away leaves the old one: the page that follows says what is the matter.
    """
    kept: _Kept = current_app.extensions[_EXTENSION]
    if monotonic() < kept.fresh_until:
        return
    seconds = current_app.config["AZIONELAB"].page_cache_seconds
    # Before it is read: others of this process need not ask as well.
    kept.fresh_until = monotonic() + seconds
    session = db.session()
    is_alone = not session.in_transaction()
    try:
        kept.theme = read_theme(session)
    except SQLAlchemyError:
        session.rollback()
    else:
        # A mail is made after its reads: no connection may wait for the mail server.
        if is_alone:
            commit_read_transaction(session)


@contextmanager
def shown_as(draft: Theme) -> Iterator[None]:
    """Show pages that are rendered in the block in a draft."""
    token = _DRAFT.set(draft)
    try:
        yield
    finally:
        _DRAFT.reset(token)
