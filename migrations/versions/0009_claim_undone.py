"""`scan.claim_undone_at`: when people whom a device let in by itself were taken back, counted or not.

Of those who were counted their admission says it; one that could not be counted has none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scan", sa.Column("claim_undone_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("scan", "claim_undone_at")
