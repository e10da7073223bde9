"""Counts unconfirmed seats by the network that booked them, and limits them.

`reservation.network` is an HMAC of performance and network, so that nobody can be followed from one performance to
another; `network_limit` is the number of unconfirmed seats that the network may hold, as of the booking. The
trigger `reservation_changed` erases both when the reservation is confirmed or ends. The trigger that counts seats
refuses more, under the performance's lock, as `reservation_network_seats`.

The previous release writes neither column, so its bookings are not limited.
"""

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

LIMITED = """
    IF after > before AND TG_OP <> 'DELETE' THEN
        IF NEW.state = 'pending' AND NEW.network IS NOT NULL AND (
            SELECT sum(seats - released) FROM public.reservation
            WHERE performance_id = NEW.performance_id AND network = NEW.network
                AND state = 'pending' AND hold_expires_at > NEW.created_at
        ) > NEW.network_limit THEN
            RAISE EXCEPTION 'a network holds too many unconfirmed seats'
                USING ERRCODE = 'integrity_constraint_violation',
                    CONSTRAINT = 'reservation_network_seats';
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
    END IF;
    NEW.changed_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
"""


def upgrade() -> None:
    op.add_column("reservation", sa.Column("network", sa.LargeBinary(), nullable=True))
    op.add_column("reservation", sa.Column("network_limit", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_reservation_network_limited"),
        "reservation",
        "(network IS NULL) = (network_limit IS NULL)",
    )
    op.create_index(
        "ix_reservation_network",
        "reservation",
        ["performance_id", "network"],
        postgresql_where=sa.text("state = 'pending' AND network IS NOT NULL"),
    )
    paths = _paths()
    counts = paths.COUNTS.replace("    RETURN NULL;\n", LIMITED.lstrip("\n"))
    op.execute(counts.format(own_path=paths.OWN_PATH, **paths.RESERVATION))
    op.execute(CHANGED.format(own_path=paths.OWN_PATH))


def downgrade() -> None:
    paths = _paths()
    op.execute(paths.COUNTS.format(own_path=paths.OWN_PATH, **paths.RESERVATION))
    op.execute(paths.CHANGED.format(own_path=paths.OWN_PATH))
    op.drop_index("ix_reservation_network", table_name="reservation")
    op.drop_constraint(op.f("ck_reservation_network_limited"), "reservation", type_="check")
    op.drop_column("reservation", "network_limit")
    op.drop_column("reservation", "network")


def _paths() -> Any:
    """Migration 0012, which created the earlier version of these functions."""
    return context.script.get_revision("0012").module
