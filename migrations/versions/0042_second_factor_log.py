"""Records in the log of changes that a second step of an account's login was set up or removed.

The entries name neither secret nor key. Recovery codes, which come with it, are not recorded.
"""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

TABLES = ("authenticator", "passkey")


def upgrade() -> None:
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER audit_recorded AFTER INSERT OR DELETE ON public.{table} FOR EACH ROW"
            " EXECUTE FUNCTION public.audit_recorded('user_account.user_id', 'made_at')"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER audit_recorded ON public.{table}")
