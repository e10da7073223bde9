"""Adds the mail state "not_sent", for mails that were made without any mail server.

It occurs in development only: production does not start without MAIL_SERVER.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_mail_delivery"), "mail", type_="check")
    op.create_check_constraint(
        op.f("ck_mail_delivery"),
        "mail",
        "delivery IN ('queued', 'sent', 'not_sent', 'failed')",
    )
    op.execute(
        "UPDATE mail SET delivery = 'not_sent', last_error = '', sent_at = NULL"
        " WHERE delivery = 'sent' AND last_error = 'not delivered: no MAIL_SERVER (development)'"
    )


def downgrade() -> None:
    op.execute(
        "UPDATE mail SET delivery = 'sent', sent_at = created_at,"
        " last_error = 'not delivered: no MAIL_SERVER (development)'"
        " WHERE delivery = 'not_sent'"
    )
    op.drop_constraint(op.f("ck_mail_delivery"), "mail", type_="check")
    op.create_check_constraint(
        op.f("ck_mail_delivery"), "mail", "delivery IN ('queued', 'sent', 'failed')"
    )
