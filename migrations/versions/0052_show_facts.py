"""Adds what a show's page tells: texts in other languages, credits, press, facts and access; how to find a venue.

- A show's `title`, `summary` and `description` stay those of the site's own language, which the previous release shows.
- Texts in several languages are JSON objects of a language's code and its text.

Edits of the new columns are counted and recorded as those of the others (migrations 0013, 0037).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

# As migration 0037 has them.
BEFORE = {
    "venue": ("name", "address", "default_capacity"),
    "show": (
        "slug",
        "title",
        "summary",
        "description",
        "duration_minutes",
        "published",
        "listed",
        "archived_at",
    ),
}
TEXTS = {
    "venue": ("directions",),
    "show": ("titles", "summaries", "descriptions", "credits", "access_notes"),
}
LINES = ("press", "spoken_language", "surtitles")
FLAGS = ("wheelchair", "companion", "hearing_loop", "strobe", "loud_noise", "haze")
ADDED = {
    "venue": (*TEXTS["venue"], "latitude", "longitude"),
    "show": (*TEXTS["show"], *LINES, *FLAGS, "age_from", "doors_minutes"),
}
CHECKS = {
    "show": {
        "doors_range": "doors_minutes BETWEEN 1 AND 1440",
        "age_range": "age_from BETWEEN 0 AND 21",
    },
    "venue": {
        "place_whole": "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180"
        " OR latitude IS NULL AND longitude IS NULL"
    },
}
TRIGGERS = """
CREATE TRIGGER row_version_counted BEFORE UPDATE OF {columns}, version ON public.{table}
    FOR EACH ROW EXECUTE FUNCTION public.row_version_counted({arguments});
CREATE TRIGGER row_change_recorded AFTER DELETE OR UPDATE OF {columns} ON public.{table}
    FOR EACH ROW EXECUTE FUNCTION public.row_change_recorded({arguments});
"""


def upgrade() -> None:
    for table, names in TEXTS.items():
        for name in names:
            column = sa.Column(name, postgresql.JSONB(), nullable=False, server_default="{}")
            op.add_column(table, column)
    for name in LINES:
        op.add_column("show", sa.Column(name, sa.String(), nullable=False, server_default=""))
    for name in FLAGS:
        flag = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        op.add_column("show", flag)
    for name in ("age_from", "doors_minutes"):
        op.add_column("show", sa.Column(name, sa.Integer(), nullable=True))
    for name in ("latitude", "longitude"):
        op.add_column("venue", sa.Column(name, sa.Double(), nullable=True))
    for table, checks in CHECKS.items():
        for name, condition in checks.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    for table, before in BEFORE.items():
        _replace_triggers(table, (*before, *ADDED[table]))


def downgrade() -> None:
    for table, before in BEFORE.items():
        _replace_triggers(table, before)
    for table, checks in CHECKS.items():
        for name in checks:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    for table, added in ADDED.items():
        for name in reversed(added):
            op.drop_column(table, name)


def _replace_triggers(table: str, fields: tuple[str, ...]) -> None:
    op.execute(f"DROP TRIGGER row_change_recorded ON public.{table}")
    op.execute(f"DROP TRIGGER row_version_counted ON public.{table}")
    arguments = ", ".join(f"'{field}'" for field in fields)
    op.execute(TRIGGERS.format(table=table, columns=", ".join(fields), arguments=arguments))
