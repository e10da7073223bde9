"""Second factors of accounts."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from azionelab.database import Base


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
