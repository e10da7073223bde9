"""The application factory."""

import os
from pathlib import Path
from typing import Any

from flask import Flask, Response
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from azionelab import extensions
from azionelab.admin import init_admin
from azionelab.api_v1 import init_api
from azionelab.bookings import jobs as _booking_jobs  # noqa: F401
from azionelab.bookings.audience import jobs as _audience_jobs  # noqa: F401
from azionelab.bookings.crowd.pressure import init_pressure
from azionelab.bookings.hand_over import jobs as _hand_over_jobs  # noqa: F401
from azionelab.bookings.mails import jobs as _booking_mail_jobs  # noqa: F401
from azionelab.bookings.pages import own_booking as _own_booking  # noqa: F401
from azionelab.bookings.pages import ticket_files as _ticket_files  # noqa: F401
from azionelab.bookings.pages.own import changes as _own_changes  # noqa: F401
from azionelab.bookings.pages.own import coming as _coming  # noqa: F401
from azionelab.bookings.pages.own import hand_over as _hand_over  # noqa: F401
from azionelab.bookings.pages.own import inbox as _inbox  # noqa: F401
from azionelab.bookings.pages.own import my_bookings as _my_bookings  # noqa: F401
from azionelab.bookings.pages.own import my_data as _my_data  # noqa: F401
from azionelab.bookings.pages.own import unsubscribe as _unsubscribe  # noqa: F401
from azionelab.bookings.pages.views import blueprint as bookings_blueprint
from azionelab.bookings.people import jobs as _people_jobs  # noqa: F401
from azionelab.bookings.reminders import jobs as _reminder_jobs  # noqa: F401
from azionelab.checkin.pages import app_views as _door_app  # noqa: F401
from azionelab.checkin.pages import no_show_views as _no_shows  # noqa: F401
from azionelab.checkin.pages.views import blueprint as checkin_blueprint
from azionelab.database import db
from azionelab.database.actors import init_actors
from azionelab.database.connections import limit_each_transaction, refuse_closed_connections
from azionelab.database.transactions import commit_read_transaction
from azionelab.integrations import jobs as _program_jobs  # noqa: F401
from azionelab.integrations.webhooks import jobs as _webhook_jobs  # noqa: F401
from azionelab.languages import choose_locale
from azionelab.mail import jobs as _mail_jobs  # noqa: F401
from azionelab.media import jobs as _media_jobs  # noqa: F401
from azionelab.media.pages.views import blueprint as media_blueprint
from azionelab.ops.alerts import jobs as _alert_jobs  # noqa: F401
from azionelab.ops.checks import secret_keys as _secret_keys  # noqa: F401
from azionelab.ops.commands import register_commands
from azionelab.ops.monitoring import backups as _backup_reports  # noqa: F401
from azionelab.ops.monitoring.health import health_blueprint
from azionelab.ops.monitoring.request_metrics import observe_requests
from azionelab.ops.monitoring.sentry import init_sentry
from azionelab.ops.status import jobs as _status_jobs  # noqa: F401
from azionelab.queue import jobs as _queue_jobs  # noqa: F401
from azionelab.queue.lines import init_queue
from azionelab.queue.pages.gate import init_gate
from azionelab.queue.pages.views import blueprint as queue_blueprint
from azionelab.queue.seats import init_sold_out
from azionelab.settings.config import Config
from azionelab.settings.loading import load_config
from azionelab.shows.pages import embed_views as _embed_views  # noqa: F401
from azionelab.shows.pages import programme_views as _programme_views  # noqa: F401
from azionelab.shows.pages import search_engine_views as _search_engine_views  # noqa: F401
from azionelab.shows.pages.views import blueprint as shows_blueprint
from azionelab.staff.pages.setup import init_security
from azionelab.theme.pages.views import blueprint as theme_blueprint
from azionelab.waitlist import jobs as _waitlist_jobs  # noqa: F401
from azionelab.waitlist.offers import follow_freed_seats
from azionelab.waitlist.pages.views import blueprint as waitlist_blueprint
from azionelab.web.actors import find_actor
from azionelab.web.assets import init_assets
from azionelab.web.notices.views import blueprint as notices_blueprint
from azionelab.web.pages import init_pages
from azionelab.web.rate_limits import init_rate_limits

_ROOT = Path(__file__).resolve().parent.parent


class _Flask(Flask):
    def log_exception(self, *_: Any, **__: Any) -> None:
        """Do not log: the error pages log without the URL, which may hold tokens."""


def create_app(config: Config | None = None) -> Flask:
    """Create the application and bind all of its parts.

    Without `config` the settings are read from the environment; raises ConfigError for invalid ones.
    """
    settings = config or load_config(os.environ)
    # nginx serves /static/, or `init_assets` on a bare machine: Flask's static folder is not used.
    app = _Flask(__package__, static_folder=None)
    app.config.from_mapping(settings.flask_settings())
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]
    _bind_extensions(app)
    _register_parts(app)
    _watch(app, settings)
    return app


def _watch(app: Flask, settings: Config) -> None:
    init_sentry(settings)
    observe_requests(app, log_each=settings.log_format == "json")


def _bind_extensions(app: Flask) -> None:
    db.init_app(app)
    init_actors(app, find_actor)
    with app.app_context():
        refuse_closed_connections(db.engine)
        if app.config["AZIONELAB"].database_pooler:
            limit_each_transaction(db.engine)
    app.after_request(_commit_read_transaction)
    extensions.migrate.init_app(app, db, directory=str(_ROOT / "migrations"))
    extensions.mailer.init_app(app)
    extensions.babel.init_app(app, locale_selector=choose_locale)
    init_rate_limits(app)
    init_pressure(app)
    init_queue(app)
    init_sold_out(app)
    init_gate(app)


def _commit_read_transaction(response: Response) -> Response:
    if db.session.registry.has():
        commit_read_transaction(db.session())
    return response


def _register_parts(app: Flask) -> None:
    init_pages(app)
    # After the pages, which refuse other bodies than forms first: this looks for a token in the form.
    extensions.csrf.init_app(app)
    init_assets(app)
    init_security(app)
    for blueprint in (
        shows_blueprint,
        media_blueprint,
        theme_blueprint,
        bookings_blueprint,
        waitlist_blueprint,
        queue_blueprint,
        checkin_blueprint,
        health_blueprint,
        notices_blueprint,
    ):
        app.register_blueprint(blueprint)
    follow_freed_seats()
    init_api(app)
    init_admin(app)
    register_commands(app)
