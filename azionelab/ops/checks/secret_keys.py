"""Which SECRET_KEY the links and tickets of this database are signed with, by its fingerprint.

A site that was restored with newly made secrets works, but every link and ticket mailed before answers 404.
So the fingerprint of the key is noted in the database when the site starts, and compared ever after. It is
a digest from which a random key cannot be found. docker/new-secrets and docker/backup compute the same one.
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

WHAT_TO_DO = (
    "put the key back from your copy of docker/secrets into secret_key, or add it to"
    " SECRET_KEY_FALLBACKS, and start anew; if it is gone for good or was replaced on purpose, run"
    " `flask accept-secret-key`, and send tickets again from the back office"
)


class SigningKey(Base):
    """A key that was in use from `noted_at` on; the newest row is the one in use."""

    __tablename__ = "signing_key"
    __table_args__ = (CheckConstraint("fingerprint ~ '^[0-9a-f]{16}$'", name="fingerprint"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    fingerprint: Mapped[str]
    noted_at: Mapped[datetime] = mapped_column(server_default=func.now())


class KeyState(StrEnum):
    """How the configured keys stand to the newest noted one."""

    UNNOTED = "unnoted"  # none is noted yet
    IN_USE = "in use"  # it is SECRET_KEY
    ROTATED = "rotated"  # it is one of SECRET_KEY_FALLBACKS
    LOST = "lost"  # it is neither: what it signed does not open


def fingerprint(key: str) -> str:
    """16 hexadecimal digits that stand for a key."""
    return hashlib.sha256(f"azionelab secret key\n{key}".encode()).hexdigest()[:16]


def key_state(connection: Connection, config: Config) -> KeyState:
    """How SECRET_KEY and SECRET_KEY_FALLBACKS stand to what is noted."""
    newest = select(SigningKey.fingerprint).order_by(SigningKey.id.desc()).limit(1)
    noted = connection.scalar(newest)
    if noted is None:
        return KeyState.UNNOTED
    if noted == fingerprint(config.secret_key):
        return KeyState.IN_USE
    earlier = {fingerprint(key) for key in config.secret_key_fallbacks}
    return KeyState.ROTATED if noted in earlier else KeyState.LOST


def key_problem(connection: Connection, config: Config) -> str | None:
    """What is wrong with the keys and what to do, or None."""
    if key_state(connection, config) is not KeyState.LOST:
        return None
    return (
        "SECRET_KEY: is not the one that links and tickets were signed with, so that those sent before"
        f" do not open; {WHAT_TO_DO}"
    )


def accept_key(config: Config) -> None:
    """Note SECRET_KEY as the one in use, whatever was before. One transaction."""
    with transaction() as session:
        session.add(SigningKey(fingerprint=fingerprint(config.secret_key)))


def look_at_key(app: Flask) -> None:
    """When the site starts: note a first or rotated key, and log when the earlier one is missing.

    It keeps nothing from starting: a database that is away or not migrated is told by others.
    """
    config = app.config["AZIONELAB"]
    try:
        with app.app_context():
            with db.engine.connect() as connection:
                state = key_state(connection, config)
                problem = key_problem(connection, config)
            if problem:
                logger.error("%s", problem)
            elif state is not KeyState.IN_USE:
                accept_key(config)
    except SQLAlchemyError as error:
        logger.info("SECRET_KEY: not compared with the database's (%s)", type(error).__name__)
