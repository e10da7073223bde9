"""Adds `reservation.consent`: the text that the visitor agreed to, by its version (bookings/pages/consent.py).

NULL where nobody ticked a box: bookings by the box office, and those of earlier releases.
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reservation", sa.Column("consent", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("reservation", "consent")
