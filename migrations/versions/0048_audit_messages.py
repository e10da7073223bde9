"""Records messages to audiences in the log of changes (0036), and erases names of accounts in `row_change` (0013).

- Of a message's texts only that they changed: staff may have written a name into them.
- `row_change` keeps former names and addresses of accounts for the merge of two edits. With the account they go at
  once, and of accounts that stay by `forget_row_changes(before)`; that something changed, when and by whom stays. An
  edit that was begun before an erased change counts as in conflict with it.
"""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

ARGUMENTS = ("audience_message.id", "!texts", "whom", "performance_ids", "state", "recipients")
ERASED = """
    UPDATE public.row_change SET changes = changes || (
        SELECT jsonb_object_agg(own.key, '[null, null]'::jsonb)
        FROM jsonb_object_keys(changes) AS own (key) WHERE own.key IN ('email', 'name')
    )
    WHERE table_name = 'user_account' AND changes ?| ARRAY['email', 'name'] AND {condition}
"""
FUNCTIONS = f"""
CREATE FUNCTION public.row_changes_of_account_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_TABLE_SCHEMA <> 'public' OR TG_TABLE_NAME <> 'user_account' THEN
        RAISE EXCEPTION 'row_changes_of_account_erased is a trigger of user_account alone'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'row_changes_of_account_erased';
    END IF;
    {ERASED.format(condition="row_id = OLD.id")};
    RETURN NULL;
END $$;
-- Triggers fire by name: after row_change_recorded, which records the deletion.
CREATE TRIGGER row_changes_of_account_erased AFTER DELETE ON public.user_account
    FOR EACH ROW EXECUTE FUNCTION public.row_changes_of_account_erased();

CREATE FUNCTION public.forget_row_changes(before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    forgotten integer;
BEGIN
    {
    ERASED.format(
        condition="changed_at < least(before, now() - interval '1 day')"
        " AND (changes -> 'email' <> '[null, null]' OR changes -> 'name' <> '[null, null]')"
    )
};
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;
"""


def upgrade() -> None:
    quoted = ", ".join(f"'{argument}'" for argument in ARGUMENTS)
    op.execute(
        "CREATE TRIGGER audit_recorded AFTER INSERT OR UPDATE OR DELETE ON public.audience_message"
        f" FOR EACH ROW EXECUTE FUNCTION public.audit_recorded({quoted})"
    )
    op.execute(FUNCTIONS)
    op.execute(ERASED.format(condition="row_id NOT IN (SELECT id FROM public.user_account)"))


def downgrade() -> None:
    op.execute("DROP FUNCTION public.forget_row_changes(timestamptz)")
    op.execute("DROP TRIGGER row_changes_of_account_erased ON public.user_account")
    op.execute("DROP FUNCTION public.row_changes_of_account_erased()")
    op.execute("DROP TRIGGER audit_recorded ON public.audience_message")
