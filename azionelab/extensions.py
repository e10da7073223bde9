"""The extensions, not bound to an application. Only `azionelab.app.create_app` binds them."""

from flask_babel import Babel
from flask_mail import Mail as Mailer
from flask_migrate import Migrate
from flask_security.core import Security
from flask_wtf import CSRFProtect
from procrastinate import App as JobQueue
from procrastinate import SyncPsycopgConnector

from azionelab.validation.passwords import PasswordPolicy

migrate = Migrate()
mailer = Mailer()
csrf = CSRFProtect()
babel = Babel()
security = Security(password_util_cls=PasswordPolicy)
# Web processes only defer jobs, on the connection of the caller's transaction, so this connector is never
# opened; the worker uses its own (azionelab.ops.processes.worker).
jobs = JobQueue(connector=SyncPsycopgConnector())
