"""Who ended a booking, and who made its party smaller: the door says why it refuses a ticket.

- `reservation.ended_by`: "visitor", "staff", or "performance" when the evening was called off. Empty for what had
  ended before, for what the release before this one ends, and for what expires by itself.
- `reservation.reduced_from`: how large the party was at first; `reduced_at` and `reduced_by` tell of the last time
  that it was made smaller. Empty likewise.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

COLUMNS = ("ended_by", "reduced_from", "reduced_at", "reduced_by")


def upgrade() -> None:
    op.add_column("reservation", sa.Column("ended_by", sa.String(), nullable=True))
    op.add_column("reservation", sa.Column("reduced_from", sa.Integer(), nullable=True))
    op.add_column("reservation", sa.Column("reduced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("reservation", sa.Column("reduced_by", sa.String(), nullable=True))


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column("reservation", column)
