"""A visitor sees, downloads and erases what is kept of their address, by a link that is mailed to it.

The erasure has two steps: the press ends what cannot go on without an address and notes what was asked for; then the worker
says by mail that it is done, and erases.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import force_locale, gettext
from procrastinate.types import JSONDict
from sqlalchemy import select

from azionelab.bookings.erasure import erase_person
from azionelab.bookings.errors import ReservationChanged
from azionelab.bookings.history import By
from azionelab.bookings.locks import lock_performances, lock_reservations
from azionelab.bookings.mails.address_links import (
    LINK_LIFE,
    AddressLink,
    send_unrecorded,
    write_message,
)
from azionelab.bookings.models import Reservation
from azionelab.bookings.people.persons import bookings_of_mailbox
from azionelab.bookings.transitions import parties, waitlist
from azionelab.database import db, now, transaction
from azionelab.extensions import job_within
from azionelab.mail.message import Message
from azionelab.mail.outbox import QUEUE
from azionelab.mail.smtp import Unreachable
from azionelab.web.site_urls import site_url

SEND_JOB = "bookings.send_my_data"
MY_DATA = AddressLink(
    name="my-data",
    endpoint="bookings.my_data_page",
    find=bookings_of_mailbox,
    enqueue=lambda session, reservation_id: job_within(session, SEND_JOB, queue=QUEUE).defer(
        reservation_id=str(reservation_id)
    ),
)
ERASE_JOB = "bookings.erase_my_data"


def send_link(reservation_id: UUID, sending: str) -> None:
    """Send the link to a reservation's address, unless nothing is kept of it any more. Raises Unreachable.

    `sending` names the job, which may run again: the Message-ID stays the same. A refusal for good is final.
    """
    reservation = db.session.get(Reservation, reservation_id, populate_existing=True)
    if reservation is None or reservation.email_key is None:
        return
    if not MY_DATA.find(reservation.email_key):
        return
    with force_locale(reservation.locale):
        message = write_message(
            reservation.email,
            gettext("Your data"),
            "my_data",
            link=MY_DATA.make_url(reservation),
            hours=LINK_LIFE // timedelta(hours=1),
        )
    send_unrecorded(message, f"{MY_DATA.name}.{sending}")


def can_still_come(reservation: Reservation, at: datetime) -> bool:
    """Whether a booking has a ticket for a performance to come, of which nobody is in."""
    coming = reservation.performance.starts_at > at
    return reservation.has_ticket and coming and not reservation.admitted


def ask_to_erase(reservation_ids: Collection[UUID], *, cancel_coming: bool) -> int:
    """Note that a visitor wants their data erased, and enqueue it; from how many bookings. Again: from none.

    What is not confirmed ends: places in line and holds, which need an address. Bookings to come are cancelled if the
    visitor says so; otherwise they keep seats and ticket, as in `erase_person`. Nothing is mailed about them: the mail of
    the erasure names them.

    Raises ReservationUnknown, ReservationChanged when staff moved one meanwhile.
    """
    with transaction() as session:
        evenings = session.scalars(
            select(Reservation.performance_id).where(Reservation.id.in_(reservation_ids))
        ).all()
        locked = lock_performances(session, *evenings)
        at = now()
        asked = [
            one
            for one in lock_reservations(session, *reservation_ids).values()
            if one.erased_at is None and one.erasure_requested_at is None
        ]
        for reservation in asked:
            if reservation.performance_id not in locked:
                raise ReservationChanged
            reservation.erasure_requested_at = at
            if reservation.is_waiting:
                waitlist.leave(session, reservation, By.VISITOR)
            elif _ends(reservation, at, cancel_coming=cancel_coming):
                parties.cancel(session, reservation, By.VISITOR, with_mail=False)
        if asked:
            args: JSONDict = {"reservation_ids": [str(one.id) for one in asked]}
            job_within(session, ERASE_JOB, queue=QUEUE).defer(**args)
        return len(asked)


def _ends(reservation: Reservation, at: datetime, *, cancel_coming: bool) -> bool:
    if reservation.is_pending:
        return not reservation.is_lapsed(at)
    return cancel_coming and can_still_come(reservation, at)


def erase_as_asked(reservation_ids: Sequence[UUID], sending: str, *, last_try: bool) -> None:
    """Say by mail that the data of these bookings are erased, and erase them. Again: nothing.

    The mail comes first, while there is an address. `sending` names the job, which may run again. Raises Unreachable when
    it should be tried again; after the last try the data are erased without a mail.
    """
    with transaction() as session:
        found = session.scalars(
            select(Reservation)
            .where(Reservation.id.in_(reservation_ids), Reservation.erased_at.is_(None))
            .order_by(Reservation.created_at.desc())
        ).all()
        message = _message(found)
    if message is not None:
        try:
            send_unrecorded(message, f"data-erased.{sending}")
        except Unreachable:
            if not last_try:
                raise
    erase_person([one.id for one in found])


def _message(found: Sequence[Reservation]) -> Message | None:
    """The mail of the erasure of these bookings; None when they have no address."""
    written_to = next((one for one in found if one.email), None)
    if written_to is None:
        return None
    at = now()
    with force_locale(written_to.locale):
        return write_message(
            written_to.email,
            gettext("Your data have been erased"),
            "data_erased",
            link=site_url("shows.programme"),
            number=len(found),
            cancelled=[one for one in found if _ended_on_request(one)],
            kept=[one for one in found if can_still_come(one, at)],
        )


def _ended_on_request(reservation: Reservation) -> bool:
    """Whether a booking was ended by the press that asked for the erasure."""
    asked, ended = reservation.erasure_requested_at, reservation.ended_at
    return (
        asked is not None
        and ended is not None
        and ended >= asked
        and reservation.ended_by == By.VISITOR
    )
