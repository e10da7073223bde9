"""Adds messages to audiences, and what is kept of mails.

The tables `audience_message` and `mail_text`, the mail kind "message" and `mail.message_id`. `mail_text` has what a mail
said when it was sent, without the visitor's name and private links. The trigger `reservation_mail_texts_erased` deletes
it with the visitor's name, whoever erases it.

To the previous release a mail of the new kind is one that it cannot make: its worker puts it off again and again, and
this release sends it after the rollback's end. Its list of mails cannot show such mails (docs/release.md).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

BEFORE = "'confirm', 'existing', 'ticket', 'changed', 'cancelled', 'performance_cancelled', 'moved'"

ERASED = """
CREATE FUNCTION public.reservation_mail_texts_erased() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.mail_text USING public.mail
    WHERE mail.id = mail_text.mail_id AND mail.reservation_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER reservation_mail_texts_erased
    AFTER UPDATE OF erased_at ON reservation
    FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL)
    EXECUTE FUNCTION reservation_mail_texts_erased();
"""


def upgrade() -> None:
    op.create_table(
        "mail_text",
        sa.Column("mail_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mail.id"], name=op.f("fk_mail_text_mail_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_mail_text")),
    )
    op.execute(ERASED)
    op.create_table(
        "audience_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("texts", postgresql.JSONB(), nullable=False),
        sa.Column("whom", sa.String(), nullable=False),
        sa.Column("performance_ids", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("recipients", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'sending', 'paused', 'stopped')",
            name=op.f("ck_audience_message_state"),
        ),
        sa.CheckConstraint(
            "whom IN ('booked', 'confirmed', 'unconfirmed', 'came', 'absent')",
            name=op.f("ck_audience_message_whom"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["user_account.id"],
            name=op.f("fk_audience_message_created_by"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audience_message")),
    )
    op.create_index("ix_audience_message_created_at", "audience_message", ["created_at"])
    op.add_column("mail", sa.Column("message_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_mail_message_id"),
        "mail",
        "audience_message",
        ["message_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "uq_mail_message_reservation",
        "mail",
        ["message_id", "reservation_id"],
        unique=True,
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.drop_constraint(op.f("ck_mail_kind"), "mail", type_="check")
    op.create_check_constraint(op.f("ck_mail_kind"), "mail", f"kind IN ({BEFORE}, 'message')")
    op.create_check_constraint(
        op.f("ck_mail_message"), "mail", "(kind = 'message') = (message_id IS NOT NULL)"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER reservation_mail_texts_erased ON reservation")
    op.execute("DROP FUNCTION reservation_mail_texts_erased()")
    op.drop_table("mail_text")
    # The previous release has no text for them.
    op.execute("DELETE FROM mail WHERE kind = 'message'")
    op.drop_constraint(op.f("ck_mail_message"), "mail", type_="check")
    op.drop_constraint(op.f("ck_mail_kind"), "mail", type_="check")
    op.create_check_constraint(op.f("ck_mail_kind"), "mail", f"kind IN ({BEFORE})")
    op.drop_index("uq_mail_message_reservation", "mail")
    op.drop_constraint(op.f("fk_mail_message_id"), "mail", type_="foreignkey")
    op.drop_column("mail", "message_id")
    op.drop_table("audience_message")
