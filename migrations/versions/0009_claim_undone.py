"""Adds `scan.claim_undone_at`: when the admission that a device claimed was undone, counted or not.

A counted claim's admission has the time too; a claim that could not be counted has no admission.
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
