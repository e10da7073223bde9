"""Adds `scan.walk_in`: the attempt was to admit people without a booking; no ticket was scanned.

A revoked device's attempts have no reservation and one verdict for all, so its walk-ins looked like unknown tickets.
Existing scans, and those of the previous release, have false; their reservation or verdict tells (`house_list`).
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "scan", sa.Column("walk_in", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("scan", "walk_in")
