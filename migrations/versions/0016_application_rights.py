"""Creates `grant_rows(role)`: grants the application's role its rights without making it an owner.

The role may read and write rows. It may not change triggers, constraints or functions, nor write the counters that
triggers maintain. The tables' owner calls it: `flask db upgrade` after its migrations, to include new tables, and a
restore after its last row.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

GRANT_ROWS = """
CREATE FUNCTION public.grant_rows(application name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    counters constant text[] := ARRAY['performance.seats_held', 'reservation.admitted'];
    item record;
BEGIN
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I', application);
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', application);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA public TO %I', application);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO %I', application);
    EXECUTE format('GRANT EXECUTE ON ALL ROUTINES IN SCHEMA public TO %I', application);
    FOR item IN
        SELECT t.oid::regclass AS name, string_agg(quote_ident(c.attname), ', ') AS columns
        FROM pg_class AS t JOIN pg_attribute AS c ON c.attrelid = t.oid
        WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p')
            AND t.relname <> 'alembic_version' AND c.attnum > 0 AND NOT c.attisdropped
            AND t.relname || '.' || c.attname <> ALL (counters)
        GROUP BY t.oid
    LOOP
        EXECUTE format('GRANT INSERT, DELETE, UPDATE (%s) ON TABLE %s TO %I',
            item.columns, item.name, application);
    END LOOP;
    -- A trigger's function runs without this right; attached to another table it might count there.
    FOR item IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prorettype = 'trigger'::regtype
            OR oid = 'public.grant_rows(name)'::regprocedure
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, %I', item.name, application);
    END LOOP;
END $$
"""


def upgrade() -> None:
    # Without parameters: the % signs belong to format().
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(GRANT_ROWS)


def downgrade() -> None:
    op.execute("DROP FUNCTION public.grant_rows(name)")
