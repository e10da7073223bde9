"""Which mails need not be sent any more: a newer one about the same booking says what they would say.

A mail's text is made when it is sent. After an outage, or when a visitor is quick, the ticket of a booking
that was cancelled meanwhile would tell of the cancellation, and so would the mail about it.
"""

from sqlalchemy import and_, func, or_, select, tuple_

from azionelab.database import transaction
from azionelab.mail.models import Delivery, Kind, Mail
from azionelab.mail.words import told_of

SUPERSEDED = "superseded"  # the remark of such a mail


def is_superseded(mail: Mail) -> bool:
    """Whether a newer mail says the same, and still waits or was sent after this one was asked for.

    One that staff send once more, because it never arrived, goes: the newer one was sent before that.
    """
    reservation = mail.reservation
    told = told_of(Kind(mail.kind), reservation)
    alike = [kind for kind in Kind if told_of(kind, reservation) is told]
    asked_at = mail.resent_at or mail.created_at
    with transaction() as session:
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
