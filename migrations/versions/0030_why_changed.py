"""Records who ended a booking and who reduced its party, so that the door can say why it refuses a ticket.

- `reservation.ended_by`: "visitor", "staff", or "performance" if the performance was cancelled. Empty for earlier
  reservations, for those that the previous release ends, and for expired ones.
- `reservation.reduced_from`: the party's size at first; `reduced_at` and `reduced_by`: its last reduction. Empty as
  above.
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
