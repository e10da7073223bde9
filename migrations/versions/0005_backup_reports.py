"""Creates `backup_report`: the backup container reports its runs there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backup_report",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("well", sa.Boolean(), nullable=False),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("remark", sa.String(), nullable=False, server_default=""),
        sa.CheckConstraint(
            "task IN ('backup', 'verify', 'ship')", name=op.f("ck_backup_report_task")
        ),
    )
    op.create_index("ix_backup_report_task_ended_at", "backup_report", ["task", "ended_at"])


def downgrade() -> None:
    op.drop_table("backup_report")
