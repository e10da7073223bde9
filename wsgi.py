"""What gunicorn and the flask command load: `gunicorn wsgi:app`, `flask --app wsgi ...`."""

import gc

# What is loaded here stays: looking for garbage in it while it grows takes a quarter of the time to start.
gc.disable()

from azionelab.app import create_app  # noqa: E402
from azionelab.settings.loading import ConfigError  # noqa: E402

try:
    app = create_app()
except ConfigError as error:
    # The operator needs the names of the wrong settings, not a traceback.
    raise SystemExit("\n".join(["Wrong settings:", *error.problems])) from None

# Nor is it looked through later, which would copy the memory that gunicorn's processes share.
gc.freeze()
gc.enable()
