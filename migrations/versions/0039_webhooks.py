"""Webhooks: `webhook`, `webhook_delivery`, and the trigger that writes what happened to a reservation.

The trigger writes in the transaction of the change, whoever makes it: no event of a change that was rolled back, and
none is missing. Without an active webhook it costs one look at a small table. An event holds no personal data.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TRIGGER = """
CREATE FUNCTION public.webhooks_are_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    told text[];
BEGIN
    IF NOT EXISTS (SELECT FROM public.webhook WHERE active) THEN
        RETURN NULL;
    END IF;
    told := CASE
        WHEN TG_OP = 'INSERT' THEN array_remove(ARRAY[
            CASE WHEN NOT NEW.walk_in THEN 'reservation.reserved' END,
            CASE WHEN NEW.state = 'confirmed' AND NOT NEW.walk_in
                THEN 'reservation.confirmed' END
        ], NULL)
        ELSE array_remove(ARRAY[
            CASE WHEN NEW.state = 'confirmed' AND OLD.state <> 'confirmed'
                THEN 'reservation.confirmed' END,
            CASE WHEN NEW.state IN ('cancelled', 'expired') AND OLD.state <> NEW.state
                THEN 'reservation.cancelled' END,
            CASE WHEN NEW.admitted > OLD.admitted THEN 'reservation.admitted' END,
            CASE WHEN NEW.erased_at IS NULL AND
                (NEW.performance_id, NEW.seats, NEW.released, NEW.name, NEW.email, NEW.locale, NEW.note)
                IS DISTINCT FROM
                (OLD.performance_id, OLD.seats, OLD.released, OLD.name, OLD.email, OLD.locale, OLD.note)
                THEN 'reservation.changed' END
        ], NULL)
    END;
    INSERT INTO public.webhook_delivery (
        webhook_id, message_id, event, payload, created_at, next_try_at
    )
    SELECT webhook.id, gen_random_uuid(), event, jsonb_build_object(
            'id', NEW.id,
            'reference', NEW.reference,
            'performance_id', NEW.performance_id,
            'state', NEW.state,
            'seats', NEW.seats,
            'admitted', NEW.admitted
        ), clock_timestamp(), clock_timestamp()
    FROM public.webhook, unnest(told) AS event
    WHERE webhook.active AND event = ANY (webhook.events);
    RETURN NULL;
END $$;
CREATE TRIGGER webhooks_are_told
    AFTER INSERT OR UPDATE ON reservation
    FOR EACH ROW EXECUTE FUNCTION webhooks_are_told();
"""


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("cardinality(events) > 0", name=op.f("ck_webhook_events_given")),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["user_account.id"],
            name=op.f("fk_webhook_created_by"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhook.id"],
            name=op.f("fk_webhook_delivery_webhook_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(
        "ix_webhook_delivery_due",
        "webhook_delivery",
        ["webhook_id", "next_try_at"],
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.create_index("ix_webhook_delivery_created_at", "webhook_delivery", ["created_at"])
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP FUNCTION webhooks_are_told CASCADE")
    op.drop_table("webhook_delivery")
    op.drop_table("webhook")
