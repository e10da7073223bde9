"""Sessions are ended one by one, and reset mails to one account have a pause.

- `ended_session`: digests of the ids of sessions that somebody logged out of.
- `user_account.reset_mailed_at`: when the last mail to set another password was asked for.

The release before this one reads and writes neither: its log-out ends all sessions of an account.
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
