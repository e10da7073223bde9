"""Adds versions to the rows that people edit, a record of edits, and former slugs of shows.

- A trigger increments `version` of a venue, show, performance or account when a field that people edit changes,
  whoever writes. Counters (`performance.seats_held`) do not increment it.
- `row_change` has a row for each version: time, account, and each field's old and new value. A changed password is
  recorded without its digest. None of these tables contains visitors' data.
- A role given or taken (`user_role`) is a change of the account.
- `former_slug`: earlier slugs of shows. They redirect to the show, so another show cannot use them.

The recording functions are SECURITY DEFINER: editors need no right to write records.

INSERT is not recorded: restoring the data alone would record it again. The previous release's changes are counted
and recorded without an account.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# A field with ! is recorded without its values.
EDITED = {
    "venue": ("name", "address"),
    "show": (
        "slug",
        "title",
        "summary",
        "description",
        "duration_minutes",
        "published",
        "listed",
    ),
    "performance": (
        "show_id",
        "venue_id",
        "starts_at",
        "booking_opens_at",
        "booking_closes_at",
        "capacity",
        "party_limit",
        "cancelled_at",
    ),
    "user_account": ("email", "name", "active", "!password"),
}

FUNCTIONS = """
CREATE FUNCTION public.row_version_counted() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    field text;
BEGIN
    -- A trigger's statement may raise it by one: a role is in another table (account_role_changed).
    IF pg_trigger_depth() < 2 OR NEW.version <> OLD.version + 1 THEN
        NEW.version := OLD.version;
    END IF;
    FOREACH field IN ARRAY TG_ARGV LOOP
        IF to_jsonb(OLD) -> ltrim(field, '!') IS DISTINCT FROM to_jsonb(NEW) -> ltrim(field, '!') THEN
            NEW.version := OLD.version + 1;
            EXIT;
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

CREATE FUNCTION public.row_change_recorded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    field text;
    secret boolean;
    before jsonb := to_jsonb(OLD);
    after jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(NEW) ELSE '{}' END;
    changes jsonb := '{}';
BEGIN
    IF TG_TABLE_SCHEMA <> 'public' THEN
        RAISE EXCEPTION 'row_change_recorded is a trigger of tables in public alone'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'row_change_recorded';
    END IF;
    FOREACH field IN ARRAY TG_ARGV LOOP
        secret := field LIKE '!%';
        field := ltrim(field, '!');
        IF before -> field IS DISTINCT FROM after -> field THEN
            changes := changes || jsonb_build_object(field, CASE WHEN secret THEN '[null, null]'
                ELSE jsonb_build_array(before -> field, after -> field) END);
        END IF;
    END LOOP;
    IF changes <> '{}' THEN
        INSERT INTO public.row_change (table_name, row_id, version, account_id, source, deleted, changes)
        VALUES (TG_TABLE_NAME, OLD.id, OLD.version + 1,
            nullif(current_setting('azionelab.account', true), '')::integer,
            coalesce(current_setting('azionelab.source', true), ''),
            TG_OP = 'DELETE', changes);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION public.account_role_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    account integer := CASE TG_OP WHEN 'DELETE' THEN OLD.user_id ELSE NEW.user_id END;
    was text := (SELECT name FROM public.role WHERE id = OLD.role_id);
    becomes text := (SELECT name FROM public.role WHERE id = NEW.role_id);
    counted integer;
BEGIN
    IF TG_TABLE_SCHEMA <> 'public' THEN
        RAISE EXCEPTION 'account_role_changed is a trigger of tables in public alone'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'account_role_changed';
    END IF;
    UPDATE public.user_account SET version = version + 1 WHERE id = account RETURNING version INTO counted;
    IF FOUND THEN
        INSERT INTO public.row_change (table_name, row_id, version, account_id, source, deleted, changes)
        VALUES ('user_account', account, counted,
            nullif(current_setting('azionelab.account', true), '')::integer,
            coalesce(current_setting('azionelab.source', true), ''),
            false, jsonb_build_object('role', jsonb_build_array(was, becomes)));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER account_role_changed AFTER INSERT OR UPDATE OR DELETE ON user_role
    FOR EACH ROW EXECUTE FUNCTION account_role_changed();
"""

TRIGGERS = """
CREATE TRIGGER row_version_counted BEFORE UPDATE OF {columns}, version ON {table}
    FOR EACH ROW EXECUTE FUNCTION row_version_counted({arguments});
CREATE TRIGGER row_change_recorded AFTER DELETE OR UPDATE OF {columns} ON {table}
    FOR EACH ROW EXECUTE FUNCTION row_change_recorded({arguments});
"""

# AFTER: the unique check has then waited for a transaction that released the slug, and its result is visible.
SLUGS = """
CREATE FUNCTION public.show_keeps_its_slugs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_TABLE_SCHEMA <> 'public' THEN
        RAISE EXCEPTION 'show_keeps_its_slugs is a trigger of tables in public alone'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'show_keeps_its_slugs';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.slug <> OLD.slug THEN
        DELETE FROM public.former_slug WHERE slug = NEW.slug AND show_id = NEW.id;
        INSERT INTO public.former_slug (slug, show_id) VALUES (OLD.slug, NEW.id);
    END IF;
    IF EXISTS (SELECT FROM public.former_slug WHERE slug = NEW.slug AND show_id <> NEW.id) THEN
        RAISE EXCEPTION 'another show had this address, and is still found by it'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'former_slug_taken';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER show_keeps_its_slugs AFTER INSERT OR UPDATE OF slug ON show
    FOR EACH ROW EXECUTE FUNCTION show_keeps_its_slugs();
"""


def upgrade() -> None:
    for table in EDITED:
        version = sa.Column("version", sa.Integer(), nullable=False, server_default="1")
        op.add_column(table, version)
    op.create_table(
        "row_change",
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
        ),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(), nullable=False, server_default=""),
        sa.Column("deleted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["user_account.id"],
            name=op.f("fk_row_change_account_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("table_name", "row_id", "version", name=op.f("pk_row_change")),
    )
    op.create_table(
        "former_slug",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("show_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["show_id"], ["show.id"], name=op.f("fk_former_slug_show_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_former_slug")),
    )
    op.create_index(op.f("ix_former_slug_show_id"), "former_slug", ["show_id"])
    op.execute(FUNCTIONS)
    for table, fields in EDITED.items():
        columns = ", ".join(field.lstrip("!") for field in fields)
        arguments = ", ".join(f"'{field}'" for field in fields)
        op.execute(TRIGGERS.format(table=table, columns=columns, arguments=arguments))
    op.execute(SLUGS)


def downgrade() -> None:
    op.execute("DROP TRIGGER show_keeps_its_slugs ON show")
    op.execute("DROP TRIGGER account_role_changed ON user_role")
    for table in EDITED:
        op.execute(f"DROP TRIGGER row_change_recorded ON {table}")
        op.execute(f"DROP TRIGGER row_version_counted ON {table}")
    for function in (
        "show_keeps_its_slugs",
        "account_role_changed",
        "row_change_recorded",
        "row_version_counted",
    ):
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("former_slug")
    op.drop_table("row_change")
    for table in EDITED:
        op.drop_column(table, "version")
