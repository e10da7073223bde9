"""The extension objects, unbound. `azionelab.app.create_app` binds them, and nothing else does."""

from flask_babel import Babel
from flask_mail import Mail as Mailer
from flask_migrate import Migrate
from flask_security.core import Security
from flask_wtf import CSRFProtect
from procrastinate import App as JobQueue
from procrastinate import SyncPsycopgConnector

from azionelab.validation.passwords import Passwords

migrate = Migrate()
mailer = Mailer()
csrf = CSRFProtect()
babel = Babel()
security = Security(password_util_cls=Passwords)
# Web processes only defer jobs, on the connection of the caller's own transaction, so this
# connector is never opened; the worker brings one that is (azionelab.ops.processes.worker).
jobs = JobQueue(connector=SyncPsycopgConnector())
