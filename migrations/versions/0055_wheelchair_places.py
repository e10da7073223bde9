"""Adds wheelchair places: a part of a performance's capacity that only parties with a wheelchair take.

- `performance.wheelchair_places`: how many of the capacity's places. `wheelchair_held` is how many are held; a trigger
  on `reservation` counts them with `seats_held`, which goes on counting all people.
- `reservation.wheelchair_places`: how many of a party's people need one. Of released seats the ordinary ones come first.
- `ck_performance_capacity_held` refuses more ordinary seats than the capacity leaves beside the wheelchair places, and
  `ck_performance_wheelchair_held` more wheelchair places than there are.
- When a party of a past performance is erased, its number is set to 0 and the performance's count stays: a figure
  without persons.
- The view `lapsed_hold` says how many of its seats are wheelchair places.

The previous release books no wheelchair place and asks for ordinary seats only. Where a performance has wheelchair
places, it counts them as free seats, and the database refuses them as the last seats.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

# In the functions that other migrations wrote: what stood there, what stands there now.
COUNTS = (
    "reservation_holds_seats()",
    (
        (
            "    after integer := 0;\n",
            "    after integer := 0;\n    wheelchair_before integer := 0;\n    wheelchair_after integer := 0;\n",
        ),
        (
            "        before := OLD.seats - OLD.released;\n",
            (
                "        before := OLD.seats - OLD.released;\n"
                "        wheelchair_before := least(OLD.wheelchair_places, before);\n"
            ),
        ),
        (
            "        after := NEW.seats - NEW.released;\n",
            """        after := NEW.seats - NEW.released;
        wheelchair_after := least(NEW.wheelchair_places, after);
        IF after = before AND wheelchair_after < wheelchair_before AND NEW.erased_at IS NOT NULL AND EXISTS (
            SELECT FROM public.performance WHERE id = NEW.performance_id AND starts_at < now()
        ) THEN
            -- The party's number is erased, the performance's stays.
            wheelchair_after := wheelchair_before;
        END IF;
""",
        ),
        (
            "        SET seats_held = seats_held + CASE id WHEN NEW.performance_id THEN after ELSE -before END\n",
            (
                "        SET seats_held = seats_held + CASE id WHEN NEW.performance_id THEN after ELSE -before END,\n"
                "            wheelchair_held = wheelchair_held\n"
                "                + CASE id WHEN NEW.performance_id THEN wheelchair_after ELSE -wheelchair_before END\n"
            ),
        ),
        (
            "    ELSIF after <> before THEN\n        UPDATE public.performance SET seats_held = seats_held + after - before\n",
            (
                "    ELSIF after <> before OR wheelchair_after <> wheelchair_before THEN\n"
                "        UPDATE public.performance SET seats_held = seats_held + after - before,\n"
                "            wheelchair_held = wheelchair_held + wheelchair_after - wheelchair_before\n"
            ),
        ),
    ),
)
TRUNCATED = (
    "reservations_truncated()",
    (
        (
            "SET seats_held = 0 WHERE seats_held <> 0;",
            "SET seats_held = 0, wheelchair_held = 0\n    WHERE seats_held <> 0 OR wheelchair_held <> 0;",
        ),
    ),
)
# Which counters the application may not write.
COUNTERS = (
    "grant_rows(name)",
    (("'performance.seats_held',", "'performance.seats_held', 'performance.wheelchair_held',"),),
)
TRIGGERS = """
DROP TRIGGER reservation_holds_seats ON public.reservation;
CREATE TRIGGER reservation_holds_seats
    AFTER INSERT OR DELETE OR UPDATE OF seats, released, state, performance_id, holds_seats {counted}
    ON public.reservation
    FOR EACH ROW EXECUTE FUNCTION public.reservation_holds_seats();
DROP TRIGGER row_change_recorded ON public.performance;
DROP TRIGGER row_version_counted ON public.performance;
CREATE TRIGGER row_version_counted BEFORE UPDATE OF {columns}, version ON public.performance
    FOR EACH ROW EXECUTE FUNCTION public.row_version_counted({arguments});
CREATE TRIGGER row_change_recorded AFTER DELETE OR UPDATE OF {columns} ON public.performance
    FOR EACH ROW EXECUTE FUNCTION public.row_change_recorded({arguments});
DROP TRIGGER audit_recorded ON public.performance;
DROP TRIGGER audit_created ON public.performance;
CREATE TRIGGER audit_created AFTER INSERT OR DELETE ON public.performance FOR EACH ROW
    EXECUTE FUNCTION public.audit_recorded({audited});
CREATE TRIGGER audit_recorded AFTER UPDATE ON public.performance FOR EACH ROW WHEN ({unbooked})
    EXECUTE FUNCTION public.audit_recorded({audited});
"""
LAPSED = """
CREATE {replacing} VIEW public.lapsed_hold AS
    SELECT performance_id, sum(seats)::integer AS seats {wheelchair} FROM public.reservation
    WHERE state = 'pending' AND holds_seats AND hold_expires_at <= now()
    GROUP BY performance_id;
"""
EDITED = (
    "show_id", "venue_id", "starts_at", "booking_opens_at", "booking_closes_at", "capacity", "party_limit",
    "cancelled_at",
)  # fmt: skip
AUDITED = ("performance.id", "*", "-id", "-version", "-seats_held")
UNBOOKED = "OLD.seats_held = NEW.seats_held"


def upgrade() -> None:
    # In the order in which bookings lock them: with the performance first, the two would wait for each other.
    op.execute("LOCK TABLE reservation, performance IN ACCESS EXCLUSIVE MODE")
    for table, name in (
        ("performance", "wheelchair_places"),
        ("performance", "wheelchair_held"),
        ("reservation", "wheelchair_places"),
    ):
        op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.drop_constraint(op.f("ck_performance_capacity_held"), "performance", type_="check")
    for table, name, condition in (
        (
            "performance",
            "capacity_held",
            "seats_held - wheelchair_held BETWEEN 0 AND capacity - wheelchair_places",
        ),
        ("performance", "wheelchair_held", "wheelchair_held BETWEEN 0 AND wheelchair_places"),
        ("reservation", "wheelchair_range", "wheelchair_places BETWEEN 0 AND seats"),
    ):
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    for function, changes in (COUNTS, TRUNCATED, COUNTERS):
        _replace(function, changes)
    counted = {
        "name": "wheelchair_held_is_counted",
        "table": "reservation",
        "counted": "performance",
        "counter": "wheelchair_held",
    }
    paths = context.script.get_revision("0012").module
    op.execute(paths.COUNTED.format(own_path=paths.OWN_PATH, **counted))
    op.execute(
        "CREATE TRIGGER wheelchair_held_is_counted BEFORE INSERT OR UPDATE OF wheelchair_held"
        " ON public.performance FOR EACH ROW EXECUTE FUNCTION public.wheelchair_held_is_counted()"
    )
    _replace_triggers(
        ", wheelchair_places",
        (*EDITED, "wheelchair_places"),
        (*AUDITED, "-wheelchair_held"),
        f"{UNBOOKED} AND OLD.wheelchair_held = NEW.wheelchair_held",
    )
    wheelchair = ", sum(least(wheelchair_places, seats))::integer AS wheelchair_places"
    op.execute(LAPSED.format(replacing="OR REPLACE", wheelchair=wheelchair))


def downgrade() -> None:
    """Parties keep all of their seats, the wheelchair places among them."""
    op.execute("LOCK TABLE reservation, performance IN ACCESS EXCLUSIVE MODE")
    for function, changes in (COUNTS, TRUNCATED, COUNTERS):
        _replace(function, [(new, old) for old, new in changes])
    op.execute("DROP VIEW public.lapsed_hold")
    op.execute(LAPSED.format(replacing="", wheelchair=""))
    _replace_triggers("", EDITED, AUDITED, UNBOOKED)
    op.execute("DROP TRIGGER wheelchair_held_is_counted ON public.performance")
    op.execute("DROP FUNCTION public.wheelchair_held_is_counted()")
    op.drop_constraint(op.f("ck_reservation_wheelchair_range"), "reservation", type_="check")
    op.drop_constraint(op.f("ck_performance_wheelchair_held"), "performance", type_="check")
    op.drop_constraint(op.f("ck_performance_capacity_held"), "performance", type_="check")
    op.create_check_constraint(
        op.f("ck_performance_capacity_held"), "performance", "seats_held BETWEEN 0 AND capacity"
    )
    op.drop_column("reservation", "wheelchair_places")
    op.drop_column("performance", "wheelchair_held")
    op.drop_column("performance", "wheelchair_places")


def _replace_triggers(
    counted: str, edited: tuple[str, ...], audited: tuple[str, ...], unbooked: str
) -> None:
    op.execute(
        TRIGGERS.format(
            counted=counted,
            columns=", ".join(edited),
            arguments=", ".join(f"'{field}'" for field in edited),
            audited=", ".join(f"'{field}'" for field in audited),
            unbooked=unbooked,
        )
    )


def _replace(function: str, changes: Sequence[tuple[str, str]]) -> None:
    """Change parts of a function and leave the rest as it is."""
    # Without parameters: the % signs in a function belong to format().
    bind = op.get_bind().execution_options(no_parameters=True)
    asked = f"SELECT pg_get_functiondef('public.{function}'::regprocedure)"
    definition: str = bind.exec_driver_sql(asked).scalar_one()
    for old, new in changes:
        if definition.count(old) != 1:
            raise ValueError(f"{function} does not have once: {old}")
        definition = definition.replace(old, new)
    bind.exec_driver_sql(definition)
