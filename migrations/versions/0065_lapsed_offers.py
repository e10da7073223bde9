"""Adds the mail kinds "lapsed", about an offer that nobody answered, and "near", to those on the waitlist on the day.

A party whose offer lapsed is `waiting` again, and keeps `offered_at`. "near" is a mail of a curtain as a reminder is.
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

KINDS = "'waitlist', 'offer', 'reminder', 'question', 'my_bookings', 'hand_over'"


def upgrade() -> None:
    _kinds(f"{KINDS}, 'lapsed', 'near'", "'reminder', 'question', 'near'")


def downgrade() -> None:
    """Removes these mails, and ends the places of lapsed offers."""
    op.execute(sa.text("DELETE FROM public.mail WHERE kind IN ('lapsed', 'near')"))
    op.execute(
        sa.text(
            "UPDATE public.reservation SET state = 'expired', ended_at = now()"
            " WHERE state = 'waiting' AND offered_at IS NOT NULL"
        )
    )
    _kinds(KINDS, "'reminder', 'question'")


def _kinds(added: str, of_curtain: str) -> None:
    before = context.script.get_revision("0053").module.KINDS
    reminder = context.script.get_revision("0060").module.OF_CURTAIN
    for name, condition in (
        ("kind", f"kind IN ({before}, {added})"),
        ("reminder", reminder.format(kinds=of_curtain)),
    ):
        op.drop_constraint(op.f(f"ck_mail_{name}"), "mail", type_="check")
        op.create_check_constraint(op.f(f"ck_mail_{name}"), "mail", condition)
