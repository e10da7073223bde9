"""A phone at the door can be retired, by staff or by itself; nobody then waits for it.

`api_token.put_away_at`: since when. `put_away_by_phone`: the phone said itself that it ends, with nothing left to
send; of one that staff retired this is unknown. The previous release uses neither, and lists such a phone as silent.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_token", sa.Column("put_away_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "api_token",
        sa.Column("put_away_by_phone", sa.Boolean(), nullable=False, server_default="false"),
    )


def downgrade() -> None:
    op.drop_column("api_token", "put_away_by_phone")
    op.drop_column("api_token", "put_away_at")
