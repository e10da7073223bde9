"""Detects that SECRET_KEY is not the key that signed this database's links and tickets.

A site restored with new secrets runs, but every link and ticket mailed before answers 404. So the site stores
the key's fingerprint when it starts and compares it on each later start. The fingerprint is a digest that
does not reveal a random key. docker/new-secrets and docker/backup compute the same one.
"""

import hashlib
import logging
from datetime import datetime
from enum import StrEnum

from flask import Flask
from sqlalchemy import BigInteger, CheckConstraint, Connection, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base, db, transaction
from azionelab.settings.config import Config

logger = logging.getLogger(__name__)

REMEDY = (
    "put the key back from your copy of docker/secrets into secret_key, or add it to"
    " SECRET_KEY_FALLBACKS, and restart the site; if it is lost or was replaced on purpose, run"
    " `flask accept-secret-key`, and resend the tickets in the back office"
)


class SigningKey(Base):
    """The fingerprint of a key used since `noted_at`; the newest row is the current key."""

    __tablename__ = "signing_key"
    __table_args__ = (CheckConstraint("fingerprint ~ '^[0-9a-f]{16}$'", name="fingerprint"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    fingerprint: Mapped[str]
    noted_at: Mapped[datetime] = mapped_column(server_default=func.now())


class KeyState(StrEnum):
    """The configured keys compared with the newest stored fingerprint."""

    UNNOTED = "unnoted"  # no fingerprint is stored yet
    IN_USE = "in use"  # it is SECRET_KEY
    ROTATED = "rotated"  # it is one of SECRET_KEY_FALLBACKS
    LOST = "lost"  # it is neither: links and tickets that it signed do not open


def fingerprint(key: str) -> str:
    """16 hexadecimal digits that identify a key."""
    return hashlib.sha256(f"azionelab secret key\n{key}".encode()).hexdigest()[:16]


def key_state(connection: Connection, config: Config) -> KeyState:
    """Compare SECRET_KEY and SECRET_KEY_FALLBACKS with the newest stored fingerprint."""
    newest = select(SigningKey.fingerprint).order_by(SigningKey.id.desc()).limit(1)
    noted = connection.scalar(newest)
    if noted is None:
        return KeyState.UNNOTED
    if noted == fingerprint(config.secret_key):
        return KeyState.IN_USE
    earlier = {fingerprint(key) for key in config.secret_key_fallbacks}
    return KeyState.ROTATED if noted in earlier else KeyState.LOST


def find_key_problem(connection: Connection, config: Config) -> str | None:
    """What is wrong with the keys and how to repair it; None when nothing is."""
    if key_state(connection, config) is not KeyState.LOST:
        return None
    return (
        "SECRET_KEY: is not the key that signed the links and tickets sent before, so they do not open;"
        f" {REMEDY}"
    )


def accept_key(config: Config) -> None:
    """Store SECRET_KEY's fingerprint as the current one, whatever was stored before. One transaction."""
    with transaction() as session:
        session.add(SigningKey(fingerprint=fingerprint(config.secret_key)))


def note_secret_key(app: Flask) -> None:
    """Store a first or rotated key's fingerprint, and log an error when the earlier key is missing.

    Called when the site starts; never stops it. Other checks report a database that is away or not migrated.
    """
    config = app.config["AZIONELAB"]
    try:
        with app.app_context():
            with db.engine.connect() as connection:
                state = key_state(connection, config)
                problem = find_key_problem(connection, config)
            if problem:
                logger.error("%s", problem)
            elif state is not KeyState.IN_USE:
                accept_key(config)
    except SQLAlchemyError as error:
        logger.info("SECRET_KEY: not compared with the database's (%s)", type(error).__name__)
