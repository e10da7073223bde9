"""Everything that is kept about a person, as JSON: the answer to a request for access (GDPR, article 15)."""

import json
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Table, inspect, or_, select

from azionelab.bookings.models import Reservation
from azionelab.database import Base, db, now
from azionelab.database.audit import AuditEntry

# Not about the person: keys of a form, counters of the system, and which member of staff acted.
_LEFT_OUT = {"request_key", "changed_in", "user_id", "token_id", "account_id"}


def personal_data(bookings: Sequence[Reservation]) -> bytes:
    """A JSON document of the bookings and of every row that refers to one, whatever its table."""
    identities = [one.id for one in bookings]
    document: dict[str, Any] = {
        "exported_at": now(),
        "names": sorted({one.name for one in bookings}),
        "addresses": sorted({one.email for one in bookings if one.email}),
        "bookings": [
            {
                "show": one.performance.show.title,
                "performance": one.performance.starts_at,
                **_values(Reservation.__table__, inspect(one).dict),
            }
            for one in bookings
        ],
    }
    for table, columns in _tables_about_bookings().items():
        named = or_(*(column.in_(identities) for column in columns))
        rows = db.session.execute(select(table).where(named).order_by(*_in_time(table)))
        document[table.name] = [_values(table, dict(row)) for row in rows.mappings()]
    changes = select(AuditEntry.at, AuditEntry.label, AuditEntry.action, AuditEntry.changes)
    document["changes"] = [
        {"at": at, "reference": reference, "action": action, "changes": fields}
        for at, reference, action, fields in db.session.execute(
            changes.where(
                AuditEntry.object_type == Reservation.__tablename__,
                AuditEntry.object_id.in_(map(str, identities)),
            ).order_by(AuditEntry.id)
        )
    ]
    return json.dumps(document, ensure_ascii=False, indent=2, default=_plain).encode()


def _tables_about_bookings() -> dict[Table, list[Any]]:
    """The tables with a foreign key to reservations, by name, and their columns that have one."""
    found: dict[Table, list[Any]] = {}
    for table in sorted(Base.metadata.tables.values(), key=lambda table: table.name):
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            if key.column is Reservation.__table__.c.id:
                found.setdefault(table, []).append(key.parent)
    return found


def _in_time(table: Table) -> list[Any]:
    """What to sort by: the first of a table's moments, then its key."""
    moments = [column for column in table.c if isinstance(column.type, DateTime)]
    return [*moments[:1], *table.primary_key]


def _values(table: Any, row: dict[str, Any]) -> dict[str, Any]:
    return {column.name: row.get(column.name) for column in table.c if column.name not in _LEFT_OUT}


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum | UUID):
        return str(value)
    return repr(value)
