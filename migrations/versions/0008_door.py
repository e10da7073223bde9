"""The door works offline: devices, changes since a sync, claims, walk-ins, released seats.

- A token may belong to a device: for one performance, with the time it was last seen.
- `reservation.changed_in` is the transaction that last changed the row; a trigger sets it. A device asks for the
  changes since the oldest transaction that may have been running at its last sync (docs/door.md).
- `scan.claimed`: people whom a device admitted offline; null when it asked the server. More than `people`, the
  number that could be counted, is a conflict.
- The trigger `scan_by_valid_device` refuses all scans of a revoked device, but for the record of the attempt.
- A walk-in is a reservation without a visitor. `reservation.released`: seats of a party that are no longer held,
  because it did not come in time.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

HELD = """
CREATE OR REPLACE FUNCTION reservation_holds_seats() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    released integer := 0;
    taken integer := 0;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state IN ('pending', 'confirmed') THEN
        released := {old};
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state IN ('pending', 'confirmed') THEN
        taken := {new};
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.performance_id <> NEW.performance_id THEN
        RAISE EXCEPTION 'a reservation stays with its performance'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF taken <> released THEN
        UPDATE performance SET seats_held = seats_held + taken - released
        WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.performance_id ELSE NEW.performance_id END;
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER reservation_holds_seats ON reservation;
CREATE TRIGGER reservation_holds_seats
    AFTER INSERT OR DELETE OR UPDATE OF {columns} ON reservation
    FOR EACH ROW EXECUTE FUNCTION reservation_holds_seats();
"""
WITH_RELEASED = {
    "old": "OLD.seats - OLD.released",
    "new": "NEW.seats - NEW.released",
    "columns": "seats, released, state, performance_id",
}
BEFORE = {"old": "OLD.seats", "new": "NEW.seats", "columns": "seats, state, performance_id"}

CHANGED = """
CREATE FUNCTION reservation_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER reservation_changed
    BEFORE INSERT OR UPDATE ON reservation
    FOR EACH ROW EXECUTE FUNCTION reservation_changed();
"""

VALID_DEVICE = """
CREATE FUNCTION scan_by_valid_device() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM api_token WHERE id = NEW.token_id AND revoked_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a revoked device lets nobody in'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'scan_by_valid_device';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER scan_by_valid_device
    BEFORE INSERT ON scan FOR EACH ROW WHEN (NEW.token_id IS NOT NULL AND NEW.verdict <> 'revoked')
    EXECUTE FUNCTION scan_by_valid_device();
"""

VISITOR = "erased_at IS NOT NULL OR (name <> '' AND email <> '' AND email_key <> '')"


def upgrade() -> None:
    op.add_column("api_token", sa.Column("performance_id", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("fk_api_token_performance_id"),
        "api_token",
        "performance",
        ["performance_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(op.f("ix_api_token_performance_id"), "api_token", ["performance_id"])
    op.add_column("api_token", sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "performance", sa.Column("released_at", sa.DateTime(timezone=True), nullable=True)
    )

    op.add_column(
        "reservation",
        sa.Column("walk_in", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        "reservation", sa.Column("released", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column(
        "reservation", sa.Column("changed_in", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.create_index("ix_reservation_performance_id", "reservation", ["performance_id"])
    op.create_check_constraint(
        op.f("ck_reservation_released_range"),
        "reservation",
        "released BETWEEN 0 AND seats",
    )
    _replace_check("ck_reservation_admitted_range", "admitted BETWEEN 0 AND seats - released")
    _replace_check("ck_reservation_visitor_present", f"walk_in OR {VISITOR}")
    op.execute(HELD.format(**WITH_RELEASED))
    op.execute(CHANGED)

    op.execute(VALID_DEVICE)
    op.add_column("scan", sa.Column("received_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("scan", sa.Column("claimed", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_scan_claimed"), "scan", "claimed >= 0")
    op.create_index(
        "ix_scan_conflict",
        "scan",
        ["performance_id"],
        postgresql_where=sa.text("claimed > people"),
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER scan_by_valid_device ON scan")
    op.execute("DROP FUNCTION scan_by_valid_device()")
    op.drop_index("ix_scan_conflict", table_name="scan")
    op.drop_constraint(op.f("ck_scan_claimed"), "scan", type_="check")
    op.drop_column("scan", "claimed")
    op.drop_column("scan", "received_at")

    op.execute("DROP TRIGGER reservation_changed ON reservation")
    op.execute("DROP FUNCTION reservation_changed()")
    # The previous release has no walk-ins: they stay counted, as parties with erased names.
    op.execute("UPDATE reservation SET erased_at = created_at WHERE walk_in")
    # Released seats that walk-ins took cannot be held again: those parties become smaller.
    op.execute("""
        UPDATE reservation SET seats = seats - released, released = 0
        WHERE released > 0 AND seats > released
    """)
    op.execute("""
        UPDATE reservation SET state = 'cancelled', ended_at = now(), released = 0
        WHERE released > 0
    """)
    op.execute(HELD.format(**BEFORE))
    _replace_check("ck_reservation_visitor_present", VISITOR)
    _replace_check("ck_reservation_admitted_range", "admitted BETWEEN 0 AND seats")
    op.drop_constraint(op.f("ck_reservation_released_range"), "reservation", type_="check")
    op.drop_index("ix_reservation_performance_id", table_name="reservation")
    for column in ("changed_in", "released", "walk_in"):
        op.drop_column("reservation", column)

    op.drop_column("performance", "released_at")
    op.drop_column("api_token", "last_seen_at")
    op.drop_index(op.f("ix_api_token_performance_id"), table_name="api_token")
    op.drop_constraint(op.f("fk_api_token_performance_id"), "api_token", type_="foreignkey")
    op.drop_column("api_token", "performance_id")


def _replace_check(name: str, condition: str) -> None:
    op.drop_constraint(op.f(name), "reservation", type_="check")
    op.create_check_constraint(op.f(name), "reservation", condition)
