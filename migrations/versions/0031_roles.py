"""Adds the roles box office and read-only.

The role named "staff" is the manager's from now on; its name stays, since the previous release looks for it. To the
previous release an account with one of the new roles may do nothing.
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO role (name, description) VALUES"
        " ('box_office', 'books for people and runs the evening'),"
        " ('read_only', 'sees everything but accounts, changes nothing')"
    )


def downgrade() -> None:
    op.execute("DELETE FROM role WHERE name IN ('box_office', 'read_only')")
