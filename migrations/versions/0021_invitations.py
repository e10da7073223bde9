"""An invitation to the door is for as many phones as staff chose.

`api_token.invitation` is the number of the invitation that a door device came by, `invitation_place` which of
its phones it is, from 1 on. The unique key is what two phones with one photographed code meet. Devices of before
came by none that is still good, nor do those that the release before this one makes.
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
