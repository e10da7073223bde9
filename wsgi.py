"""What gunicorn and the flask command load: `gunicorn wsgi:app`, `flask --app wsgi ...`."""

from azionelab import create_app
from azionelab.config import ConfigError

try:
    app = create_app()
except ConfigError as error:
    # The operator needs the names of the wrong settings, not a traceback.
    raise SystemExit("\n".join(["Wrong settings:", *error.problems])) from None
