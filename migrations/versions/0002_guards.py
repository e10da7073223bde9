"""Triggers count seats and admissions, and constraints refuse to exceed either.

Triggers maintain `performance.seats_held` and `reservation.admitted` whoever writes: the application, the back
office, a statement in psql. The UPDATE in the trigger locks the counted row, so concurrent writers queue there
and each meets the check constraint with the figure that the writer before it left. The counters cannot be
updated directly: the guard allows only a trigger's statement (pg_trigger_depth() > 1).

The view `lapsed_hold` returns the held seats of lapsed holds: they are free even if nobody has expired them.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SEATS = """
CREATE FUNCTION reservation_holds_seats() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    released integer := 0;
    taken integer := 0;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state IN ('pending', 'confirmed') THEN
        released := OLD.seats;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state IN ('pending', 'confirmed') THEN
        taken := NEW.seats;
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
CREATE TRIGGER reservation_holds_seats
    AFTER INSERT OR DELETE OR UPDATE OF seats, state, performance_id ON reservation
    FOR EACH ROW EXECUTE FUNCTION reservation_holds_seats();

CREATE FUNCTION reservations_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE performance SET seats_held = 0 WHERE seats_held <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER reservations_truncated
    AFTER TRUNCATE ON reservation
    FOR EACH STATEMENT EXECUTE FUNCTION reservations_truncated();

CREATE FUNCTION seats_held_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.seats_held <> 0
        OR TG_OP = 'UPDATE' AND NEW.seats_held <> OLD.seats_held AND pg_trigger_depth() < 2
    THEN
        RAISE EXCEPTION 'performance.seats_held is counted from reservations, not written'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER seats_held_is_counted
    BEFORE INSERT OR UPDATE OF seats_held ON performance
    FOR EACH ROW EXECUTE FUNCTION seats_held_is_counted();
"""

LAPSED = """
CREATE VIEW lapsed_hold AS
    SELECT performance_id, sum(seats)::integer AS seats FROM reservation
    WHERE state = 'pending' AND hold_expires_at <= now()
    GROUP BY performance_id;
"""

ADMISSIONS = """
CREATE FUNCTION admission_lets_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    left_again integer := 0;
    entered integer := 0;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.undone_at IS NULL THEN
        left_again := OLD.people;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.undone_at IS NULL THEN
        entered := NEW.people;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.reservation_id <> NEW.reservation_id THEN
        RAISE EXCEPTION 'an admission stays with its reservation'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF entered <> left_again THEN
        UPDATE reservation SET admitted = admitted + entered - left_again
        WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.reservation_id ELSE NEW.reservation_id END;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER admission_lets_in
    AFTER INSERT OR DELETE OR UPDATE OF people, undone_at, reservation_id ON admission
    FOR EACH ROW EXECUTE FUNCTION admission_lets_in();

CREATE FUNCTION admissions_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reservation SET admitted = 0 WHERE admitted <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER admissions_truncated
    AFTER TRUNCATE ON admission
    FOR EACH STATEMENT EXECUTE FUNCTION admissions_truncated();

CREATE FUNCTION admitted_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.admitted <> 0
        OR TG_OP = 'UPDATE' AND NEW.admitted <> OLD.admitted AND pg_trigger_depth() < 2
    THEN
        RAISE EXCEPTION 'reservation.admitted is counted from admissions, not written'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER admitted_is_counted
    BEFORE INSERT OR UPDATE OF admitted ON reservation
    FOR EACH ROW EXECUTE FUNCTION admitted_is_counted();
"""


def upgrade() -> None:
    op.execute(SEATS)
    op.execute(LAPSED)
    op.execute(ADMISSIONS)


def downgrade() -> None:
    op.execute("DROP VIEW lapsed_hold")
    for trigger, table in (
        ("admitted_is_counted", "reservation"),
        ("admissions_truncated", "admission"),
        ("admission_lets_in", "admission"),
        ("seats_held_is_counted", "performance"),
        ("reservations_truncated", "reservation"),
        ("reservation_holds_seats", "reservation"),
    ):
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
        op.execute(f"DROP FUNCTION {trigger}()")
