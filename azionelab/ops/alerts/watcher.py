"""`flask watch`: looks at the site beside the worker, and tells what the worker cannot: that it is silent itself.

It sends mails and webhooks by itself. When the database does not answer, it tells that by mail, from memory.
"""

import logging
import logging.config
import signal
import threading

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_babel import force_locale, gettext
from sqlalchemy.exc import SQLAlchemyError

from azionelab.database import db, now
from azionelab.database.errors import describe_cause
from azionelab.logs import logging_settings
from azionelab.ops.alerts.decisions import Episode, decide
from azionelab.ops.alerts.sending import deliver, send_alert
from azionelab.ops.alerts.texts import write_body, write_subject
from azionelab.ops.alerts.watching import watch
from azionelab.ops.monitoring.sentry import init_sentry
from azionelab.ops.status.lines import About, Line, State
from azionelab.ops.status.reports import Part, report

logger = logging.getLogger(__name__)

_PAUSE = 60.0  # seconds


@click.command("watch")
@click.option("--once", is_flag=True, help="Look once, then exit.")
@with_appcontext
def watch_command(once: bool) -> None:
    """Tell of what is wrong when the worker cannot; ends on SIGTERM or Ctrl-C."""
    config = current_app.config["AZIONELAB"]
    logging.config.dictConfig(logging_settings(config.log_format))
    init_sentry(config)
    watcher, stop = Watcher(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watcher.look()
    while not once and not stop.wait(_PAUSE):
        watcher.look()


class Watcher:
    """Looks again and again; remembers of the database what it cannot write into it."""

    def __init__(self) -> None:
        self._away = Episode()

    def look(self) -> None:
        """Tell of changes and send what waits; webhooks' messages only when no worker does."""
        try:
            report(Part.WATCH, {})
            watch()
            deliver()
            state = State.WELL
        except SQLAlchemyError as error:
            logger.warning("watch: the database cannot be used (%s)", describe_cause(error))
            state = State.WRONG
        finally:
            db.session.remove()
        self._tell_of_database(state)

    def _tell_of_database(self, state: State) -> None:
        episode, news = decide(self._away, state, now())
        if news is None:
            self._away = episode
            return
        with force_locale(current_app.config["AZIONELAB"].default_locale):
            told = {news: [_database_line(state)]}
            sending = f"alert.database.{news}.{now():%Y%m%d%H%M%S}"
            if send_alert(write_subject(told), write_body(told), sending):
                self._away = episode


def _database_line(state: State) -> Line:
    name = gettext("Database")
    if state is State.WELL:
        return Line(About.DATABASE, state, name, gettext("It can be used again."))
    return Line(
        About.DATABASE,
        state,
        name,
        gettext("It could not be used: it does not answer, or refuses what it is asked."),
        gettext("Visitors can book nothing. Look at the logs of postgres, and at its disk."),
        "Full disk",
    )
