"""Gives the trigger functions their own search_path, whatever the session's is.

A temporary table, a view or a schema earlier on the search_path could replace the table whose rows are counted,
which made the counts wrong; with `search_path = ''`, as pg_dump's scripts set it, the functions failed. Now each
function has its own search_path (`pg_catalog`, with temporary objects last) and qualifies its tables. A counting
function raises an error, with its own name as the constraint, when there is no row to count in or when it is
attached to the wrong table.

The counting functions are SECURITY DEFINER: a role that writes reservations needs no right to write counters.

The library's functions for the job queue get a search_path too.
"""

import re
from typing import Any

from alembic import context, op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OWN_PATH = "SET search_path = pg_catalog, pg_temp"

COUNTS = """
CREATE OR REPLACE FUNCTION public.{name}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER {own_path} AS $$
DECLARE
    before integer := 0;
    after integer := 0;
BEGIN
    IF TG_RELID <> 'public.{table}'::regclass THEN
        RAISE EXCEPTION '{name} is a trigger of public.{table} alone'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}';
    END IF;
    IF TG_OP <> 'INSERT' AND {old_counts} THEN
        before := {old};
    END IF;
    IF TG_OP <> 'DELETE' AND {new_counts} THEN
        after := {new};
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.{key} <> NEW.{key} THEN
        RAISE EXCEPTION '{one} stays with its {counted}'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF after <> before THEN
        UPDATE public.{counted} SET {counter} = {counter} + after - before
        WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.{key} ELSE NEW.{key} END;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no {counted} to count {one} in'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}';
        END IF;
    END IF;
    RETURN NULL;
END $$;
"""
RESERVATION = {
    "name": "reservation_holds_seats",
    "table": "reservation",
    "one": "a reservation",
    "counted": "performance",
    "counter": "seats_held",
    "key": "performance_id",
    "old_counts": "OLD.state IN ('pending', 'confirmed')",
    "new_counts": "NEW.state IN ('pending', 'confirmed')",
    "old": "OLD.seats - OLD.released",
    "new": "NEW.seats - NEW.released",
}
ADMISSION = {
    "name": "admission_lets_in",
    "table": "admission",
    "one": "an admission",
    "counted": "reservation",
    "counter": "admitted",
    "key": "reservation_id",
    "old_counts": "OLD.undone_at IS NULL",
    "new_counts": "NEW.undone_at IS NULL",
    "old": "OLD.people",
    "new": "NEW.people",
}

TRUNCATED = """
CREATE OR REPLACE FUNCTION public.{name}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER {own_path} AS $$
BEGIN
    IF TG_RELID <> 'public.{table}'::regclass THEN
        RAISE EXCEPTION '{name} is a trigger of public.{table} alone'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}';
    END IF;
    UPDATE public.{counted} SET {counter} = 0 WHERE {counter} <> 0;
    RETURN NULL;
END $$;
"""

COUNTED = """
CREATE OR REPLACE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql {own_path} AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.{counter} <> 0
        OR TG_OP = 'UPDATE' AND NEW.{counter} <> OLD.{counter} AND pg_trigger_depth() < 2
    THEN
        RAISE EXCEPTION '{counted}.{counter} is counted from {table}s, not written'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{name}';
    END IF;
    RETURN NEW;
END $$;
"""

CHANGED = """
CREATE OR REPLACE FUNCTION public.reservation_changed() RETURNS trigger
LANGUAGE plpgsql {own_path} AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
"""

VALID_DEVICE = """
CREATE OR REPLACE FUNCTION public.scan_by_valid_device() RETURNS trigger
LANGUAGE plpgsql {own_path} AS $$
BEGIN
    IF EXISTS (SELECT FROM public.api_token WHERE id = NEW.token_id AND revoked_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a revoked device lets nobody in'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'scan_by_valid_device';
    END IF;
    RETURN NEW;
END $$;
"""

QUEUE = """
DO $$
DECLARE routine record;
BEGIN
    FOR routine IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'procrastinate\\_%'
    LOOP EXECUTE 'ALTER ROUTINE ' || routine.name || ' {change}'; END LOOP;
END $$
"""


def upgrade() -> None:
    for counting, truncated, counted in (
        (RESERVATION, "reservations_truncated", "seats_held_is_counted"),
        (ADMISSION, "admissions_truncated", "admitted_is_counted"),
    ):
        _create(COUNTS, counting)
        _create(TRUNCATED, counting | {"name": truncated})
        _create(COUNTED, counting | {"name": counted})
    _create(CHANGED, {})
    _create(VALID_DEVICE, {})
    op.execute(QUEUE.format(change="SET search_path = pg_catalog, public, pg_temp"))


def _create(function: str, names: dict[str, str]) -> None:
    op.execute(function.format(own_path=OWN_PATH, **names))


def downgrade() -> None:
    """Restore the functions of 0002 and 0008."""
    op.execute(QUEUE.format(change="RESET search_path"))
    first, door = (_migration(number) for number in ("0002", "0008"))
    for script in (
        first.SEATS + first.ADMISSIONS,
        door.HELD.format(**door.WITH_RELEASED) + door.CHANGED + door.VALID_DEVICE,
    ):
        for function in re.findall(r"FUNCTION \w+\(\) RETURNS.*?\$\$.*?\$\$", script, re.DOTALL):
            op.execute(f"CREATE OR REPLACE {function}")


def _migration(number: str) -> Any:
    return context.script.get_revision(number).module
