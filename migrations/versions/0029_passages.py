"""People leave in the interval and come in again: `passage`, `reservation.outside`, `performance.reentry`.

- `performance.reentry`: whether people may leave and re-enter this performance; off by default.
- `scan.way`: in, out, or in again. Existing scans, and those of the previous release, are "in".
- A passage records who goes out or comes back, as an admission records who comes in: `people` went out, or came
  back if negative, by one scan, until it is undone. For people without a ticket it has no reservation.
- `reservation.outside`: how many of the admitted (`admitted`) are out now. A trigger counts it from passages,
  whoever writes. It is never negative (`ck_reservation_outside_range`) nor more than `admitted`
  (`reservation_outside_range`, checked at the end of the transaction). The latter is no CHECK, because the previous
  release undoes admissions without knowing `outside`.

No count of seats depends on it: a person who is out keeps their seat.
"""

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

OWN_PATH = "SET search_path = pg_catalog, pg_temp"
COUNTS = """
CREATE FUNCTION public.passage_counts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER {own_path} AS $$
DECLARE
    before integer := 0;
    after integer := 0;
BEGIN
    IF TG_RELID <> 'public.passage'::regclass THEN
        RAISE EXCEPTION 'passage_counts is a trigger of public.passage alone'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'passage_counts';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.reservation_id IS DISTINCT FROM NEW.reservation_id THEN
        RAISE EXCEPTION 'a passage stays with its reservation'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'passage_counts';
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.undone_at IS NULL AND OLD.reservation_id IS NOT NULL THEN
        before := OLD.people;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.undone_at IS NULL AND NEW.reservation_id IS NOT NULL THEN
        after := NEW.people;
    END IF;
    IF after <> before THEN
        UPDATE public.reservation SET outside = outside + after - before
        WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.reservation_id ELSE NEW.reservation_id END;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no reservation to count a passage in'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'passage_counts';
        END IF;
    END IF;
    RETURN NULL;
END $$;
-- At the end of the transaction: one passage that is taken back may take others with it.
CREATE FUNCTION public.passage_within_party() RETURNS trigger
LANGUAGE plpgsql {own_path} AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.reservation
        WHERE id = NEW.reservation_id AND outside > admitted
    ) THEN
        RAISE EXCEPTION 'nobody goes out who is not in'
            USING ERRCODE = 'integrity_constraint_violation',
                CONSTRAINT = 'reservation_outside_range';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER passage_within_party
    AFTER INSERT OR UPDATE ON passage DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.people > 0 OR NEW.undone_at IS NOT NULL)
    EXECUTE FUNCTION passage_within_party();
CREATE TRIGGER passage_counts
    AFTER INSERT OR DELETE OR UPDATE OF people, undone_at, reservation_id ON passage
    FOR EACH ROW EXECUTE FUNCTION passage_counts();
CREATE TRIGGER passages_truncated
    AFTER TRUNCATE ON passage
    FOR EACH STATEMENT EXECUTE FUNCTION passages_truncated();
CREATE TRIGGER outside_is_counted
    BEFORE INSERT OR UPDATE OF outside ON reservation
    FOR EACH ROW EXECUTE FUNCTION outside_is_counted();
"""
PASSAGES = {
    "table": "passage",
    "counted": "reservation",
    "counter": "outside",
}
COUNTERS = "'performance.seats_held', 'reservation.admitted'"


def upgrade() -> None:
    # In the order in which bookings lock them: with the performance first, the two would wait for each other.
    op.execute("LOCK TABLE reservation, performance, scan IN ACCESS EXCLUSIVE MODE")
    op.add_column(
        "performance", sa.Column("reentry", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("scan", sa.Column("way", sa.String(), server_default="in", nullable=False))
    op.create_check_constraint(op.f("ck_scan_way"), "scan", "way IN ('in', 'out', 'again')")
    op.add_column(
        "reservation", sa.Column("outside", sa.Integer(), server_default="0", nullable=False)
    )
    op.create_check_constraint(op.f("ck_reservation_outside_range"), "reservation", "outside >= 0")
    op.create_table(
        "passage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scan_id", sa.Uuid(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("people <> 0", name=op.f("ck_passage_people")),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservation.id"],
            name=op.f("fk_passage_reservation_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scan.id"], name=op.f("fk_passage_scan_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passage")),
        sa.UniqueConstraint("scan_id", name=op.f("uq_passage_scan_id")),
    )
    op.create_index("ix_passage_reservation_id", "passage", ["reservation_id"])
    paths = _migration("0012")
    for template, name in (
        (paths.TRUNCATED, "passages_truncated"),
        (paths.COUNTED, "outside_is_counted"),
    ):
        op.execute(template.format(own_path=OWN_PATH, name=name, **PASSAGES))
    op.execute(COUNTS.format(own_path=OWN_PATH))
    _grant_rows(f"{COUNTERS}, 'reservation.outside'")


def downgrade() -> None:
    _grant_rows(COUNTERS)
    op.drop_table("passage")
    op.execute("DROP TRIGGER outside_is_counted ON reservation")
    for function in (
        "outside_is_counted", "passages_truncated", "passage_within_party", "passage_counts",
    ):  # fmt: skip
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_column("reservation", "outside")
    # The previous release would take them for refused attempts to come in.
    op.execute("DELETE FROM scan WHERE way <> 'in'")
    op.drop_column("scan", "way")
    op.drop_column("performance", "reentry")


def _grant_rows(counters: str) -> None:
    """Grant the application its rights to rows, without the counters."""
    script = _migration("0016").GRANT_ROWS.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    statement = script.replace(COUNTERS, counters)
    # Without parameters: the % signs belong to format().
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(statement)


def _migration(number: str) -> Any:
    return context.script.get_revision(number).module
