"""A show may be booked by who has its address without being in the programme."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default is the server's too: the release before this one writes shows without the column.
    op.add_column(
        "show", sa.Column("listed", sa.Boolean(), nullable=False, server_default=sa.true())
    )


def downgrade() -> None:
    op.drop_column("show", "listed")
