"""Lets staff move a party to another performance, and take back what they changed.

- The trigger that counts seats lets a reservation change its performance: the seats come free at the one and are taken
  at the other. While somebody of the party is in it stays (`reservation_stays_while_in`).
- `reservation_move`: the performances that a reservation left, so that their doors can say where the party belongs,
  and its older tickets are known at the new one.
- `undo_offer`: what a change by staff can be set back to, for some minutes. It is deleted with the visitor's name,
  whoever erases that.
- `mail.changed`: what a mail has to say of a change by staff: seats, performance and the like, nothing personal. The
  previous release sends such mails with its own text for a changed booking.
"""

from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

STAYS = """        RAISE EXCEPTION 'a reservation stays with its performance'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF after <> before THEN
"""
MOVES = """        IF OLD.admitted <> 0 OR NEW.admitted <> 0 THEN
            RAISE EXCEPTION 'a party stays with its performance while somebody is in'
                USING ERRCODE = 'integrity_constraint_violation',
                    CONSTRAINT = 'reservation_stays_while_in';
        END IF;
        -- In the order in which the application locks them.
        PERFORM FROM public.performance WHERE id IN (OLD.performance_id, NEW.performance_id)
            ORDER BY id FOR NO KEY UPDATE;
        UPDATE public.performance
        SET seats_held = seats_held + CASE id WHEN NEW.performance_id THEN after ELSE -before END
        WHERE id IN (OLD.performance_id, NEW.performance_id);
        before := 0;
    ELSIF after <> before THEN
"""
FORGOTTEN = """
CREATE FUNCTION public.undo_offers_erased() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.undo_offer WHERE NEW.id IN (reservation_id, other_id);
    RETURN NULL;
END $$;
CREATE TRIGGER undo_offers_erased
    AFTER UPDATE OF erased_at ON reservation
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL)
    EXECUTE FUNCTION undo_offers_erased();
"""


def upgrade() -> None:
    counts = _counting()
    if STAYS not in counts:
        raise RuntimeError("migration 0020 has another text than this one replaces")
    op.execute(counts.replace(STAYS, MOVES))
    op.create_table(
        "reservation_move",
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("performance_id", sa.Integer(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservation.id"],
            name=op.f("fk_reservation_move_reservation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["performance_id"],
            ["performance.id"],
            name=op.f("fk_reservation_move_performance_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "reservation_id", "performance_id", name=op.f("pk_reservation_move")
        ),
    )
    op.create_index("ix_reservation_move_performance_id", "reservation_move", ["performance_id"])
    op.create_table(
        "undo_offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_in",
            sa.BigInteger(),
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservation.id"],
            name=op.f("fk_undo_offer_reservation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["other_id"],
            ["reservation.id"],
            name=op.f("fk_undo_offer_other_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undo_offer")),
    )
    op.create_index("ix_undo_offer_reservation_id", "undo_offer", ["reservation_id"])
    op.create_index("ix_undo_offer_other_id", "undo_offer", ["other_id"])
    op.execute(FORGOTTEN)
    op.add_column("mail", sa.Column("changed", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("mail", "changed")
    op.execute("DROP TRIGGER undo_offers_erased ON reservation")
    op.execute("DROP FUNCTION undo_offers_erased()")
    op.drop_table("undo_offer")
    op.drop_table("reservation_move")
    op.execute(_counting())


def _counting() -> str:
    """The function that counts seats, as migration 0020 wrote it."""
    share, paths = _migration("0020"), _migration("0012")
    holding = {
        f"{row.lower()}_counts": f"({row}.state = 'confirmed' OR {row}.state = 'pending' AND {row}.holds_seats)"
        for row in ("OLD", "NEW")
    }
    counts: str = paths.COUNTS.replace("    RETURN NULL;\n", share.LIMITED.lstrip("\n"))
    return counts.format(own_path=paths.OWN_PATH, **(paths.RESERVATION | holding))


def _migration(number: str) -> Any:
    return context.script.get_revision(number).module
