"""`scan.walk_in`: the attempt was to let in people without a booking, and no ticket was scanned.

What a revoked device sends has no reservation and one verdict for everything, so that its walk-ins looked like
tickets that nobody has. Of scans of before, and of those that the release before this one writes, it is not known:
they say false, and their reservation or verdict tells (`house_list`).
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
