"""A phone at the door may be put away, by staff or by itself; nobody waits to hear of it then.

`api_token.put_away_at`: since when. `put_away_by_phone`: it said itself that it ends, with nothing waiting; of one that
staff put away nobody knows. The release before this one knows neither, and names such a phone as one that is silent.
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
