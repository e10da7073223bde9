"""Adds `show.listed`: an unlisted show can be booked by its URL, but is not in the programme."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A server default, since the previous release inserts shows without the column.
    op.add_column(
        "show", sa.Column("listed", sa.Boolean(), nullable=False, server_default=sa.true())
    )


def downgrade() -> None:
    op.drop_column("show", "listed")
