"""Asks on the day those who wait whether they are near: one mail each, three hours before the curtain."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, or_, select

from azionelab.bookings.models import Reservation
from azionelab.bookings.reminders.sending import coming_evenings, has_mail, write_some
from azionelab.bookings.reminders.unsubscribing import IS_UNSUBSCRIBED
from azionelab.mail.models import Mail, MailKind
from azionelab.settings.night import Night, theatres_night
from azionelab.shows.models import Performance, Show
from azionelab.waitlist.line import WAITS
from azionelab.waitlist.near import OPEN_FROM

_HOURS = OPEN_FROM // timedelta(hours=1)


def is_due(curtain: datetime, at: datetime, night: Night) -> bool:
    """Whether those who wait are asked `at` a moment: from OPEN_FROM on, until half of what is left has passed.

    Never at night, also when the curtain is near: nobody is woken to be near a theatre. After a night they are asked in the
    morning, if the curtain is still to come.
    """
    opens_at = curtain - OPEN_FROM
    since = night.end_of(opens_at) or opens_at
    return since <= at < since + (curtain - since) / 2 and night.end_of(at) is None


def write_due(at: datetime) -> int:
    """Write the mails that are due; how many. Run again, it continues and writes none twice."""
    night, total = theatres_night(), 0
    for performance_id, curtain, _of_show in coming_evenings(at):
        if is_due(curtain, at, night):
            to_ask = _to_ask(performance_id, curtain, at)
            while written := write_some(MailKind.NEAR, curtain, _HOURS, at, to_ask):
                total += written
    return total


def _to_ask(performance_id: int, curtain: datetime, at: datetime) -> Select[UUID]:
    """Who waits and does not know it yet: neither from the page, in line since it can be said, nor from another mail."""
    opens_at = curtain - OPEN_FROM
    return (
        select(Reservation.id)
        .join(Reservation.performance)
        .join(Performance.show)
        .where(
            Reservation.performance_id == performance_id,
            Performance.starts_at == curtain,
            Performance.cancelled_at.is_(None),
            Show.published,
            WAITS,
            Reservation.waiting_since <= opens_at,
            or_(Reservation.near_until.is_(None), Reservation.near_until <= at),
            ~has_mail(Mail.kind == MailKind.NEAR, Mail.curtain == curtain),
            ~has_mail(Mail.kind == MailKind.LAPSED, Mail.created_at > opens_at),
            ~IS_UNSUBSCRIBED,
        )
        .order_by(Reservation.id)
    )
