"""Adds `performance.moved_from`: when a performance that was moved was to begin, as it was first announced.

NULL where it was not moved since this migration, or is back at its first time. The release before does not write it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("performance", sa.Column("moved_from", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("performance", "moved_from")
