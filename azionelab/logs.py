"""Logging as text for people or as JSON lines, without personal data.

Our own messages contain none. Messages of libraries are masked, and of an exception only the class and the
stack frames are logged.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

FORMATS = ("text", "json")
_OWN = "azionelab"
# Masked: tokens of visitors, tickets and password resets; query strings; mail addresses; and the client's
# address in gunicorn's messages about malformed requests.
_MASKS = (
    (re.compile(r"[A-Za-z0-9_-]{40,}(?:\.[A-Za-z0-9_-]+)*"), "<token>"),
    (re.compile(r"\?[^\s'\"]+"), "?<query>"),
    (re.compile(r"[^\s@<>\"'(=,:/]+@[^\s@<>\"'),:/]+"), "<address>"),
    (re.compile(r"\bip=\S+"), "ip=<address>"),
)

# The current request's X-Request-ID, or job-<number> in the worker; None outside of both.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def logging_settings(form: str) -> dict[str, Any]:
    """The configuration for logging.config.dictConfig: to standard error, in one of FORMATS."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": JsonFormatter if form == "json" else TextFormatter}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            }
        },
        # Libraries log every job, migration check and connection attempt; the application logs what matters.
        "root": {"level": "WARNING", "handlers": ["console"]},
        "loggers": {
            _OWN: {"level": "INFO"},
            "psycopg.pool": {"level": "ERROR"},
            # gunicorn's level stays as --log-level sets it.
            "gunicorn.error": {"handlers": ["console"], "propagate": False},
        },
    }


class TextFormatter(logging.Formatter):
    """One line: time, level, logger, message.

    Exception texts are left out: they may contain personal data, such as an address or a whole row.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        """Format the line; mask it if a library logged it."""
        return _mask_foreign(record, super().formatMessage(record))

    def formatException(  # noqa: N802 (as above)
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Format the exception as one line: the class and the innermost frames."""
        kind, _, traceback = ei
        frames = []
        while traceback is not None:
            code = traceback.tb_frame.f_code
            frames.append(f"{Path(code.co_filename).name}:{traceback.tb_lineno} {code.co_name}")
            traceback = traceback.tb_next
        return f"  {kind.__name__ if kind else None} in {' < '.join(reversed(frames[-6:]))}"


class JsonFormatter(TextFormatter):
    """One JSON object per line: time (UTC), level, logger, message, request_id.

    `exception` is added when there is one, and the fields of the record's `facts`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Format the record as JSON."""
        at = datetime.fromtimestamp(record.created, UTC)
        fields = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _mask_foreign(record, record.getMessage()),
            "request_id": request_id.get(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info).strip()
        return json.dumps(fields | getattr(record, "facts", {}), ensure_ascii=False)


def _mask_foreign(record: logging.LogRecord, message: str) -> str:
    # Our own messages stay as they are: in development a mail's link is logged on purpose.
    return message if record.name.partition(".")[0] == _OWN else mask(message)


def mask(text: str) -> str:
    """Replace tokens, query strings, and mail and IP addresses in a text."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text
