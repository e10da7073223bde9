"""Counts of tries, so that rate limits hold across processes and hosts.

Unlogged: after a crash of the database the counts begin anew, which costs nothing. The release before this
one counts in its processes' memory and leaves the table alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rate_count",
        sa.Column("key", sa.LargeBinary(), primary_key=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        prefixes=["UNLOGGED"],
    )


def downgrade() -> None:
    op.drop_table("rate_count")
