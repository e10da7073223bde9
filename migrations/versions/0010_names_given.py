"""Requires a name for venues, shows and tokens, which the back office allowed to be empty.

Existing empty names are filled first, a show's with its slug, the others with their id: a nameless token could not
be revoked. The previous release writes an empty name only when only spaces were typed; the database then refuses
it.
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
