"""Adds the token scope "scan": a door token for scans only.

The previous release knows only the scope "door". After a rollback it rejects a scan-only phone, rather than granting
it more rights; staff show such phones a new code.
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
    # Keep the tokens, for their scans, but revoke them: nobody may gain rights.
    op.execute(
        "UPDATE api_token SET scope = 'door', revoked_at = coalesce(revoked_at, now())"
        " WHERE scope = 'scan'"
    )
    op.drop_constraint(op.f("ck_api_token_scope"), "api_token", type_="check")
    op.create_check_constraint(op.f("ck_api_token_scope"), "api_token", "scope IN ('door')")
