"""The WSGI entry point: `gunicorn wsgi:app`, in production `gunicorn "wsgi:checked()"`, `flask --app wsgi ...`."""

import gc

# The modules loaded here stay loaded; garbage collection during start-up takes a quarter of its time.
gc.disable()

from flask import Flask  # noqa: E402

from azionelab.app import create_app  # noqa: E402
from azionelab.ops.checks.deployment import check  # noqa: E402
from azionelab.settings.loading import ConfigError  # noqa: E402

try:
    app = create_app()
except ConfigError as error:
    # The operator needs the names of the wrong settings, not a traceback.
    raise SystemExit("\n".join(["Wrong settings:", *error.problems])) from None

# Exclude them from later collections, which would copy the memory that gunicorn's processes share.
gc.freeze()
gc.enable()


def checked() -> Flask:
    """The application of a deployment: prints what `flask check --deploy --serving` would, and stops where it fails.

    In the process that serves: a start consists mostly of loading the application, which a check before it would
    do a second time.
    """
    findings = check(app.config["AZIONELAB"], deploy=True, serving=True)
    print(*findings, sep="\n", flush=True)
    if any(finding.failed for finding in findings):
        raise SystemExit(1)
    return app
