"""Finds bookings without a mailbox by name and address, scans by door, sales by their beginning, what friends accepted.

What one party has booked includes bookings without a mailbox of their own: by the box office, and parts of a party that
was split. The indexes are built beside the running site (CREATE INDEX CONCURRENTLY), as in 0040: after a failure what
is there already is made anew.
"""

from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_reservation_name_alone": "reservation (name) WHERE email_key IS NULL",
    "ix_reservation_email_alone": "reservation (email) WHERE email_key IS NULL",
    "ix_scan_door": "scan (door)",
    "ix_performance_booking_opens_at": "performance (booking_opens_at)",
    "ix_hand_over_accepted_as": "hand_over (accepted_as) WHERE accepted_as IS NOT NULL",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # It waits for transactions that began before, such as a backup's, and nobody waits for it meanwhile.
        (limit,) = op.get_bind().exec_driver_sql("SHOW lock_timeout").one()
        op.execute("SET lock_timeout = 0")
        for name, on in _INDEXES.items():
            # What a build that failed left, which would never be used.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")
        op.execute(f"SET lock_timeout = '{limit}'")


def downgrade() -> None:
    for name in reversed(_INDEXES):
        op.execute(f"DROP INDEX {name}")
