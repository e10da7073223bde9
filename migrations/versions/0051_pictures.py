"""Adds the table `picture`: posters and photographs of shows, whose files are in MEDIA_DIR.

Its edits are counted, recorded (0013) and logged (0036) as those of a show. The previous release does not know it;
deleting a show deletes its pictures.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

EDITED = ("position", "digest", "alt", "credit", "focal_x", "focal_y", "removed_at")
AUDITED = (
    "picture.id",
    "*",
    "-id",
    "-version",
    "-position",
    "-width",
    "-height",
    "-widths",
    "-added_at",
)
TRIGGERS = """
CREATE TRIGGER row_version_counted BEFORE UPDATE OF {columns}, version ON public.picture
    FOR EACH ROW EXECUTE FUNCTION public.row_version_counted({arguments});
CREATE TRIGGER row_change_recorded AFTER DELETE OR UPDATE OF {columns} ON public.picture
    FOR EACH ROW EXECUTE FUNCTION public.row_change_recorded({arguments});
CREATE TRIGGER audit_recorded AFTER INSERT OR UPDATE OR DELETE ON public.picture
    FOR EACH ROW EXECUTE FUNCTION public.audit_recorded({audited});
"""


def upgrade() -> None:
    op.create_table(
        "picture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("show_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("widths", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("alt", postgresql.JSONB(), nullable=False),
        sa.Column("credit", sa.String(), nullable=False, server_default=""),
        sa.Column("focal_x", sa.Integer(), nullable=False, server_default="50"),
        sa.Column("focal_y", sa.Integer(), nullable=False, server_default="50"),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{32}$'", name=op.f("ck_picture_digest_form")),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_picture_size_given")),
        sa.CheckConstraint("focal_x BETWEEN 0 AND 100", name=op.f("ck_picture_focal_x_range")),
        sa.CheckConstraint("focal_y BETWEEN 0 AND 100", name=op.f("ck_picture_focal_y_range")),
        sa.ForeignKeyConstraint(
            ["show_id"], ["show.id"], name=op.f("fk_picture_show_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture")),
    )
    op.create_index(op.f("ix_picture_show_id"), "picture", ["show_id", "position"])
    op.execute(
        TRIGGERS.format(
            columns=", ".join(EDITED), arguments=_quoted(EDITED), audited=_quoted(AUDITED)
        )
    )


def downgrade() -> None:
    op.execute("DELETE FROM row_change WHERE table_name = 'picture'")
    op.drop_table("picture")


def _quoted(fields: tuple[str, ...]) -> str:
    return ", ".join(f"'{field}'" for field in fields)
