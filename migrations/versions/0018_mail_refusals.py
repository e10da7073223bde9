"""Records on a mail who caused a refusal, the time of the last attempt, and when staff resent it.

The previous release does not write the new columns, so its attempts do not count as refused in a row.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mail", sa.Column("tried_at", sa.DateTime(timezone=True)))
    op.add_column("mail", sa.Column("refusal", sa.String(), server_default="", nullable=False))
    op.add_column("mail", sa.Column("resent_at", sa.DateTime(timezone=True)))
    op.create_check_constraint(
        op.f("ck_mail_refusal"), "mail", "refusal IN ('', 'recipient', 'provider', 'unclear')"
    )
    op.create_index("ix_mail_sent_at", "mail", ["sent_at"])
    op.create_index(
        "ix_mail_refused", "mail", ["tried_at"], postgresql_where=sa.text("refusal <> ''")
    )


def downgrade() -> None:
    op.drop_index("ix_mail_refused", "mail")
    op.drop_index("ix_mail_sent_at", "mail")
    op.drop_constraint(op.f("ck_mail_refusal"), "mail", type_="check")
    op.drop_column("mail", "resent_at")
    op.drop_column("mail", "refusal")
    op.drop_column("mail", "tried_at")
