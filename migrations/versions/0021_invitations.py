"""An invitation to the door is valid for as many phones as staff chose.

`api_token.invitation` is the invitation's number, `invitation_place` the phone's position in it, from 1. Their unique
key stops two phones from using the same place with one photographed code. Both are null for existing devices and for
those of the previous release.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_token", sa.Column("invitation", sa.BigInteger(), nullable=True))
    op.add_column("api_token", sa.Column("invitation_place", sa.Integer(), nullable=True))
    op.create_unique_constraint(
        op.f("uq_api_token_invitation"), "api_token", ["invitation", "invitation_place"]
    )
    op.create_check_constraint(
        op.f("ck_api_token_invitation_place"),
        "api_token",
        "(invitation IS NULL) = (invitation_place IS NULL) AND invitation_place >= 1",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_api_token_invitation_place"), "api_token", type_="check")
    op.drop_constraint(op.f("uq_api_token_invitation"), "api_token", type_="unique")
    op.drop_column("api_token", "invitation_place")
    op.drop_column("api_token", "invitation")
