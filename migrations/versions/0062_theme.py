"""Adds `theme_version`: the look of the visitors' pages as staff saved it, each version a row.

The newest row counts; none is the shipped look. The log of changes records each version, without the logo's content. The
previous release does not know the table and shows the shipped look.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "theme_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("accent", sa.String(), nullable=False),
        sa.Column("fonts", sa.String(), nullable=False),
        sa.Column("welcome", postgresql.JSONB(), nullable=False),
        sa.Column("footer", postgresql.JSONB(), nullable=False),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.Column("logo_digest", sa.String(), nullable=False),
        sa.Column("logo_width", sa.Integer(), nullable=False),
        sa.Column("logo_height", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "accent = '' OR accent ~ '^#[0-9a-f]{6}$'", name=op.f("ck_theme_version_accent_form")
        ),
        sa.CheckConstraint(
            "(logo IS NULL) = (logo_digest = '')", name=op.f("ck_theme_version_logo_whole")
        ),
        sa.ForeignKeyConstraint(
            ["written_by"],
            ["user_account.id"],
            name=op.f("fk_theme_version_written_by"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_theme_version")),
    )
    op.execute(
        "CREATE TRIGGER audit_recorded AFTER INSERT ON public.theme_version FOR EACH ROW"
        " EXECUTE FUNCTION public.audit_recorded("
        "'theme.version', 'version', 'name', 'accent', 'fonts', 'welcome', 'footer', 'logo_digest')"
    )


def downgrade() -> None:
    op.drop_table("theme_version")
