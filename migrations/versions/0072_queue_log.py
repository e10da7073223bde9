"""Records in the log of changes when a line of the queue is opened, changed or ended, with who did it.

A line that moves changes none of these columns, and costs nothing. That the worker deletes a line after its end is not
recorded; that it ends by being deleted (`follow_load`) is.
"""

from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_PACE = ("opens_at", "per_minute", "inside_limit", "stay_minutes", "most_seats", "ended_at")
_OF_ACCOUNT = "WHEN 'user_account' THEN ''"
_OF_LINE = """WHEN 'queue_line' THEN coalesce(
                (SELECT title FROM public.show WHERE id = (object ->> 'show_id')::integer), '')
            """


def upgrade() -> None:
    _replace_in_log(_OF_ACCOUNT, _OF_LINE + _OF_ACCOUNT)
    fields = ", ".join(f"'{field}'" for field in ("show_id", *_PACE))
    call = (
        f"FOR EACH ROW {{when}} EXECUTE FUNCTION public.audit_recorded('queue_line.id', {fields})"
    )
    op.execute(
        f"CREATE TRIGGER audit_recorded AFTER INSERT OR UPDATE OF {', '.join(_PACE)} ON public.queue_line "
        + call.format(when="")
    )
    op.execute(
        "CREATE TRIGGER audit_deleted AFTER DELETE ON public.queue_line "
        + call.format(when="WHEN (OLD.ended_at IS NULL)")
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER audit_deleted ON public.queue_line")
    op.execute("DROP TRIGGER audit_recorded ON public.queue_line")
    _replace_in_log(_OF_LINE + _OF_ACCOUNT, _OF_ACCOUNT)


def _replace_in_log(old: str, new: str) -> None:
    # Without parameters: a % sign is none of the driver's.
    connection = op.get_bind().execution_options(no_parameters=True)
    named = "SELECT pg_get_functiondef('public.audit_recorded()'::regprocedure)"
    body = connection.exec_driver_sql(named).scalar_one()
    connection.exec_driver_sql(body.replace(old, new))
