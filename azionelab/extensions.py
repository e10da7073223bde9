"""The extensions, not bound to an application. Only `azionelab.app.create_app` binds them."""

from typing import Any

from flask_babel import Babel
from flask_mail import Mail as Mailer
from flask_migrate import Migrate
from flask_security.core import Security
from flask_wtf import CSRFProtect
from procrastinate import App as JobQueue
from procrastinate import RetryStrategy, SyncPsycopgConnector
from procrastinate.jobs import JobDeferrer
from sqlalchemy.orm import Session

from azionelab.validation.passwords import PasswordPolicy

migrate = Migrate()
mailer = Mailer()
csrf = CSRFProtect()
babel = Babel()
security = Security(password_util_cls=PasswordPolicy)
# Web processes only defer jobs, on the connection of the caller's transaction, so this connector is never
# opened; the worker uses its own (azionelab.ops.processes.worker).
jobs = JobQueue(connector=SyncPsycopgConnector())
# For periodic jobs that come hourly or more rarely: a short fault of the database must not leave their work, and the
# doctor's complaint, until the next time.
SOON_AGAIN = RetryStrategy(max_attempts=10, wait=60)  # seconds


def job_within(session: Session, name: str, *, queue: str, **options: Any) -> JobDeferrer:
    """A job to defer in the caller's transaction: a rollback takes it back, and the worker sees it after the commit.

    `options` are those of Procrastinate's `configure_task`.
    """
    connection = session.connection().connection.driver_connection
    return jobs.configure_task(name, queue=queue, connection=connection, **options)
