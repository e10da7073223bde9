"""Adds `reservation.link_id`: what private links of a booking name since staff corrected its address.

Links that were sent to the address before name the reservation's own id, or an earlier `link_id`, and open nothing
any more. NULL for all whose address was never corrected. The previous release does not know it: it makes and accepts
links by the reservation's id.
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reservation", sa.Column("link_id", sa.Uuid(), nullable=True))
    op.create_index(
        "uq_reservation_link_id",
        "reservation",
        ["link_id"],
        unique=True,
        postgresql_where=sa.text("link_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_reservation_link_id", "reservation")
    op.drop_column("reservation", "link_id")
