"""`reservation.late_at`: about when a party comes that told us it will be late.

The release before this one neither knows nor writes it: it releases the places of these parties with the others'.
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
