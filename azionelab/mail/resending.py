"""Sending all again that failed since some moment: how many, the doing in batches, how far it is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false, func, or_, select, true

from azionelab.bookings.models import Reservation, State
from azionelab.database import db, transaction
from azionelab.extensions import jobs
from azionelab.mail.models import Delivery, Mail
from azionelab.mail.outbox import QUEUE, defer_sending
from azionelab.mail.replies import Fault

RESEND_JOB = "mail.resend_failed"
_BATCH = 100  # mails in one transaction
# Nobody can be written to any more whose address is erased.
_FAILED = (Mail.delivery == Delivery.FAILED, Reservation.email != "")


@dataclass(frozen=True)
class Failed:
    """Mails that failed since a moment. Of `mails`, so many are of bookings that have `ended`.

    `bad_addresses` are not among them: the server says that there is no such mailbox.
    """

    mails: int
    ended: int
    bad_addresses: int


@dataclass(frozen=True)
class Progress:
    """How far the mails are that were put back at one press; `done` without a mail: a newer one told all."""

    waiting: int
    sent: int
    failed: int
    done: int

    @property
    def mails(self) -> int:
        """How many there are."""
        return self.waiting + self.sent + self.failed + self.done


def count_failed(since: datetime) -> Failed:
    """Count the mails that failed since then and can be sent again."""
    good = Mail.refusal != Fault.RECIPIENT
    ended = Reservation.state.in_((State.CANCELLED, State.EXPIRED))
    row = db.session.execute(
        select(
            func.count().filter(good),
            func.count().filter(good, ended),
            func.count().filter(~good),
        )
        .select_from(Mail)
        .join(Mail.reservation)
        .where(*_failed_since(since))
    ).one()
    return Failed(*row)


def failed_mails() -> tuple[int, datetime | None]:
    """How many mails failed that can be sent again, bad addresses too, and since when."""
    count, first = db.session.execute(
        select(func.count(), func.min(_failed_at()))
        .select_from(Mail)
        .join(Mail.reservation)
        .where(*_FAILED)
    ).one()
    return count, first


def resend_failed(since: datetime, asked_at: datetime, *, bad_addresses: bool = False) -> int:
    """Queue what failed between `since` and `asked_at`; how many mails. Done again it goes on where it was.

    Mails to `bad_addresses` stay as they are unless they are asked for.
    """
    total = 0
    while batch := _resend_some(since, asked_at, bad_addresses=bad_addresses):
        total += batch
    return total


def enqueue_resending(since: datetime, asked_at: datetime, *, bad_addresses: bool) -> None:
    """Have the worker send again what failed since then; `asked_at` names the press."""
    with transaction() as session:
        jobs.configure_task(
            RESEND_JOB,
            queue=QUEUE,
            connection=session.connection().connection.driver_connection,
        ).defer(since=since.isoformat(), asked_at=asked_at.isoformat(), bad_addresses=bad_addresses)


def read_progress(asked_at: datetime) -> Progress:
    """How far the mails are that were asked for at that moment."""
    rows = db.session.execute(
        select(Mail.delivery, func.count())
        .where(Mail.resent_at == asked_at)
        .group_by(Mail.delivery)
    )
    found = {row[0]: row[1] for row in rows}
    states = (Delivery.QUEUED, Delivery.SENT, Delivery.FAILED, Delivery.NOT_SENT)
    return Progress(*(found.get(state, 0) for state in states))


def _resend_some(since: datetime, asked_at: datetime, *, bad_addresses: bool) -> int:
    with transaction() as session:
        mails = session.scalars(
            select(Mail)
            .join(Mail.reservation)
            .where(
                *_failed_since(since),
                _failed_at() <= asked_at,
                or_(Mail.resent_at.is_(None), Mail.resent_at < asked_at),
                or_(true() if bad_addresses else false(), Mail.refusal != Fault.RECIPIENT),
            )
            .order_by(Mail.created_at, Mail.id)
            .limit(_BATCH)
            # Two jobs for the same press, or somebody who sends one of them by hand.
            .with_for_update(of=Mail, skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        for mail in mails:
            mail.delivery, mail.last_error, mail.resent_at = Delivery.QUEUED, "", asked_at
            defer_sending(session, mail.id)
        return len(mails)


def _failed_at() -> ColumnElement[datetime]:
    return func.coalesce(Mail.tried_at, Mail.created_at)  # release 0.3 noted no time


def _failed_since(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return *_FAILED, _failed_at() >= since
