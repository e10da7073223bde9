"""A phone at the door may serve several performances, if staff allow it.

`api_token.serves_until`: until when the phone may join other performances by itself. `origin_id`: its first token;
revoking a phone revokes all tokens with the same origin. The previous release uses neither: to it each token is the
device of its own performance.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_token", sa.Column("serves_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_token", sa.Column("origin_id", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("fk_api_token_origin_id_api_token"),
        "api_token",
        "api_token",
        ["origin_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(op.f("ix_api_token_origin_id"), "api_token", ["origin_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_api_token_origin_id"), "api_token")
    op.drop_constraint(op.f("fk_api_token_origin_id_api_token"), "api_token", type_="foreignkey")
    op.drop_column("api_token", "origin_id")
    op.drop_column("api_token", "serves_until")
