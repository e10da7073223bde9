"""Adds `queue_line` and `queue_place`: the queue before the booking form, and the places in it.

A place knows its mailbox by a keyed digest. The previous release does not know the tables, and lets everybody book.
"""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "queue_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("show_id", sa.Integer(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("opens_at", moment, nullable=False),
        sa.Column("drawn_at", moment, nullable=True),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("inside_limit", sa.Integer(), nullable=False),
        sa.Column("stay_minutes", sa.Integer(), nullable=False),
        sa.Column("slowed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("joined", sa.Integer(), server_default="0", nullable=False),
        sa.Column("let_in", sa.Integer(), server_default="0", nullable=False),
        sa.Column("moved_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.CheckConstraint(
            "per_minute BETWEEN 1 AND 10000", name=op.f("ck_queue_line_per_minute_range")
        ),
        sa.CheckConstraint(
            "inside_limit BETWEEN 1 AND 100000", name=op.f("ck_queue_line_inside_limit_range")
        ),
        sa.CheckConstraint(
            "stay_minutes BETWEEN 1 AND 120", name=op.f("ck_queue_line_stay_minutes_range")
        ),
        sa.CheckConstraint("let_in BETWEEN 0 AND joined", name=op.f("ck_queue_line_let_in_range")),
        sa.CheckConstraint("origin IN ('staff', 'load')", name=op.f("ck_queue_line_origin")),
        sa.ForeignKeyConstraint(
            ["show_id"], ["show.id"], name=op.f("fk_queue_line_show_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_line")),
    )
    op.create_index(
        "uq_queue_line_live",
        "queue_line",
        [sa.text("coalesce(show_id, 0)")],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "queue_place",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("mailbox", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("joined_at", moment, nullable=False),
        sa.Column("let_in_at", moment, nullable=True),
        sa.Column("booked_at", moment, nullable=True),
        sa.Column("left_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["queue_line.id"],
            name=op.f("fk_queue_place_line_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_place")),
        sa.UniqueConstraint("line_id", "mailbox", name=op.f("uq_queue_place_mailbox")),
        sa.UniqueConstraint("line_id", "number", name=op.f("uq_queue_place_number")),
    )
    op.create_index(
        "ix_queue_place_inside",
        "queue_place",
        ["line_id", "let_in_at"],
        postgresql_where=sa.text("let_in_at IS NOT NULL AND booked_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("queue_place")
    op.drop_table("queue_line")
