"""Staff accounts, roles, links to set a password, sessions, and API tokens."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask_security.core import RoleMixin, UserMixin
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from azionelab.database import Base, UserText
from azionelab.database.row_versions import Versioned


class RoleName(StrEnum):
    """Roles of accounts; rights.py says what each may do."""

    ADMIN = "admin"
    MANAGER = "staff"  # its name in the database since 0.3, where a rollback must find it
    BOX_OFFICE = "box_office"
    DOOR = "door"
    READ_ONLY = "read_only"


user_role = Table(
    "user_role",
    Base.metadata,
    Column("user_id", ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)


class Role(Base, RoleMixin):
    """One of RoleName; the migrations seed them."""

    __tablename__ = "role"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")

    def __str__(self) -> str:
        return self.name


class User(Versioned, Base, UserMixin):
    """A member of staff. `name` is what the door shows ("let in by Anna")."""

    __tablename__ = "user_account"
    __table_args__ = (UniqueConstraint("email"), UniqueConstraint("fs_uniquifier"))

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[UserText] = mapped_column(default="")
    password: Mapped[str | None]  # None until an invitation is accepted
    active: Mapped[bool] = mapped_column(default=True)
    # Flask-Security's session key: changing it ends every session of this person.
    fs_uniquifier: Mapped[str]
    reset_mailed_at: Mapped[
        datetime | None
    ]  # when a mail to set another password was asked for last
    roles: Mapped[list[Any]] = relationship(Role, secondary=user_role, lazy="selectin")

    def __str__(self) -> str:
        return self.name or self.email


class PasswordLink(Base):
    """A link, not used yet, by which an account's owner sets a password: an invitation, or sent by an admin.

    The link is made from `id` and SECRET_KEY (tokens.py); the database alone does not reveal it. An account has
    one link at most: a new one replaces it, and using it deletes it.
    """

    __tablename__ = "password_link"
    __table_args__ = (UniqueConstraint("user_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    by_mail: Mapped[bool]  # False: an admin was shown the link to pass it on
    mailed_at: Mapped[datetime | None]  # when the mail server accepted the mail
    refusal: Mapped[str] = mapped_column(default="")  # why the mail server refused it for good


class StaffSession(Base):
    """A session that somebody logged into, for the list of one's sessions; deleted when its cookie has expired.

    `account_key` is the digest of the account's `fs_uniquifier` at the login: a session with an older one has
    ended with all others of the account.
    """

    __tablename__ = "staff_session"

    digest: Mapped[bytes] = mapped_column(primary_key=True)  # SHA-256 of the session's id
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    account_key: Mapped[bytes]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]  # accurate to SEEN_EVERY (sessions.py)
    browser: Mapped[str]  # "Firefox, Windows"
    network: Mapped[str]  # the address without its last part


class EndedSession(Base):
    """A session that was logged out, by the digest of its id; deleted when its cookie has expired."""

    __tablename__ = "ended_session"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    ended_at: Mapped[datetime]


class ApiToken(Base):
    """A token for the door's API; only its digest is stored.

    A token with a `performance_id` belongs to a phone at the door (docs/door.md) and opens that performance
    only. The phone joined by an `invitation` for several phones and took one of its numbers
    (`invitation_place`). `last_seen_at` is accurate to about half a minute.
    """

    __tablename__ = "api_token"
    __table_args__ = (
        UniqueConstraint("digest"),
        UniqueConstraint("invitation", "invitation_place", name="uq_api_token_invitation"),
        # The scan log names phones by label. Tokens of programs have no performance and may share a label.
        Index(
            "uq_api_token_label",
            "performance_id",
            "label",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        CheckConstraint("label <> ''", name="label_given"),
        CheckConstraint("scope IN ('door', 'scan')", name="scope"),
        CheckConstraint(
            "(invitation IS NULL) = (invitation_place IS NULL) AND invitation_place >= 1",
            name="invitation_place",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[UserText]  # "Door A, Marta's phone"
    scope: Mapped[str]
    digest: Mapped[bytes]  # SHA-256 of the token, which has 256 random bits
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    performance_id: Mapped[int | None] = mapped_column(
        ForeignKey("performance.id", ondelete="CASCADE"), index=True
    )
    last_seen_at: Mapped[datetime | None]
    # Its missing scans are not waited for (checkin/devices/putting_away.py) until it is seen again.
    put_away_at: Mapped[datetime | None]
    put_away_by_phone: Mapped[bool] = mapped_column(default=False, server_default="false")
    invitation: Mapped[int | None] = mapped_column(BigInteger)
    invitation_place: Mapped[int | None]
    # Until then the phone may open doors of other performances by itself (checkin/devices/passes.py).
    serves_until: Mapped[datetime | None]
    # The phone's first token; later ones were made from it.
    origin_id: Mapped[int | None] = mapped_column(
        ForeignKey("api_token.id", ondelete="SET NULL"), index=True
    )

    def __str__(self) -> str:
        return self.label
