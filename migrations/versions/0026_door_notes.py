"""Adds `reservation.note`: what the door must know about a party, written by staff.

A note may concern somebody's health, so it is erased with the name: the trigger `reservation_note_erased` clears it
whoever erases the name, and keeps walk-ins without notes. This also covers the previous release, which has no notes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ERASED = """
CREATE FUNCTION public.reservation_note_erased() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.note := '';
    RETURN NEW;
END $$;
CREATE TRIGGER reservation_note_erased
    BEFORE INSERT OR UPDATE ON reservation
    FOR EACH ROW WHEN (NEW.note <> '' AND (NEW.erased_at IS NOT NULL OR NEW.walk_in))
    EXECUTE FUNCTION reservation_note_erased();
"""


def upgrade() -> None:
    op.add_column("reservation", sa.Column("note", sa.String(), server_default="", nullable=False))
    op.create_check_constraint(
        op.f("ck_reservation_note_length"), "reservation", "char_length(note) <= 200"
    )
    op.execute(ERASED)


def downgrade() -> None:
    op.execute("DROP TRIGGER reservation_note_erased ON reservation")
    op.execute("DROP FUNCTION reservation_note_erased()")
    op.drop_constraint(op.f("ck_reservation_note_length"), "reservation", type_="check")
    op.drop_column("reservation", "note")
