"""Adds `reservation.erasure_requested_at`: when staff erased name and address on request.

`flask doctor` thereby tells these erasures from premature ones. The previous release does not use the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reservation", sa.Column("erasure_requested_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("reservation", "erasure_requested_at")
