"""Finds scans by who made them: a device's for the evening's page, an account's when it is deleted.

Both keys are set to NULL with the device or the account, which read all scans until now. The indexes are built beside
the running site (CREATE INDEX CONCURRENTLY), as in 0040: after a failure what is there already is made anew.
"""

from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

_COLUMNS = ("token_id", "user_id")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # It waits for transactions that began before, such as a backup's, and nobody waits for it meanwhile.
        (limit,) = op.get_bind().exec_driver_sql("SHOW lock_timeout").one()
        op.execute("SET lock_timeout = 0")
        for column in _COLUMNS:
            # What a build that failed left, which would never be used.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS ix_scan_{column}")
            op.execute(
                f"CREATE INDEX CONCURRENTLY ix_scan_{column} ON scan ({column}) WHERE {column} IS NOT NULL"
            )
        op.execute(f"SET lock_timeout = '{limit}'")


def downgrade() -> None:
    for column in reversed(_COLUMNS):
        op.execute(f"DROP INDEX ix_scan_{column}")
