"""Adds the mail kind "question": whoever never answered a reminder is asked to confirm again.

It is a mail of a curtain as a reminder is; its `hours_before` is until when one can answer.
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

OF_CURTAIN = (
    "(kind IN ({kinds})) = (curtain IS NOT NULL) AND (curtain IS NULL) = (hours_before IS NULL)"
)


def upgrade() -> None:
    _kinds("'waitlist', 'offer', 'reminder', 'question'", "'reminder', 'question'")


def downgrade() -> None:
    """Removes the questions."""
    op.execute(sa.text("DELETE FROM public.mail WHERE kind = 'question'"))
    _kinds("'waitlist', 'offer', 'reminder'", "'reminder'")


def _kinds(added: str, of_curtain: str) -> None:
    before = context.script.get_revision("0053").module.KINDS
    for name, condition in (
        ("kind", f"kind IN ({before}, {added})"),
        ("reminder", OF_CURTAIN.format(kinds=of_curtain)),
    ):
        op.drop_constraint(op.f(f"ck_mail_{name}"), "mail", type_="check")
        op.create_check_constraint(op.f(f"ck_mail_{name}"), "mail", condition)
