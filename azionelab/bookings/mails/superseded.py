"""Finds mails that need not be sent: a newer one about the same booking has the same text, or a reminder is outdated.

A mail's text is made when it is sent. After an outage, or when a visitor is quick, the mail with the ticket of
a booking that was cancelled meanwhile would say the same as the mail about the cancellation.
"""

from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from azionelab.bookings.mails.texts import effective_kind
from azionelab.bookings.models import Reservation
from azionelab.mail.models import Delivery, Mail, MailKind
from azionelab.settings.night import NEAR

SUPERSEDED = "superseded"  # the remark of such a mail
UNSUBSCRIBED = "unsubscribed"  # of a reminder or message that its visitor wanted no more
ENDED = "ended"  # of a link whose offer has ended, or that would show no booking any more
OUTDATED = "outdated"  # of a reminder that was not sent, since it is not true any more


def is_outdated(mail: Mail, reservation: Reservation, at: datetime) -> bool:
    """Whether a mail is a reminder of what is not to come any more, or a question that nobody can answer in time.

    The party or the performance was cancelled, it begins at another time, or has begun, or the party is there. Of one to
    whoever waits: it does so no more.
    """
    if mail.curtain is None or mail.hours_before is None:
        return False
    curtain = reservation.performance.starts_at
    deadline = mail.curtain - timedelta(hours=mail.hours_before)
    if mail.kind == MailKind.QUESTION and at >= deadline - NEAR:
        return True
    expected = reservation.has_ticket and reservation.admitted == 0
    if mail.kind == MailKind.NEAR:
        expected = reservation.is_waiting and reservation.performance.show.published
    return not expected or curtain != mail.curtain or curtain <= at


def is_superseded(session: Session, mail: Mail) -> bool:
    """Whether a newer mail has the same text, and still waits or was sent after this one was asked for.

    A mail that staff send again, because it never arrived, is sent: the newer one was sent before that.
    """
    if mail.kind in (MailKind.MESSAGE, MailKind.MY_BOOKINGS, MailKind.HAND_OVER):
        return False
    reservation: Reservation = mail.reservation
    kind = effective_kind(MailKind(mail.kind), reservation)
    alike = [other for other in MailKind if effective_kind(other, reservation) is kind]
    asked_at = mail.resent_at or mail.created_at
    newer = select(Mail.id).where(
        Mail.reservation_id == reservation.id,
        Mail.kind.in_(alike),
        tuple_(Mail.created_at, Mail.id) > tuple_(mail.created_at, mail.id),
        or_(
            Mail.delivery == Delivery.QUEUED,
            and_(Mail.delivery == Delivery.SENT, Mail.sent_at > asked_at),
        ),
    )
    return bool(session.scalar(select(func.count()).select_from(newer.subquery())))
