"""Adds reminders: the mail kind, `show.reminders`, and `coming_answer`.

- A reminder's mail names the `curtain` that it is about and how many `hours_before` it: a key of both and the party, so
  that nobody gets one twice.
- `show.reminders` are hours before the curtain, "none", or "" for those of the settings.
- `coming_answer`: a party has said that it is coming to a curtain.

To the previous release a mail of the new kind is one that it cannot make, as those of migration 0053.
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mail", sa.Column("curtain", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mail", sa.Column("hours_before", sa.Integer(), nullable=True))
    _kinds("'waitlist', 'offer', 'reminder'")
    op.create_check_constraint(
        op.f("ck_mail_reminder"),
        "mail",
        "(kind = 'reminder') = (curtain IS NOT NULL)"
        " AND (curtain IS NULL) = (hours_before IS NULL)",
    )
    op.create_index(
        "uq_mail_reminder",
        "mail",
        ["reservation_id", "kind", "curtain", "hours_before"],
        unique=True,
        postgresql_where=sa.text("curtain IS NOT NULL"),
    )
    op.create_table(
        "coming_answer",
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("curtain", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservation.id"],
            name=op.f("fk_coming_answer_reservation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("reservation_id", "curtain", name=op.f("pk_coming_answer")),
    )
    op.add_column("show", sa.Column("reminders", sa.String(), nullable=False, server_default=""))
    _triggers((*_show_facts(), "reminders"))


def downgrade() -> None:
    """Removes the reminders and the answers to them."""
    _triggers(_show_facts())
    op.drop_column("show", "reminders")
    op.drop_table("coming_answer")
    op.execute("DELETE FROM public.mail WHERE kind = 'reminder'")
    op.drop_index("uq_mail_reminder", "mail")
    op.drop_constraint(op.f("ck_mail_reminder"), "mail", type_="check")
    _kinds("'waitlist', 'offer'")
    op.drop_column("mail", "hours_before")
    op.drop_column("mail", "curtain")


def _kinds(added: str) -> None:
    before = context.script.get_revision("0053").module.KINDS
    op.drop_constraint(op.f("ck_mail_kind"), "mail", type_="check")
    op.create_check_constraint(op.f("ck_mail_kind"), "mail", f"kind IN ({before}, {added})")


def _show_facts() -> tuple[str, ...]:
    """What edits of a show are counted and recorded of, as migration 0052 has it."""
    facts = context.script.get_revision("0052").module
    return (*facts.BEFORE["show"], *facts.ADDED["show"])


def _triggers(fields: tuple[str, ...]) -> None:
    context.script.get_revision("0052").module._replace_triggers("show", fields)
