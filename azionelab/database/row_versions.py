"""Row versions, and the three-way merge of an edit with newer versions.

Triggers count a row's versions and record the changes of each (migration 0013), for every writer. An edit names
the version that its form showed. Under the row's lock, `merge` selects the fields that the person changed, and
refuses the edit when somebody else changed one of them since.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    Date,
    DateTime,
    FetchedValue,
    ForeignKey,
    Select,
    false,
    func,
    inspect,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from azionelab.database import Base, require_transaction, transaction
from azionelab.database.actors import Actor, announce

_Row = TypeVar("_Row", bound=Base)


class Versioned:
    """Mixin for models whose versions a trigger counts. The application never writes `version`."""

    version: Mapped[int] = mapped_column(server_default="1", server_onupdate=FetchedValue())


class RowChange(Base):
    """The changes of one version of a row. `changes` maps a field to its old and new value.

    Names and addresses of accounts are erased with the account, or after RETENTION_DAYS (migration 0048).
    """

    __tablename__ = "row_change"

    table_name: Mapped[str] = mapped_column(primary_key=True)
    row_id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)  # after the change
    changed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="SET NULL")
    )
    source: Mapped[str] = mapped_column(
        server_default=""
    )  # the program, command or job that made the change, if no person did
    deleted: Mapped[bool] = mapped_column(server_default=false())
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)


@dataclass(frozen=True)
class FieldChange:
    """A field's change since a version: its value then and now, and who changed it last.

    The values of secrets are None. `account_id` is None for changes made outside of the back office.
    """

    field: str
    old: Any
    new: Any
    changed_at: datetime
    account_id: int | None
    source: str


@dataclass(frozen=True)
class Edit:
    """The submitted values of a row's form.

    `made_from` is the version that the form showed, 0 when it named none. `wanted` are the submitted values.
    `left_as(field, value)` tells whether the submitted field equals the form's rendering of a stored value:
    then the person did not change it.
    """

    made_from: int
    wanted: Mapping[str, Any]
    left_as: Callable[[str, Any], bool]
    by: int | None


@dataclass(frozen=True)
class Merged:
    """The fields to write, and the changes of others since, which are kept."""

    write: dict[str, Any]
    meanwhile: dict[str, FieldChange] = field(default_factory=dict)

    def write_to(self, row: Base) -> None:
        """Write the fields to a locked row."""
        for name, value in self.write.items():
            setattr(row, name, value)


class EditConflict(Exception):
    """Others changed the same fields since the form was rendered; nothing is written.

    `version` and `stored` are the row's current ones. `clashes` maps each field that both changed to the other
    change, or to None when the form named no known version. `meanwhile` has the changes of fields that the
    person did not change.
    """

    def __init__(
        self,
        version: int,
        stored: Mapping[str, Any],
        clashes: Mapping[str, FieldChange | None],
        meanwhile: Mapping[str, FieldChange],
    ) -> None:
        super().__init__(", ".join(clashes))
        self.version = version
        self.stored = stored
        self.clashes = clashes
        self.meanwhile = meanwhile


class RowGone(Exception):
    """The row was deleted since the form was rendered."""


def add_row(model: type[_Row], values: Mapping[str, Any]) -> _Row:
    """Insert a row that is subject to constraints only, not to rules."""
    with transaction() as session:
        row = model(**values)
        session.add(row)
        return row


def edit_row(model: type[Base], identity: int, edit: Edit) -> Merged:
    """Save an edit of a row that is subject to constraints only, not to rules.

    Raises RowGone and EditConflict.
    """
    with transaction() as session:
        row = lock_row(session, model, identity)
        merged = merge(session, row, edit)
        merged.write_to(row)
        return merged


def delete_row(model: type[Base], identity: int, seen_version: int, by: int | None) -> None:
    """Delete a row unless it changed since the version shown; raises RowGone, EditConflict."""
    with transaction() as session:
        row = lock_row(session, model, identity)
        require_version(session, row, seen_version)
        record_author(session, by)
        session.delete(row)


def lock_row(session: Session, model: type[_Row], identity: int) -> _Row:
    """Lock the row until the transaction ends and return its current state; raises RowGone."""
    require_transaction(session)
    row = session.get(model, identity, with_for_update={"key_share": True}, populate_existing=True)
    if row is None:
        raise RowGone
    return row


def record_author(session: Session, account_id: int | None, source: str = "") -> None:
    """Record this transaction's changes under this account or program; without both, under who acts anyway."""
    if account_id is not None or source:
        announce(session, Actor(account_id=account_id, source=source))


def merge(
    session: Session, row: Any, edit: Edit, stored: Mapping[str, Any] | None = None
) -> Merged:
    """Compare an edit with its locked row and with the changes since its form was rendered.

    `stored` are the row's values where they are not its attributes. The transaction's changes are recorded
    under the editor's account. Raises EditConflict; writes nothing itself.
    """
    record_author(session, edit.by)
    if stored is None:
        stored = {name: getattr(row, name) for name in edit.wanted}
    changed = changes_since(session, row, edit.made_from)
    write: dict[str, Any] = {}
    clashes: dict[str, FieldChange | None] = {}
    for name, value in edit.wanted.items():
        if edit.left_as(name, stored[name]):
            continue
        change = (changed or {}).get(name)
        if change and edit.left_as(name, change.old):
            continue
        if changed is None or change:
            clashes[name] = change
        else:
            write[name] = value
    meanwhile = {name: one for name, one in (changed or {}).items() if name not in clashes}
    if clashes:
        raise EditConflict(row.version, stored, clashes, meanwhile)
    return Merged(write, meanwhile)


def require_version(session: Session, row: Any, version: int) -> None:
    """Raise EditConflict when a locked row changed since the version shown."""
    changed = changes_since(session, row, version)
    if changed is None or changed:
        raise EditConflict(row.version, {}, {}, changed or {})


def changes_since(session: Session, row: Any, version: int) -> dict[str, FieldChange] | None:
    """Each field's change since `version`, by name; None when the record is incomplete."""
    if not 0 < version <= row.version:
        return None
    changes = list(session.scalars(_recorded(type(row), row.id).where(RowChange.version > version)))
    if len(changes) != row.version - version:
        return None
    since: dict[str, FieldChange] = {}
    secrets = set()
    for change in changes:
        for name, (old, new) in change.changes.items():
            if old is new is None:
                secrets.add(name)
            first = since[name].old if name in since else _stored(type(row), name, old)
            since[name] = FieldChange(
                name,
                first,
                _stored(type(row), name, new),
                change.changed_at,
                change.account_id,
                change.source,
            )
    # A field that was changed and changed back equals what the person saw.
    return {name: one for name, one in since.items() if one.old != one.new or name in secrets}


def forget_names(before: datetime) -> int:
    """Erase names and addresses of accounts in changes before a moment, a day ago at the latest; of how many."""
    with transaction() as session:
        return int(session.scalar(func.forget_row_changes(before)) or 0)


def find_deletion(session: Session, model: type[Base], identity: int) -> RowChange | None:
    """The record of the row's deletion, or None."""
    return session.scalar(_recorded(model, identity).where(RowChange.deleted))


def _recorded(model: type[Base], identity: int) -> Select[RowChange]:
    return (
        select(RowChange)
        .where(RowChange.table_name == model.__tablename__, RowChange.row_id == identity)
        .order_by(RowChange.version)
    )


def _stored(model: type[Base], name: str, recorded: Any) -> Any:
    """A recorded value in the column's type: JSON holds dates and datetimes as strings."""
    column = inspect(model).columns.get(name)
    if recorded is not None and column is not None and isinstance(column.type, Date):
        return date.fromisoformat(recorded)
    if recorded is not None and column is not None and isinstance(column.type, DateTime):
        return datetime.fromisoformat(recorded)
    return recorded
