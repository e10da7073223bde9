"""Which wallets the theatre's keys allow to offer."""

import logging
from datetime import datetime

from flask import current_app

from azionelab.settings.config import Config
from azionelab.settings.wallet import (
    AppleKeys,
    GoogleKeys,
    UnusableKeys,
    read_apple_keys,
    read_google_keys,
)

_log = logging.getLogger(__name__)


def find_apple_keys(at: datetime) -> AppleKeys | None:
    """Keys that sign passes for Apple Wallet; None where there are none, or phones would refuse their passes."""
    config = _config()
    if not config.apple_pass:
        return None
    try:
        keys = read_apple_keys(config.apple_pass)
    except UnusableKeys as why:
        _log.error("APPLE_PASS: %s", why)
        return None
    return keys if at < keys.ends_at else None


def find_google_keys() -> GoogleKeys | None:
    """Keys that sign passes for Google Wallet; None where there are none."""
    config = _config()
    if not (config.google_wallet_key and config.google_wallet_issuer):
        return None
    try:
        return read_google_keys(config.google_wallet_key)
    except UnusableKeys as why:
        _log.error("GOOGLE_WALLET_KEY: %s", why)
        return None


def offers_passes() -> bool:
    """Whether the theatre offers any pass, by its settings alone: mails say so, and the worker reads no keys."""
    config = _config()
    return bool(config.apple_pass or config.google_wallet_key)


def _config() -> Config:
    config: Config = current_app.config["AZIONELAB"]
    return config
