"""Webhooks: create, change, pause, delete, ask for another attempt."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from azionelab.database import db, now, transaction
from azionelab.integrations.models import Webhook, WebhookDelivery
from azionelab.integrations.webhooks.addresses import check_url

KEPT = timedelta(days=30)  # what was sent


class Event(StrEnum):
    """What a program can be told of. A trigger writes the same names (migration 0039)."""

    RESERVED = "reservation.reserved"
    CONFIRMED = "reservation.confirmed"
    CHANGED = "reservation.changed"
    CANCELLED = "reservation.cancelled"
    ADMITTED = "reservation.admitted"
    ALERT = "site.alert"  # written by ops/alerts, not by the trigger


TEST_EVENT = "test"


def create_webhook(url: str, events: Collection[Event], created_by: int | None) -> Webhook:
    """Create an active webhook; raises AddressRefused."""
    check_url(url)
    with transaction() as session:
        webhook = Webhook(url=url, events=sorted(events), created_at=now(), created_by=created_by)
        session.add(webhook)
        return webhook


def set_active(webhook_id: int, *, active: bool) -> bool:
    """Resume or pause a webhook; False when there is none. A paused one gets no events and no attempts."""
    with transaction() as session:
        webhook = session.get(Webhook, webhook_id, with_for_update=True, populate_existing=True)
        if webhook is None:
            return False
        webhook.active = active
        return True


def delete_webhook(webhook_id: int) -> bool:
    """Delete a webhook and its log; False when there is none."""
    with transaction() as session:
        found = session.scalar(
            delete(Webhook).where(Webhook.id == webhook_id).returning(Webhook.id)
        )
        return found is not None


def send_test(webhook_id: int) -> None:
    """Queue a test event for a webhook."""
    with transaction() as session:
        if session.get(Webhook, webhook_id) is not None:
            session.add(
                WebhookDelivery(
                    webhook_id=webhook_id,
                    message_id=uuid4(),
                    event=TEST_EVENT,
                    payload={},
                    created_at=now(),
                    next_try_at=now(),
                )
            )


def has_listener(event: Event) -> bool:
    """Whether an active webhook is told of an event."""
    return bool(db.session.scalar(select(_listening(event).exists())))


def queue_event(session: Session, event: Event, payload: Mapping[str, object]) -> None:
    """Queue a message for each active webhook that is told of an event, in the caller's transaction."""
    at = now()
    for webhook_id in session.scalars(_listening(event)):
        session.add(
            WebhookDelivery(
                webhook_id=webhook_id,
                message_id=uuid4(),
                event=event,
                payload=dict(payload),
                created_at=at,
                next_try_at=at,
            )
        )


def _listening(event: str) -> Select[int]:
    return select(Webhook.id).where(Webhook.active, Webhook.events.contains([event]))


def send_again(webhook_id: int, delivery_id: int) -> bool:
    """Queue a delivery once more, with all its attempts; False when there is none."""
    with transaction() as session:
        found = session.scalar(
            update(WebhookDelivery)
            .where(WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook_id)
            .values(next_try_at=now(), attempts=0, delivered_at=None)
            .returning(WebhookDelivery.id)
        )
        return found is not None


def forget_deliveries() -> None:
    """Delete the log of deliveries that are older than KEPT and ended."""
    with transaction() as session:
        session.execute(
            delete(WebhookDelivery).where(
                WebhookDelivery.created_at < now() - KEPT, WebhookDelivery.next_try_at.is_(None)
            )
        )
