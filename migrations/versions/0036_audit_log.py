"""Adds `audit_entry`, the log of every change by staff, door, API and system.

Triggers write it, whoever changes a row: when, who, from which network address, and each changed field's old and new
value. It complements `row_change` (0013), which keeps the versions of a form's row; both learn from the same settings
of the transaction who acts (azionelab/database/actors.py).

- The application's role may read the table and not write it: `grant_rows` leaves it out. The triggers' function runs
  with its owner's rights. `forget_audit_addresses(before)` is the one other change that role can make.
- Not recorded: the booking of a visitor, whose row says all of it, and what admissions and passages count, which the
  scan log has. The WHEN clauses keep both free of the function's cost.
- A reservation that is erased or deleted erases its entries: only the values of facts stay. A deleted account's
  entries lose name and address. No other table's entries hold a visitor's data.
- A new column of a reservation, venue, show or performance is recorded without more; an account's and a token's only
  when it is named here, since it may be a secret.

The arguments of a trigger: the object's type and the column with its id; then fields. `*` stands for all that are not
named, `-field` is left out, `!field` is recorded as changed, without its values.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

RECORDED = """
CREATE FUNCTION public.audit_recorded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    type_name constant text := split_part(TG_ARGV[0], '.', 1);
    key_name constant text := split_part(TG_ARGV[0], '.', 2);
    before jsonb := CASE TG_OP WHEN 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    after jsonb := CASE TG_OP WHEN 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    object jsonb := CASE TG_OP WHEN 'DELETE' THEN before ELSE after END;
    object_key constant text := object ->> key_name;
    account constant text := coalesce(current_setting('azionelab.account', true), '');
    token text := coalesce(current_setting('azionelab.token', true), '');
    source text := coalesce(current_setting('azionelab.source', true), '');
    actor text;
    changes jsonb;
    -- What stays of a reservation or an account when its person is erased.
    facts constant text[] := CASE type_name
        WHEN 'reservation' THEN ARRAY['reference', 'state', 'seats', 'released', 'holds_seats', 'performance_id',
            'walk_in', 'locale', 'created_at', 'hold_expires_at', 'confirmed_at', 'ended_at', 'ended_by',
            'reduced_from', 'reduced_at', 'reduced_by', 'late_at', 'erased_at', 'erasure_requested_at',
            'kind']
        WHEN 'user_account' THEN ARRAY['active', 'role_id'] END;
    erased constant boolean := type_name = 'reservation' AND (TG_OP = 'DELETE' OR after ->> 'erased_at' IS NOT NULL)
        OR type_name = 'user_account' AND TG_OP = 'DELETE' AND key_name = 'id';
BEGIN
    IF TG_TABLE_SCHEMA <> 'public' THEN
        RAISE EXCEPTION 'audit_recorded is a trigger of tables in public alone'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'audit_recorded';
    END IF;
    SELECT jsonb_object_agg(field, CASE
            WHEN '!' || field = ANY (TG_ARGV) OR erased AND field <> ALL (facts) THEN '[null, null]'
            ELSE jsonb_build_array(before -> field, after -> field) END)
        INTO changes FROM jsonb_each(object) AS own (field, value)
        WHERE (TG_OP <> 'UPDATE' OR value IS DISTINCT FROM before -> field)
            AND (field = ANY (TG_ARGV) OR '!' || field = ANY (TG_ARGV)
                OR '*' = ANY (TG_ARGV) AND '-' || field <> ALL (TG_ARGV))
            -- A new or deleted row: what it says, not what it leaves open.
            AND (TG_OP = 'UPDATE' OR object -> field NOT IN ('null', '""', 'false', '0'));
    IF changes IS NULL THEN
        RETURN NULL;
    END IF;
    IF account <> '' THEN
        actor := 'staff';
    ELSIF token <> '' THEN
        actor := CASE WHEN current_setting('azionelab.token_kind', true) = 'api' THEN 'api' ELSE 'door' END;
    ELSIF type_name = 'api_token' AND TG_OP = 'INSERT' AND object ->> 'invitation' IS NOT NULL THEN
        -- A phone that joins by an invitation.
        actor := 'door';
        token := object_key;
    ELSIF source <> '' OR after ->> 'state' = 'expired' AND after ->> 'ended_by' IS NULL THEN
        -- A hold also lapses while somebody else books.
        actor := 'system';
    ELSIF current_setting('application_name') <> '' THEN
        actor := 'system';  -- psql and the like
        source := current_setting('application_name');
    ELSE
        actor := 'visitor';
    END IF;
    INSERT INTO public.audit_entry
        (actor, account_id, token_id, source, address, object_type, object_id, label, performance_id, action, changes)
    VALUES (
        actor, nullif(account, '')::integer, nullif(token, '')::integer, source,
        CASE WHEN actor IN ('visitor', 'system') THEN ''
            ELSE coalesce(current_setting('azionelab.address', true), '') END,
        type_name, object_key,
        CASE type_name
            WHEN 'reservation' THEN object ->> 'reference'
            WHEN 'performance' THEN coalesce(
                (SELECT title FROM public.show WHERE id = (object ->> 'show_id')::integer), '')
            WHEN 'user_account' THEN ''
            ELSE coalesce(object ->> 'title', object ->> 'label', object ->> 'name', '') END,
        CASE type_name WHEN 'performance' THEN object_key::integer ELSE (object ->> 'performance_id')::integer END,
        CASE WHEN key_name <> 'id' THEN 'changed' ELSE
            CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END END,
        changes
    );
    IF erased AND (TG_OP = 'DELETE' OR before ->> 'erased_at' IS NULL) THEN
        UPDATE public.audit_entry AS entry SET changes = (
            SELECT jsonb_object_agg(key, CASE WHEN key = ANY (facts) THEN value ELSE '[null, null]' END)
            FROM jsonb_each(entry.changes)
        ) WHERE entry.object_type = type_name AND entry.object_id = object_key;
    END IF;
    RETURN NULL;
END $$;
"""

# SKIP LOCKED: a row that an erasure holds is done the next time, so the two cannot wait for each other.
FORGET = """
CREATE FUNCTION public.forget_audit_addresses(before timestamptz) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH forgotten AS (
        UPDATE public.audit_entry SET address = '' WHERE id IN (
            SELECT id FROM public.audit_entry
            WHERE address <> '' AND at < least(before, pg_catalog.now() - interval '1 day')
            FOR UPDATE SKIP LOCKED
        ) RETURNING id
    ) SELECT count(*)::integer FROM forgotten
$$;
"""

# Of a visitor's own booking the row says everything, of walk-ins at the door the scan log.
NO_VISITOR = """current_setting('azionelab.account', true) <> '' OR NOT NEW.walk_in AND (
    current_setting('azionelab.token', true) <> '' OR current_setting('azionelab.source', true) <> ''
    OR current_setting('application_name') <> '')"""
# Every booking counts its seats in the performance's row, while all others wait for it.
NO_BOOKING = "OLD.seats_held = NEW.seats_held"
NO_ADMISSION = "OLD.admitted = NEW.admitted AND OLD.outside = NEW.outside"
# What a reservation's trigger leaves out: what the system counts, and the keys.
COUNTED = ("-changed_in", "-network", "-network_limit", "-unconfirmed_limit", "-request_key")
COUNTED += ("-email_key", "-admitted", "-outside")
PERFORMANCE = ("performance.id", "*", "-id", "-version", "-seats_held")
ANY = "INSERT OR UPDATE OR DELETE"
# Each a table, the trigger's name, its events, its condition and its arguments.
TRIGGERS = (
    (
        "reservation",
        "audit_created",
        "INSERT",
        NO_VISITOR,
        ("reservation.id", "*", "-id", "-reference", "-created_at", *COUNTED),
    ),
    ("reservation", "audit_recorded", "UPDATE", NO_ADMISSION, ("reservation.id", "*", *COUNTED)),
    (
        "reservation",
        "audit_deleted",
        "DELETE",
        "true",
        ("reservation.id", "*", "-id", "-reference", *COUNTED),
    ),
    ("performance", "audit_created", "INSERT OR DELETE", "true", PERFORMANCE),
    ("performance", "audit_recorded", "UPDATE", NO_BOOKING, PERFORMANCE),
    ("show", "audit_recorded", ANY, "true", ("show.id", "*", "-id", "-version")),
    ("venue", "audit_recorded", ANY, "true", ("venue.id", "*", "-id", "-version")),
    # Given up by a person, not because its show is deleted or takes it back.
    ("former_slug", "audit_recorded", "DELETE", "pg_trigger_depth() = 0", ("show.show_id", "slug")),
    (
        "user_account",
        "audit_recorded",
        "INSERT OR DELETE OR UPDATE OF email, name, active, password",
        "true",
        ("user_account.id", "email", "name", "active", "!password"),
    ),
    ("user_role", "audit_recorded", ANY, "true", ("user_account.user_id", "role_id")),
    # An invitation to set a password: made, and used or withdrawn.
    ("password_link", "audit_recorded", ANY, "true", ("user_account.user_id", "expires_at")),
    (
        "api_token",
        "audit_recorded",
        "INSERT OR DELETE OR UPDATE OF label, scope, expires_at, revoked_at, put_away_at",
        "true",
        (
            "api_token.id",
            "label",
            "scope",
            "performance_id",
            "expires_at",
            "revoked_at",
            "put_away_at",
        ),
    ),
    (
        "program_token",
        "audit_recorded",
        "INSERT OR DELETE OR UPDATE OF label, scopes, expires_at, revoked_at",
        "true",
        ("program_token.id", "label", "scopes", "expires_at", "revoked_at"),
    ),
    (
        "mail",
        "audit_recorded",
        "UPDATE OF resent_at",
        "OLD.resent_at IS DISTINCT FROM NEW.resent_at",
        ("mail.id", "resent_at"),
    ),
)
TRIGGER = """
CREATE TRIGGER {name} AFTER {events} ON public.{table} FOR EACH ROW WHEN ({condition})
    EXECUTE FUNCTION public.audit_recorded({arguments})
"""
ALL_TABLES = "t.relname <> 'alembic_version'"
READ_ONLY = "t.relname <> ALL (ARRAY['alembic_version', 'audit_entry'])"


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
        ),
        sa.Column("actor", sa.String(), nullable=False),
        # Without foreign keys: an entry outlives what it names, and nothing rewrites it.
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("object_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("performance_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(
            "actor IN ('visitor', 'staff', 'door', 'api', 'system')",
            name=op.f("ck_audit_entry_actor"),
        ),
        sa.CheckConstraint(
            "action IN ('created', 'changed', 'deleted')", name=op.f("ck_audit_entry_action")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_object", "audit_entry", ["object_type", "object_id", "id"])
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_index(
        "ix_audit_entry_account",
        "audit_entry",
        ["account_id", "id"],
        postgresql_where=sa.text("account_id IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_entry_performance",
        "audit_entry",
        ["performance_id", "id"],
        postgresql_where=sa.text("performance_id IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_entry_address",
        "audit_entry",
        ["at"],
        postgresql_where=sa.text("address <> ''"),
    )
    op.create_index(
        "ix_audit_entry_deleted",
        "audit_entry",
        ["id"],
        postgresql_where=sa.text("action = 'deleted'"),
    )
    op.execute(RECORDED)
    op.execute(FORGET)
    for table, name, events, condition, arguments in TRIGGERS:
        quoted = ", ".join(f"'{argument}'" for argument in arguments)
        op.execute(
            TRIGGER.format(
                table=table, name=name, events=events, condition=condition, arguments=quoted
            )
        )
    _change_grant_rows(ALL_TABLES, READ_ONLY)


def downgrade() -> None:
    _change_grant_rows(READ_ONLY, ALL_TABLES)
    for table, name, *_ in reversed(TRIGGERS):
        op.execute(f"DROP TRIGGER {name} ON public.{table}")
    op.execute("DROP FUNCTION public.forget_audit_addresses(timestamptz)")
    op.execute("DROP FUNCTION public.audit_recorded()")
    op.drop_table("audit_entry")


def _change_grant_rows(old: str, new: str) -> None:
    # Without parameters: the % signs belong to format().
    connection = op.get_bind().execution_options(no_parameters=True)
    named = "SELECT pg_get_functiondef('public.grant_rows(name)'::regprocedure)"
    connection.exec_driver_sql(connection.exec_driver_sql(named).scalar_one().replace(old, new))
