"""Adds the mail kinds "my_bookings" and "hand_over": the link to all bookings of an address, and the one to a friend.

`hand_over_id` names the offer that a friend is told of, where the friend's address is until it ends.
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

BEFORE = "'waitlist', 'offer', 'reminder', 'question'"


def upgrade() -> None:
    op.add_column("mail", sa.Column("hand_over_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_mail_hand_over_id"),
        "mail",
        "hand_over",
        ["hand_over_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_mail_hand_over_id",
        "mail",
        ["hand_over_id"],
        postgresql_where=sa.text("hand_over_id IS NOT NULL"),
    )
    _kinds(f"{BEFORE}, 'my_bookings', 'hand_over'")
    op.create_check_constraint(
        op.f("ck_mail_hand_over"),
        "mail",
        "(kind = 'hand_over') = (hand_over_id IS NOT NULL)",
    )


def downgrade() -> None:
    """Removes these mails."""
    op.drop_constraint(op.f("ck_mail_hand_over"), "mail", type_="check")
    op.execute(sa.text("DELETE FROM public.mail WHERE kind IN ('my_bookings', 'hand_over')"))
    _kinds(BEFORE)
    op.drop_column("mail", "hand_over_id")


def _kinds(added: str) -> None:
    before = context.script.get_revision("0053").module.KINDS
    op.drop_constraint(op.f("ck_mail_kind"), "mail", type_="check")
    op.create_check_constraint(op.f("ck_mail_kind"), "mail", f"kind IN ({before}, {added})")
