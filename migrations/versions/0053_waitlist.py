"""Adds the waitlist: reservations in the state `waiting`, which hold no seats and are not live.

`waiting_since`: when the party took its place in line, by confirming its mailbox; NULL of those that never waited.
`offered_at`: when it was, or will be, told that it may have seats.

A trigger locks the performance before a reservation's row is inserted. So everybody locks the performance before a key
of the reservation (one live booking of an address), as an offer does, and nobody waits for each other.

The previous release does not know the state: it neither lists nor changes such rows, and offers nobody a seat.
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

STATES = "'pending', 'confirmed', 'cancelled', 'expired'"
KINDS = "'confirm', 'existing', 'ticket', 'changed', 'cancelled', 'performance_cancelled', 'moved', 'message'"
LOCKED_FIRST = """
CREATE FUNCTION public.reservation_locks_performance() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER {own_path} AS $$
BEGIN
    IF TG_RELID <> 'public.reservation'::regclass THEN
        RAISE EXCEPTION 'reservation_locks_performance is a trigger of public.reservation alone'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'reservation_locks_performance';
    END IF;
    PERFORM FROM public.performance WHERE id = NEW.performance_id FOR NO KEY UPDATE;
    RETURN NEW;
END $$;
CREATE TRIGGER reservation_locks_performance
    BEFORE INSERT ON public.reservation
    FOR EACH ROW EXECUTE FUNCTION public.reservation_locks_performance();
"""


def upgrade() -> None:
    for name in ("waiting_since", "offered_at"):
        op.add_column("reservation", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    _check("reservation", "state", f"state IN ({STATES}, 'waiting')")
    _check("mail", "kind", f"kind IN ({KINDS}, 'waitlist', 'offer')")
    op.create_check_constraint(
        op.f("ck_reservation_waiting_holds_none"),
        "reservation",
        "state <> 'waiting' OR NOT holds_seats",
    )
    op.create_index(
        "uq_reservation_waiting_email",
        "reservation",
        ["performance_id", "email_key"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_reservation_waiting",
        "reservation",
        ["performance_id", "waiting_since", "id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.execute(LOCKED_FIRST.format(own_path=context.script.get_revision("0012").module.OWN_PATH))


def downgrade() -> None:
    """Ends the waitlists, and removes the mails about them."""
    op.execute("DROP TRIGGER reservation_locks_performance ON public.reservation")
    op.execute("DROP FUNCTION public.reservation_locks_performance()")
    op.execute("DELETE FROM public.mail WHERE kind IN ('waitlist', 'offer')")
    op.execute(
        "UPDATE public.reservation SET state = 'expired', ended_at = now() WHERE state = 'waiting'"
    )
    op.drop_index("ix_reservation_waiting", "reservation")
    op.drop_index("uq_reservation_waiting_email", "reservation")
    op.drop_constraint(op.f("ck_reservation_waiting_holds_none"), "reservation", type_="check")
    _check("mail", "kind", f"kind IN ({KINDS})")
    _check("reservation", "state", f"state IN ({STATES})")
    for name in ("offered_at", "waiting_since"):
        op.drop_column("reservation", name)


def _check(table: str, name: str, condition: str) -> None:
    """Replace the check constraint of a column."""
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
