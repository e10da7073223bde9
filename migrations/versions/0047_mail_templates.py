"""Adds `mail_template_version`: the texts of mails that staff wrote, each version a row.

A version without texts goes back to the shipped text. The log of changes records each version under the name of its
text; the texts themselves are in the rows, which are never changed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_template_version",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("heading", sa.String(), nullable=True),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(subject IS NULL) = (body IS NULL) AND (heading IS NULL) = (body IS NULL)",
            name=op.f("ck_mail_template_version_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["written_by"],
            ["user_account.id"],
            name=op.f("fk_mail_template_version_written_by"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_template_version")),
        sa.UniqueConstraint(
            "template", "language", "version", name=op.f("uq_mail_template_version_template")
        ),
    )
    op.execute(
        "CREATE TRIGGER audit_recorded AFTER INSERT ON public.mail_template_version FOR EACH ROW"
        " EXECUTE FUNCTION public.audit_recorded("
        "'mail_template.template', 'language', 'version', 'subject')"
    )


def downgrade() -> None:
    op.drop_table("mail_template_version")
