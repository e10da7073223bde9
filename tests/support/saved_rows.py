"""All rows of the database, kept to be put back in other tests: writing them through the rules takes seconds."""

from dataclasses import dataclass
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

# A restored row is as it was: neither checked again nor noted by triggers.
_NO_TRIGGERS = "SET LOCAL session_replication_role = replica"
_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        AND relname NOT IN ('alembic_version', 'role')
"""
_SEQUENCES = """
    SELECT sequencename, last_value FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL
"""


@dataclass(frozen=True)
class SavedRows:
    """The rows of each table, in PostgreSQL's binary format, and the last value of each sequence."""

    tables: dict[str, bytes]
    sequences: dict[str, int]

    @classmethod
    def save(cls, owner: psycopg.Connection[Any]) -> Self:
        """The rows that are in the database now, but for those of the migrations."""
        plain = owner.cursor(row_factory=tuple_row)
        tables = {}
        for (name,) in plain.execute(_TABLES).fetchall():
            command = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(name))
            with owner.cursor().copy(command) as rows:
                tables[name] = b"".join(rows)
        return cls(tables, dict(plain.execute(_SEQUENCES).fetchall()))

    def restore(self, owner: psycopg.Connection[Any]) -> None:
        """Put the rows into the database, which must be empty."""
        with owner.transaction():
            owner.execute(_NO_TRIGGERS)
            for name, rows in self.tables.items():
                command = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(name))
                with owner.cursor().copy(command) as table:
                    table.write(rows)
            for name, last in self.sequences.items():
                owner.execute("SELECT setval(quote_ident(%s)::regclass, %s)", [name, last])
