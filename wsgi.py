"""The WSGI entry point: `gunicorn wsgi:app`, `flask --app wsgi ...`."""

import gc

# The modules loaded here stay loaded; garbage collection during start-up takes a quarter of its time.
gc.disable()

from azionelab.app import create_app  # noqa: E402
from azionelab.settings.loading import ConfigError  # noqa: E402

try:
    app = create_app()
except ConfigError as error:
    # The operator needs the names of the wrong settings, not a traceback.
    raise SystemExit("\n".join(["Wrong settings:", *error.problems])) from None

# Exclude them from later collections, which would copy the memory that gunicorn's processes share.
gc.freeze()
gc.enable()
