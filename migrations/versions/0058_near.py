"""Adds what a party on the waitlist says on the day: that it is near the theatre.

`near_minutes`: within how many minutes it can be at the door; `near_until`: how long that holds. An offer made near the
curtain keeps `near_minutes`: whoever takes it is expected then. Others clear both.
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reservation", sa.Column("near_minutes", sa.Integer(), nullable=True))
    op.add_column("reservation", sa.Column("near_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("reservation", "near_until")
    op.drop_column("reservation", "near_minutes")
