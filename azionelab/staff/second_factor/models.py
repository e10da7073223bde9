"""Second factors of accounts."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base, UserText


class Authenticator(Base):
    """An account's authenticator app (TOTP). `secret` is encrypted (vault.py)."""

    __tablename__ = "authenticator"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    secret: Mapped[bytes]
    last_step: Mapped[int] = mapped_column(
        BigInteger
    )  # of the newest code used: none is used twice
    made_at: Mapped[datetime]


class RecoveryCode(Base):
    """A recovery code that was not used yet, by its digest."""

    __tablename__ = "recovery_code"

    digest: Mapped[bytes] = mapped_column(primary_key=True)  # SHA-256 of account and code
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )


class Passkey(Base):
    """A public key whose private half is in a device or password manager (passkeys.py)."""

    __tablename__ = "passkey"
    __table_args__ = (UniqueConstraint("credential_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[UserText]
    credential_id: Mapped[bytes]
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)  # 0 for those that count nothing
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class UsedChallenge(Base):
    """A challenge that a passkey has answered, until it has expired: none is answered twice."""

    __tablename__ = "used_challenge"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    used_at: Mapped[datetime]
