"""The declarative base of all models, the columns' types, and the clock."""

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


class _Typed(TypeDecorator[str]):
    """A text without what turns its neighbours (validation/text.py), as it is written and as it is read.

    Every form refuses these. This holds for what was kept before they did, and for every export: whoever reads
    a column gets it so.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write it without."""
        return value if value is None else remove_bidi_controls(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Read it without."""
        return value if value is None else remove_bidi_controls(value)


Typed = Annotated[str, mapped_column(_Typed())]  # what somebody typed, and others read


class Base(DeclarativeBase):
    """Base of all models. Every constraint has a name that an error can be told by."""

    registry = registry(
        metadata=MetaData(naming_convention=_NAMING),
        type_annotation_map={datetime: DateTime(timezone=True)},
    )


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
