"""A door token may be for scans only: scope "scan".

The release before this one knows tokens of scope "door" alone, so that to it a phone that only scans is unknown:
after a rollback it lets nobody in, instead of doing more than it may. Staff show it a code anew.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_api_token_scope"), "api_token", type_="check")
    op.create_check_constraint(op.f("ck_api_token_scope"), "api_token", "scope IN ('door', 'scan')")


def downgrade() -> None:
    # Their scans stay, and so does whose they are; but nobody comes to rights that they were not given.
    op.execute(
        "UPDATE api_token SET scope = 'door', revoked_at = coalesce(revoked_at, now())"
        " WHERE scope = 'scan'"
    )
    op.drop_constraint(op.f("ck_api_token_scope"), "api_token", type_="check")
    op.create_check_constraint(op.f("ck_api_token_scope"), "api_token", "scope IN ('door')")
