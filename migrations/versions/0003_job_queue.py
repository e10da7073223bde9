"""The job queue's tables: Procrastinate's own migrations up to 3.4, run from the library.

A later Procrastinate that changes its schema ships further files; a migration of ours then runs
those, so that a new database and an old one come out the same. The library keeps all its files.

Its trigger that announces each new job by NOTIFY is switched off: PostgreSQL commits transactions
that notify one at a time, across the whole database, so that every booking would queue behind every
other at its commit. The worker polls instead (docs/decisions).
"""

from importlib.resources import files

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LAST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
ANNOUNCEMENT = "procrastinate_jobs_notify_queue_job_inserted_v1"


def upgrade() -> None:
    folder = files("procrastinate.sql.migrations")
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql") and f.name <= LAST)
    if LAST not in names:
        raise RuntimeError(f"this Procrastinate has no {LAST}")
    # The files hold % signs and several statements each: they go to the server as they are.
    connection = op.get_bind().execution_options(no_parameters=True)
    for name in names:
        connection.exec_driver_sql((folder / name).read_text(encoding="utf-8"))
    op.execute(f"ALTER TABLE procrastinate_jobs DISABLE TRIGGER {ANNOUNCEMENT}")


def downgrade() -> None:
    op.execute(
        """
        DO $$
        DECLARE item record;
        BEGIN
            FOR item IN
                SELECT 'TABLE ' || oid::regclass AS what FROM pg_class
                WHERE relname LIKE 'procrastinate\\_%' AND relkind = 'r'
            LOOP EXECUTE 'DROP ' || item.what || ' CASCADE'; END LOOP;
            FOR item IN
                SELECT 'FUNCTION ' || oid::regprocedure AS what FROM pg_proc
                WHERE proname LIKE 'procrastinate\\_%'
            LOOP EXECUTE 'DROP ' || item.what || ' CASCADE'; END LOOP;
            FOR item IN
                SELECT 'TYPE ' || oid::regtype AS what FROM pg_type
                WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('e', 'c')
            LOOP EXECUTE 'DROP ' || item.what || ' CASCADE'; END LOOP;
        END $$
        """
    )
