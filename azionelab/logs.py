"""What the processes say of themselves: for a person to read, or as JSON, one object a line.

No personal data in either. Our own messages hold none; what libraries say is mask, and of an
exception only its class and its place are told.
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
# Tokens of visitors, tickets and password resets; what follows the ? of an address; mail addresses;
# who sent what gunicorn could not read.
_MASKS = (
    (re.compile(r"[A-Za-z0-9_-]{40,}(?:\.[A-Za-z0-9_-]+)*"), "<token>"),
    (re.compile(r"\?[^\s'\"]+"), "?<query>"),
    (re.compile(r"[^\s@<>\"'(=,:/]+@[^\s@<>\"'),:/]+"), "<address>"),
    (re.compile(r"\bip=\S+"), "ip=<address>"),
)

# What is being worked on: the request's X-Request-ID, or job-<number>. None in between.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def logging_settings(form: str) -> dict[str, Any]:
    """How a process logs, for logging.config.dictConfig: all to standard error, as one of FORMATS."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"told": {"()": JsonFormatter if form == "json" else TextFormatter}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "told",
                "stream": "ext://sys.stderr",
            }
        },
        # Libraries tell every job, every look at the migrations and every try to connect: we say
        # ourselves what matters.
        "root": {"level": "WARNING", "handlers": ["console"]},
        "loggers": {
            _OWN: {"level": "INFO"},
            "psycopg.pool": {"level": "ERROR"},
            # gunicorn keeps its own level, which --log-level sets.
            "gunicorn.error": {"handlers": ["console"], "propagate": False},
        },
    }


class TextFormatter(logging.Formatter):
    """A line for a person: when, how grave, from where, what.

    An exception's text is not told. It may hold what was at hand: an address, a name, a whole row.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        """The line, mask if a library wrote it."""
        return _discreet(record, super().formatMessage(record))

    def formatException(  # noqa: N802 (as above)
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """One line: the class and the innermost frames."""
        kind, _, traceback = ei
        frames = []
        while traceback is not None:
            code = traceback.tb_frame.f_code
            frames.append(f"{Path(code.co_filename).name}:{traceback.tb_lineno} {code.co_name}")
            traceback = traceback.tb_next
        return f"  {kind.__name__ if kind else None} in {' < '.join(reversed(frames[-6:]))}"


class JsonFormatter(TextFormatter):
    """An object a line: time (UTC), level, logger, message, request_id.

    Besides there are `exception` where one was caught, and what the record brings as `facts`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC)
        told = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _discreet(record, record.getMessage()),
            "request_id": request_id.get(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info).strip()
        return json.dumps(told | getattr(record, "facts", {}), ensure_ascii=False)


def _discreet(record: logging.LogRecord, told: str) -> str:
    # Our own words are let through: in development a mail's link is told on purpose.
    return told if record.name.partition(".")[0] == _OWN else mask(told)


def mask(text: str) -> str:
    """A text without tokens, queries and addresses of people and machines."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text
