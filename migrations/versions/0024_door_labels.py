"""Makes the names of a performance's phones unique (`uq_api_token_label`).

`enrol` adds a number to a taken name, but two phones that came at the same moment both found it free. Existing
duplicates get their id appended. Names of revoked phones may be reused.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        UPDATE api_token SET label = label || ' (' || id || ')'
        FROM (
            SELECT id AS token_id,
                row_number() OVER (PARTITION BY performance_id, label ORDER BY id) AS turn
            FROM api_token WHERE performance_id IS NOT NULL AND revoked_at IS NULL
        ) AS namesake
        WHERE id = token_id AND turn > 1
        """
    )
    op.create_index(
        "uq_api_token_label",
        "api_token",
        ["performance_id", "label"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_api_token_label", "api_token")
