"""Records holidays and webhooks in the log of changes (0036).

A webhook's address may hold a secret: it is recorded as changed, without its value.
"""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

# Each a table, its events and the arguments, which migration 0036 explains.
TRIGGERS = (
    ("holiday", "INSERT OR UPDATE OR DELETE", ("holiday.id", "*", "-id", "-version")),
    ("webhook", "INSERT OR UPDATE OR DELETE", ("webhook.id", "!url", "events", "active")),
)


def upgrade() -> None:
    for table, events, arguments in TRIGGERS:
        quoted = ", ".join(f"'{argument}'" for argument in arguments)
        op.execute(
            f"CREATE TRIGGER audit_recorded AFTER {events} ON public.{table}"
            f" FOR EACH ROW EXECUTE FUNCTION public.audit_recorded({quoted})"
        )


def downgrade() -> None:
    for table, *_ in TRIGGERS:
        op.execute(f"DROP TRIGGER audit_recorded ON public.{table}")
