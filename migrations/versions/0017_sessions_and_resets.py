"""Ends single sessions, and limits how often reset mails are sent to an account.

- `ended_session`: digests of the ids of sessions that were logged out.
- `user_account.reset_mailed_at`: when the last password reset was requested.

The previous release uses neither: its log-out ends all sessions of an account.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ended_session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ended_session")),
    )
    op.add_column("user_account", sa.Column("reset_mailed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("user_account", "reset_mailed_at")
    op.drop_table("ended_session")
