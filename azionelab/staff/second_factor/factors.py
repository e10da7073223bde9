"""Second factors: setting one up, checking a code, and taking them away."""

import base64
import hashlib
import secrets
from typing import NamedTuple
from uuid import uuid4

from flask import current_app
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from azionelab.database import db, now, transaction
from azionelab.staff.models import StaffSession, User
from azionelab.staff.notices import Notice, enqueue_notice
from azionelab.staff.second_factor.models import Authenticator, Passkey, RecoveryCode
from azionelab.staff.second_factor.totp import find_step
from azionelab.staff.second_factor.vault import KeyLost, seal, unseal

RECOVERY_CODES = 10
_CODE_BYTES = 10  # 80 bits: a fast digest is enough


class LastFactor(Exception):
    """The account's role needs a second factor, and this is its last."""


class Factors(NamedTuple):
    """What an account has for the second step. Recovery codes alone are none."""

    authenticator: bool
    passkeys: int
    recovery_codes: int

    @property
    def any(self) -> bool:
        """Whether the login has a second step."""
        return self.authenticator or self.passkeys > 0


def factors_of(user_id: int) -> Factors:
    """An account's second factors; one statement."""
    app = select(Authenticator.user_id).where(Authenticator.user_id == user_id).exists()
    keys = select(func.count()).where(Passkey.user_id == user_id).scalar_subquery()
    codes = select(func.count()).where(RecoveryCode.user_id == user_id).scalar_subquery()
    row = db.session.execute(select(app, keys, codes)).one()
    return Factors(bool(row[0]), row[1] or 0, row[2] or 0)


def needs_second_factor(user: User) -> bool:
    """Whether SECOND_FACTOR_REQUIRED names one of the account's roles."""
    required = current_app.config["AZIONELAB"].second_factor_required
    return any(role.name in required for role in user.roles)


def set_up_authenticator(user_id: int, secret: bytes, code: str) -> list[str] | None:
    """Store an app's secret, in place of an earlier one, if the app shows this code; None if it does not.

    Returns the new recovery codes, which are not stored; an empty list when there are some already.
    """
    moment = now()
    step = find_step(secret, code, moment, 0)
    if step is None:
        return None
    with transaction() as session:
        _lock(session, user_id)
        session.execute(delete(Authenticator).where(Authenticator.user_id == user_id))
        session.add(
            Authenticator(
                user_id=user_id, secret=seal(user_id, secret), last_step=step, made_at=moment
            )
        )
        return first_recovery_codes(session, user_id)


def check_code(user_id: int, code: str) -> bool:
    """Whether the account's app shows this code, which is valid once."""
    with transaction() as session:
        app = session.get(Authenticator, user_id, with_for_update=True, populate_existing=True)
        if app is None:
            return False
        try:
            secret, is_current = unseal(user_id, app.secret)
        except KeyLost:
            current_app.logger.error(
                "an authenticator was set up with a SECRET_KEY that is not known any more"
            )
            return False
        step = find_step(secret, code, now(), app.last_step)
        if step is None:
            return False
        app.last_step = step
        if not is_current:
            app.secret = seal(user_id, secret)
        return True


def use_recovery_code(user_id: int, code: str) -> bool:
    """Whether this is one of the account's recovery codes, which is used up by it."""
    with transaction() as session:
        used = delete(RecoveryCode).where(
            RecoveryCode.user_id == user_id, RecoveryCode.digest == _digest(user_id, code)
        )
        return session.scalar(used.returning(RecoveryCode.user_id)) is not None


def renew_recovery_codes(user_id: int) -> list[str]:
    """Make new recovery codes, which are not stored; the earlier ones are invalid."""
    with transaction() as session:
        _lock(session, user_id)
        return _new_codes(session, user_id)


def remove_authenticator(user: User) -> None:
    """Take an account's app away; raises LastFactor."""
    with transaction() as session:
        _lock(session, user.id)
        session.execute(delete(Authenticator).where(Authenticator.user_id == user.id))
        settle(session, user)


def reset_factors(user_id: int) -> bool:
    """Take all of an account's second factors away and end its sessions; False when there is no such account.

    Its owner is told by mail.
    """
    with transaction() as session:
        user = session.get(User, user_id, with_for_update=True, populate_existing=True)
        if user is None:
            return False
        session.execute(delete(Authenticator).where(Authenticator.user_id == user_id))
        session.execute(delete(Passkey).where(Passkey.user_id == user_id))
        session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        session.execute(delete(StaffSession).where(StaffSession.user_id == user_id))
        user.fs_uniquifier = uuid4().hex
        enqueue_notice(session, user_id, Notice.SECOND_STEP_RESET)
        return True


def settle(session: Session, user: User) -> None:
    """After a factor was taken away: without any, recovery codes are of no use."""
    if factors_of(user.id).any:
        return
    if needs_second_factor(user):
        raise LastFactor
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def first_recovery_codes(session: Session, user_id: int) -> list[str]:
    """Make recovery codes in the caller's transaction, unless the account has some."""
    count = select(func.count()).where(RecoveryCode.user_id == user_id)
    return [] if session.scalar(count) else _new_codes(session, user_id)


def _new_codes(session: Session, user_id: int) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [_write_code(secrets.token_bytes(_CODE_BYTES)) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(digest=_digest(user_id, code), user_id=user_id) for code in codes)
    return codes


def _write_code(random: bytes) -> str:
    text = base64.b32encode(random).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _digest(user_id: int, code: str) -> bytes:
    plain = code.upper().replace("-", "").replace(" ", "")
    return hashlib.sha256(f"azionelab/recovery-code/{user_id}/{plain}".encode()).digest()


def _lock(session: Session, user_id: int) -> None:
    session.get_one(User, user_id, with_for_update=True, populate_existing=True)
