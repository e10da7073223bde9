"""Adds `hand_over`: a booking that a visitor offers to a friend, until the friend answers.

The friend's name and address are there while the offer is open (`ck_hand_over_friend_while_open`). When the booking's own
name is erased, by whomever, the trigger `hand_over_erased` ends it; so the previous release erases it too, which does
not know the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

ERASED = """
CREATE FUNCTION public.hand_over_erased() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.hand_over SET name = '', email = '', ended_at = now()
        WHERE reservation_id = NEW.id AND ended_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER hand_over_erased
    AFTER UPDATE ON public.reservation
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL AND OLD.erased_at IS NULL)
    EXECUTE FUNCTION public.hand_over_erased();
"""


def upgrade() -> None:
    op.create_table(
        "hand_over",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_as", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (name <> '' AND email <> '')",
            name=op.f("ck_hand_over_friend_while_open"),
        ),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservation.id"],
            name=op.f("fk_hand_over_reservation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["accepted_as"],
            ["reservation.id"],
            name=op.f("fk_hand_over_accepted_as"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
    )
    op.create_index("ix_hand_over_reservation_id", "hand_over", ["reservation_id"])
    op.create_index(
        "uq_hand_over_open",
        "hand_over",
        ["reservation_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.execute(ERASED)


def downgrade() -> None:
    op.execute("DROP TRIGGER hand_over_erased ON public.reservation")
    op.execute("DROP FUNCTION public.hand_over_erased()")
    op.drop_table("hand_over")
