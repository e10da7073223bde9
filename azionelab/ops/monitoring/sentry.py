"""Error reports to Sentry, or a service with its protocol, when SENTRY_DSN is set."""

import logging
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration

from azionelab import __version__
from azionelab.logs import mask, request_id
from azionelab.settings.config import Config

# The fields of a report that are sent: only those that hold no personal data.
_KEPT = ("event_id", "timestamp", "level", "platform", "release", "environment", "tags", "sdk")
_KEPT_OF_EXCEPTION = ("type", "module", "mechanism")
_KEPT_OF_FRAME = (
    "filename", "function", "module", "lineno", "in_app", "pre_context", "context_line",
    "post_context",
)  # fmt: skip


def init_sentry(config: Config) -> None:
    """Report log records of level ERROR, in this process and those it forks. No-op without SENTRY_DSN."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _SentryHandler)]:
        root.removeHandler(handler)
    if config.sentry_dsn is None:
        return
    commit = f"+{config.git_commit}" if config.git_commit else ""
    sentry_sdk.init(
        config.sentry_dsn,
        release=f"azionelab@{__version__}{commit}",
        environment="development" if config.debug else "production",
        # The default integrations collect requests, logins, statements and log lines, which are never sent.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[AtexitIntegration(callback=lambda _pending, _timeout: None)],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        send_client_reports=False,
        auto_session_tracking=False,
        before_send=_scrub,
    )
    root.addHandler(_SentryHandler(logging.ERROR))


class _SentryHandler(logging.Handler):
    """Reports exactly the records that are logged as errors."""

    def emit(self, record: logging.LogRecord) -> None:
        """Report the record's exception, or its message when there is none."""
        if record.name.startswith("sentry_sdk"):
            return
        error = record.exc_info[1] if record.exc_info else getattr(record, "fault", None)
        with sentry_sdk.new_scope() as scope:
            scope.set_tag("logger", record.name)
            scope.set_tag("request_id", request_id.get() or "")
            scope.set_tag("told", mask(str(record.msg)))
            if error is not None:
                scope.capture_exception(error)
            else:
                scope.capture_message(str(record.msg), level="error")


def _scrub(event: Any, _hint: dict[str, Any]) -> Any:
    """Reduce a report to exception classes, our code around them, and the message without its values.

    Never sent: exception texts, the request with cookies and body, variables, the host name.
    """
    kept = {name: event[name] for name in _KEPT if name in event}
    if "message" in event:
        kept["message"] = mask(event["message"])
    chain = (event.get("exception") or {}).get("values", [])
    if chain:
        kept["exception"] = {"values": [_scrub_exception(error) for error in chain]}
    return kept


def _scrub_exception(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames", [])
    return {
        **{name: error[name] for name in _KEPT_OF_EXCEPTION if name in error},
        "stacktrace": {
            "frames": [
                {name: frame[name] for name in _KEPT_OF_FRAME if name in frame} for frame in frames
            ]
        },
    }
