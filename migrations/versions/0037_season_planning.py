"""Adds what the planning of a season needs: archived shows, seats of a venue, holidays of the theatre.

- `show.archived_at`: since when a show is put away. `published` stays what decides whether visitors see it.
- `venue.default_capacity`: the seats of a new performance there.
- `holiday`: days on which the theatre is closed. A performance on one is warned of, not refused.

Edits of all three are counted and recorded as those of other rows (migration 0013). The previous release uses none of
them: it lists archived shows as unpublished ones.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

# As migration 0013 has them.
BEFORE = {
    "venue": ("name", "address"),
    "show": (
        "slug",
        "title",
        "summary",
        "description",
        "duration_minutes",
        "published",
        "listed",
    ),
}
ADDED = {"venue": ("default_capacity",), "show": ("archived_at",)}
HOLIDAY = ("name", "first_day", "last_day")
TRIGGERS = """
CREATE TRIGGER row_version_counted BEFORE UPDATE OF {columns}, version ON {table}
    FOR EACH ROW EXECUTE FUNCTION row_version_counted({arguments});
CREATE TRIGGER row_change_recorded AFTER DELETE OR UPDATE OF {columns} ON {table}
    FOR EACH ROW EXECUTE FUNCTION row_change_recorded({arguments});
"""


def upgrade() -> None:
    op.add_column("show", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("venue", sa.Column("default_capacity", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_venue_default_capacity_range"), "venue", "default_capacity BETWEEN 0 AND 100000"
    )
    op.create_table(
        "holiday",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.CheckConstraint("name <> ''", name=op.f("ck_holiday_name_given")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_holiday_days_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holiday")),
        sa.UniqueConstraint("name", "first_day", name=op.f("uq_holiday_name_first_day")),
    )
    for table, added in ADDED.items():
        _drop_triggers(table)
        _create_triggers(table, (*BEFORE[table], *added))
    _create_triggers("holiday", HOLIDAY)


def downgrade() -> None:
    for table, before in BEFORE.items():
        _drop_triggers(table)
        _create_triggers(table, before)
    op.execute("DELETE FROM row_change WHERE table_name = 'holiday'")
    op.drop_table("holiday")
    op.drop_constraint(op.f("ck_venue_default_capacity_range"), "venue")
    op.drop_column("venue", "default_capacity")
    op.drop_column("show", "archived_at")


def _create_triggers(table: str, fields: tuple[str, ...]) -> None:
    arguments = ", ".join(f"'{field}'" for field in fields)
    op.execute(TRIGGERS.format(table=table, columns=", ".join(fields), arguments=arguments))


def _drop_triggers(table: str) -> None:
    op.execute(f"DROP TRIGGER row_change_recorded ON {table}")
    op.execute(f"DROP TRIGGER row_version_counted ON {table}")
