"""Venues, shows and tokens have a name: the back office let them be saved without.

Those that are there without one get one first, a show its address and the others their number: left
nameless, such a token could not even be revoked any more. The release before this one writes an empty
name only when spaces alone were typed, and is then refused by the database.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE venue SET name = '#' || id WHERE name = ''")
    op.execute("UPDATE show SET title = slug WHERE title = ''")
    op.execute("UPDATE api_token SET label = '#' || id WHERE label = ''")
    op.create_check_constraint(op.f("ck_venue_name_given"), "venue", "name <> ''")
    op.create_check_constraint(op.f("ck_show_title_given"), "show", "title <> ''")
    op.create_check_constraint(op.f("ck_api_token_label_given"), "api_token", "label <> ''")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_api_token_label_given"), "api_token", type_="check")
    op.drop_constraint(op.f("ck_show_title_given"), "show", type_="check")
    op.drop_constraint(op.f("ck_venue_name_given"), "venue", type_="check")
