"""Adds the mail kind "moved": the performance was moved."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BEFORE = "'confirm', 'existing', 'ticket', 'changed', 'cancelled', 'performance_cancelled'"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_mail_kind"), "mail", type_="check")
    op.create_check_constraint(op.f("ck_mail_kind"), "mail", f"kind IN ({BEFORE}, 'moved')")


def downgrade() -> None:
    # The previous release has no text for them.
    op.execute("DELETE FROM mail WHERE kind = 'moved'")
    op.drop_constraint(op.f("ck_mail_kind"), "mail", type_="check")
    op.create_check_constraint(op.f("ck_mail_kind"), "mail", f"kind IN ({BEFORE})")
