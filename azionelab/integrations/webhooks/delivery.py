"""Sends what waits for a webhook: one attempt each, with growing pauses (standardwebhooks.com)."""

import json
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import urllib3
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import select, update

from azionelab.database import db, now, transaction
from azionelab.database.transactions import commit_read_transaction
from azionelab.extensions import job_within
from azionelab.integrations.models import Webhook, WebhookDelivery
from azionelab.integrations.webhooks.addresses import AddressRefused, check_url, resolve
from azionelab.integrations.webhooks.signing import signature_header

QUEUE = "webhooks"
DELIVER_JOB = "webhooks.deliver"
# After the first attempt, and each one that failed: about three days in all.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 600, 840, 1200, 1440))
_BATCH = 50  # deliveries of one webhook in one run of the job
_LIMITS = urllib3.Timeout(connect=5, read=10)  # seconds
_GIVE_UP_AFTER = 3  # failures in one run: the receiver is down, the others wait
_ADDRESS_REFUSED = "address refused"


@dataclass(frozen=True)
class _Message:
    delivery_id: int
    url: str
    key: UUID
    message_id: str
    body: bytes
    attempts: int


def webhooks_due() -> list[int]:
    """The active webhooks for which something waits."""
    due = (
        select(WebhookDelivery.webhook_id)
        .join(WebhookDelivery.webhook)
        .where(Webhook.active, WebhookDelivery.next_try_at <= now())
        .distinct()
    )
    return list(db.session.scalars(due))


def enqueue_due() -> None:
    """Enqueue a job for each webhook for which something waits: one that does not answer delays no other."""
    for webhook_id in webhooks_due():
        # One at a time sends for a webhook, and at most one more waits.
        lock = f"webhook {webhook_id}"
        with suppress(AlreadyEnqueued), transaction() as session:
            job_within(session, DELIVER_JOB, queue=QUEUE, lock=lock, queueing_lock=lock).defer(
                webhook_id=webhook_id
            )


def deliver_due(webhook_id: int) -> None:
    """Send what is due for one webhook, the oldest first.

    The caller runs one of these at a time for a webhook. A crash after sending sends once more, never not at all:
    receivers know a message by its `webhook-id`.
    """
    failures = 0
    for message in _read_due(webhook_id):
        error = _send(message)
        _note(message, error)
        failures += bool(error)
        if failures >= _GIVE_UP_AFTER:
            return


def _read_due(webhook_id: int) -> list[_Message]:
    rows = db.session.execute(
        select(WebhookDelivery, Webhook.url, Webhook.key)
        .join(WebhookDelivery.webhook)
        .where(Webhook.id == webhook_id, Webhook.active, WebhookDelivery.next_try_at <= now())
        .order_by(WebhookDelivery.id)
        .limit(_BATCH)
    ).all()
    messages = [
        _Message(row.id, url, key, str(row.message_id), _body(row), row.attempts)
        for row, url, key in rows
    ]
    commit_read_transaction(db.session())  # nothing slow happens in a transaction
    return messages


def _body(delivery: WebhookDelivery) -> bytes:
    content = {
        "type": delivery.event,
        "timestamp": delivery.created_at.isoformat(),
        "data": delivery.payload,
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _send(message: _Message) -> str:
    """Send one message; the error in a few words, "" when it was accepted (2xx)."""
    try:
        parts = check_url(message.url)
        address, port = resolve(parts)
    except AddressRefused:
        return _ADDRESS_REFUSED
    timestamp = int(now().timestamp())
    headers = {
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "User-Agent": "AzioneLab webhooks",
        "webhook-id": message.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature_header(
            message.key, message.message_id, timestamp, message.body
        ),
    }
    target = urlsplit(message.url)._replace(scheme="", netloc="", fragment="").geturl() or "/"
    try:
        with _pool(parts.scheme, address, port, parts.hostname) as pool:
            answer = pool.request(
                "POST", target, body=message.body, headers=headers, redirect=False, retries=False
            )
    except urllib3.exceptions.HTTPError as error:
        return type(error).__name__
    return "" if 200 <= answer.status < 300 else f"status {answer.status}"


def _pool(scheme: str, address: str, port: int, name: str | None) -> urllib3.HTTPConnectionPool:
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=_LIMITS)
    return urllib3.HTTPSConnectionPool(
        address,
        port,
        timeout=_LIMITS,
        ssl_context=ssl.create_default_context(),
        server_hostname=name,
        assert_hostname=name,
    )


def _note(message: _Message, error: str) -> None:
    at = now()
    with transaction() as session:
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.id == message.delivery_id)
            .values(
                attempts=message.attempts + 1,
                last_error=error,
                delivered_at=None if error else at,
                next_try_at=_next_try(message.attempts, at) if error else None,
            )
        )


def _next_try(attempts: int, at: datetime) -> datetime | None:
    return at + PAUSES[attempts] if attempts < len(PAUSES) else None
