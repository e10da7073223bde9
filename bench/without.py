"""The site with one optimization taken out, for ablation.py: `gunicorn bench.without:app`.

The environment's WITHOUT names the optimization.
"""

import importlib
import os
from collections.abc import Mapping
from typing import Any

from flask import Flask
from sqlalchemy import ClauseElement, Insert
from sqlalchemy.orm import Session

import azionelab.app  # noqa: F401 (all tables are known before a statement is built)
from azionelab.api import rest
from azionelab.bookings.transitions import parties
from azionelab.checkin.scanning import scans
from azionelab.database import transactions
from azionelab.mail import outbox
from azionelab.web import rate_limits


def _execute_in_transaction(statement: ClauseElement, values: Mapping[str, object]) -> Any:
    with transactions.transaction() as session:
        return transactions.read_row(session.connection(), statement, values)


def _execute(session: Session, statement: Insert, values: dict[str, Any]) -> None:
    session.execute(statement, values)


# What is replaced where, by the name of the optimization.
REPLACED: dict[str, list[tuple[object, str, object]]] = {
    "nothing": [],  # the control: how far two equal sites are apart
    "execute_autocommit": [
        (scans, "execute_autocommit", _execute_in_transaction),
        (rate_limits, "execute_autocommit", _execute_in_transaction),
    ],
    "EXPECTED_PARTY": [(scans, "_admit_expected", lambda _attempt: None)],
    "messages": [
        (
            field,
            "default_error_messages",
            field.default_error_messages
            | {name: str.__str__(text) for name, text in messages.items()},
        )
        for field, messages in rest._MESSAGES.items()
    ],
    "insert_with_commit": [
        (outbox, "insert_with_commit", _execute),
        (parties, "insert_with_commit", _execute),
    ],
}

if optimization := os.environ.get("WITHOUT"):
    for owner, name, replacement in REPLACED[optimization]:
        getattr(owner, name)  # replacing what is not there would measure nothing
        setattr(owner, name, replacement)
    app: Flask = importlib.import_module("wsgi").app
