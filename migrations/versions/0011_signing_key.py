"""Creates `signing_key`: the fingerprint of the SECRET_KEY that signs links and tickets.

The site stores it when it starts. The previous release does not use it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_key",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column(
            "noted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.CheckConstraint(
            "fingerprint ~ '^[0-9a-f]{16}$'", name=op.f("ck_signing_key_fingerprint")
        ),
    )


def downgrade() -> None:
    op.drop_table("signing_key")
