"""Declarative base of all models, column types, and the current time."""

from datetime import UTC, datetime
from typing import Annotated

from sqlalchemy import DateTime, Dialect, MetaData, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry

from azionelab.validation.text import remove_bidi_controls

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class _UserText(TypeDecorator[str]):
    """Text without bidirectional controls (validation/text.py): removed on write and on read.

    Forms refuse these characters. Removing them on read covers rows stored before the forms did, and exports.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Remove them before the value is written."""
        return value if value is None else remove_bidi_controls(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Remove them from a stored value."""
        return value if value is None else remove_bidi_controls(value)


UserText = Annotated[str, mapped_column(_UserText())]  # text that one person typed and others read


class Base(DeclarativeBase):
    """Base of all models. Constraints have predictable names, by which errors are recognised."""

    registry = registry(
        metadata=MetaData(naming_convention=_NAMING),
        type_annotation_map={datetime: DateTime(timezone=True)},
    )


def now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    return datetime.now(UTC)
