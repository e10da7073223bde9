"""Adds the seats of a booking behind a line, whether seats hold the line back, and when somebody came in.

The previous release lets in by rate alone, gives everybody who is let in the whole time, and knows no limit of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queue_line", sa.Column("most_seats", sa.Integer(), nullable=True))
    op.add_column(
        "queue_line",
        sa.Column("scarce", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_queue_line_most_seats_range"), "queue_line", "most_seats BETWEEN 1 AND 100"
    )
    op.add_column("queue_place", sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("queue_place", "entered_at")
    op.drop_column("queue_line", "scarce")
    op.drop_column("queue_line", "most_seats")
