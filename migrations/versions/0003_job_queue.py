"""Creates the job queue's tables: Procrastinate's own migrations up to 3.4, read from the library.

A later Procrastinate with a schema change ships further files; a new migration then runs those, so that new
and old databases end up equal. The library keeps all its files.

The library adds values to its enum types and uses them, which PostgreSQL before 17 refuses in one transaction
("unsafe use of new value"). Here the types are created with all their values, in the order of the additions, so
the result is the same on every version.

The library's NOTIFY trigger for new jobs is disabled: PostgreSQL serializes the commits of transactions that
notify, across the whole database, so all bookings would queue at their commit. The worker polls instead
(docs/decisions).
"""

import re
from importlib.resources import files

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LAST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
ANNOUNCEMENT = "procrastinate_jobs_notify_queue_job_inserted_v1"

CREATED = re.compile(r"CREATE TYPE (?P<type>\w+) AS ENUM \((?P<values>.*?)\);", re.DOTALL)
ADDED = re.compile(
    r"ALTER TYPE (?P<type>\w+) ADD VALUE (?P<value>'\w+')"
    r"(?: (?P<side>BEFORE|AFTER) (?P<other>'\w+'))?;"
)
VALUE = re.compile(r"'\w+'")


def upgrade() -> None:
    folder = files("procrastinate.sql.migrations")
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql") and f.name <= LAST)
    if LAST not in names:
        raise RuntimeError(f"this Procrastinate has no {LAST}")
    # Without parameters: the files contain % signs and several statements each.
    connection = op.get_bind().execution_options(no_parameters=True)
    scripts = [(folder / name).read_text(encoding="utf-8") for name in names]
    for script in with_whole_types(scripts):
        connection.exec_driver_sql(script)
    op.execute(f"ALTER TABLE procrastinate_jobs DISABLE TRIGGER {ANNOUNCEMENT}")


def with_whole_types(scripts: list[str]) -> list[str]:
    """Create the enum types with the values that later scripts add."""
    types = {
        created["type"]: VALUE.findall(created["values"])
        for script in scripts
        for created in CREATED.finditer(script)
    }
    for script in scripts:
        for added in ADDED.finditer(script):
            values = types[added["type"]]
            after = {"BEFORE": 0, "AFTER": 1}.get(added["side"])
            place = len(values) if after is None else values.index(added["other"]) + after
            values.insert(place, added["value"])

    def create(created: re.Match[str]) -> str:
        return f"CREATE TYPE {created['type']} AS ENUM ({', '.join(types[created['type']])});"

    whole = [CREATED.sub(create, ADDED.sub("", script)) for script in scripts]
    if any("ADD VALUE" in script for script in whole):
        raise RuntimeError("this Procrastinate adds values to its types in another way")
    return whole


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
