"""Adds `reservation.late_at`: about when a party will come that announced its delay.

The previous release does not use it: it releases these parties' seats together with the others'.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reservation", sa.Column("late_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("reservation", "late_at")
