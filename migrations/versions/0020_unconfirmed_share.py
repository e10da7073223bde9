"""Limits the share of a performance that unconfirmed bookings may hold.

`reservation.holds_seats`: whether a pending reservation holds its seats; one that does not gets them when it is
confirmed, if enough are left. `unconfirmed_limit`: how many seats of the performance may be held unconfirmed, as
of the booking. The trigger that counts seats refuses a reservation above the limit, under the performance's lock,
as `reservation_unconfirmed_share`. Reservations without a limit (walk-ins, the previous release) always hold.

The network's limit (0015) includes reservations without a hold: each of them sends a mail.
"""

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

LIMITED = """
    IF TG_OP <> 'DELETE' THEN
        IF NEW.state = 'pending' AND (TG_OP = 'INSERT' OR after > before) THEN
            IF after = before THEN
                -- Counting has locked the performance for all others.
                PERFORM FROM public.performance WHERE id = NEW.performance_id FOR NO KEY UPDATE;
            END IF;
            IF NEW.network IS NOT NULL AND (
                SELECT sum(seats - released) FROM public.reservation
                WHERE performance_id = NEW.performance_id AND network = NEW.network
                    AND state = 'pending' AND hold_expires_at > NEW.created_at
            ) > NEW.network_limit THEN
                RAISE EXCEPTION 'a network holds too many unconfirmed seats'
                    USING ERRCODE = 'integrity_constraint_violation',
                        CONSTRAINT = 'reservation_network_seats';
            END IF;
            -- The sum is only asked for when the seats held, all in all, are more than may be unconfirmed.
            IF NEW.holds_seats AND (
                SELECT seats_held FROM public.performance WHERE id = NEW.performance_id
            ) > NEW.unconfirmed_limit AND (
                SELECT sum(seats - released) FROM public.reservation
                WHERE performance_id = NEW.performance_id
                    AND state = 'pending' AND holds_seats AND hold_expires_at > NEW.created_at
            ) > NEW.unconfirmed_limit THEN
                RAISE EXCEPTION 'too many seats of the performance are unconfirmed'
                    USING ERRCODE = 'integrity_constraint_violation',
                        CONSTRAINT = 'reservation_unconfirmed_share';
            END IF;
        END IF;
    END IF;
    RETURN NULL;
"""
CHANGED = """
CREATE OR REPLACE FUNCTION public.reservation_changed() RETURNS trigger
LANGUAGE plpgsql {own_path} AS $$
BEGIN
    IF NEW.state <> 'pending' THEN
        NEW.network := NULL;
        NEW.network_limit := NULL;
        NEW.unconfirmed_limit := NULL;
    END IF;
    IF NEW.state = 'confirmed' THEN
        NEW.holds_seats := true;
    END IF;
    NEW.changed_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
"""
LAPSED = """
CREATE OR REPLACE VIEW public.lapsed_hold AS
    SELECT performance_id, sum(seats)::integer AS seats FROM public.reservation
    WHERE state = 'pending' {holding} AND hold_expires_at <= now()
    GROUP BY performance_id;
"""
TRIGGER = """
DROP TRIGGER reservation_holds_seats ON public.reservation;
CREATE TRIGGER reservation_holds_seats
    AFTER INSERT OR DELETE OR UPDATE OF {columns} ON public.reservation
    FOR EACH ROW EXECUTE FUNCTION public.reservation_holds_seats();
"""
COUNTED = "seats, released, state, performance_id"


def upgrade() -> None:
    op.add_column(
        "reservation",
        sa.Column("holds_seats", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.add_column("reservation", sa.Column("unconfirmed_limit", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_reservation_confirmed_holds"),
        "reservation",
        "holds_seats OR state <> 'confirmed'",
    )
    paths = _migration("0012")
    holding = {
        f"{row.lower()}_counts": f"({row}.state = 'confirmed' OR {row}.state = 'pending' AND {row}.holds_seats)"
        for row in ("OLD", "NEW")
    }
    counts = paths.COUNTS.replace("    RETURN NULL;\n", LIMITED.lstrip("\n"))
    op.execute(counts.format(own_path=paths.OWN_PATH, **(paths.RESERVATION | holding)))
    op.execute(CHANGED.format(own_path=paths.OWN_PATH))
    op.execute(TRIGGER.format(columns=f"{COUNTED}, holds_seats"))
    op.execute(LAPSED.format(holding="AND holds_seats"))


def downgrade() -> None:
    """Ends reservations without a hold: before this migration every pending one had a hold."""
    op.execute(
        "UPDATE public.reservation SET state = 'expired', ended_at = now()"
        " WHERE state = 'pending' AND NOT holds_seats"
    )
    op.execute(LAPSED.format(holding=""))
    op.execute(TRIGGER.format(columns=COUNTED))
    network = _migration("0015")
    paths = _migration("0012")
    counts = paths.COUNTS.replace("    RETURN NULL;\n", network.LIMITED.lstrip("\n"))
    op.execute(counts.format(own_path=paths.OWN_PATH, **paths.RESERVATION))
    op.execute(network.CHANGED.format(own_path=paths.OWN_PATH))
    op.drop_constraint(op.f("ck_reservation_confirmed_holds"), "reservation", type_="check")
    op.drop_column("reservation", "unconfirmed_limit")
    op.drop_column("reservation", "holds_seats")


def _migration(number: str) -> Any:
    return context.script.get_revision(number).module
