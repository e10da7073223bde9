"""The mail by which somebody finds the coming bookings of their address again, and the short-lived link in it.

The link opens a page that lists them. It names one booking of the address: when that one's address is corrected or
handed over, the link ends like the booking's own (visitor_links.py).
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from flask import current_app, render_template
from flask_babel import force_locale, gettext
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from azionelab.bookings.models import Reservation, State
from azionelab.bookings.visitor_links import is_linked, link_identity
from azionelab.database import db, now, transaction
from azionelab.extensions import job_within
from azionelab.mail.delivery import NOBODYS_DOMAIN
from azionelab.mail.message import Message, message_id
from azionelab.mail.outbox import QUEUE
from azionelab.mail.smtp import Refused, send
from azionelab.shows.models import Performance
from azionelab.tokens import signing_keys
from azionelab.validation.email_addresses import mailbox_key
from azionelab.web.site_urls import site_url

logger = logging.getLogger(__name__)

LINK_LIFE = timedelta(hours=2)  # since it was sent
JOB = "bookings.send_my_bookings"


class LinkExpired(Exception):
    """The link is forged, too old, or its booking belongs to another address by now."""


def ask_for_bookings(email: str) -> None:
    """Enqueue the mail to an address that has coming bookings; nothing for any other one."""
    with transaction() as session:
        newest = session.scalar(
            _coming(mailbox_key(email)).order_by(Reservation.created_at.desc()).limit(1)
        )
        if newest is not None:
            job_within(session, JOB, queue=QUEUE).defer(reservation_id=str(newest.id))


def send_bookings(reservation_id: UUID, sending: str) -> None:
    """Send the mail about the bookings of a reservation's address, unless it has none to come any more.

    `sending` names the job, which may run again: the Message-ID stays the same. A refusal for good is final.
    """
    message = _message(reservation_id)
    if message is None:
        return
    config = current_app.config["AZIONELAB"]
    if config.debug and config.mail_server is None:
        logger.info("the link to all bookings of an address: %s", message.link)
        return
    if message.recipient.casefold().endswith(NOBODYS_DOMAIN):
        return
    try:
        send(message, message_id(f"my-bookings.{sending}"))
    except Refused:
        return


def make_list_token(reservation: Reservation) -> str:
    """The token of a link to all coming bookings of a reservation's address, valid for LINK_LIFE."""
    return str(_signer().dumps(link_identity(reservation).hex))


def bookings_of_link(token: str) -> Sequence[Reservation]:
    """The coming bookings of a link's address, by start; raises LinkExpired."""
    try:
        identity = UUID(_signer().loads(token, max_age=int(LINK_LIFE.total_seconds())))
    except (BadSignature, ValueError) as error:
        raise LinkExpired from error
    named = db.session.scalar(select(Reservation).where(is_linked(identity)))
    if named is None or named.email_key is None:
        raise LinkExpired
    return _list(db.session(), named.email_key)


def _message(reservation_id: UUID) -> Message | None:
    reservation = db.session.get(Reservation, reservation_id, populate_existing=True)
    if reservation is None or reservation.email_key is None:
        return None
    coming = _list(db.session(), reservation.email_key)
    if not coming:
        return None
    with force_locale(reservation.locale):
        link = site_url("bookings.my_bookings_list", token=make_list_token(reservation))
        subject = gettext("Your bookings")
        facts = {
            "subject": subject,
            "bookings": coming,
            "link": link,
            "hours": LINK_LIFE // timedelta(hours=1),
        }
        return Message(
            recipient=reservation.email,
            subject=subject,
            text=render_template("mail/my_bookings.txt", **facts),
            html=render_template("mail/my_bookings.html", **facts),
            link=link,
        )


def _list(session: Session, email_key: str) -> Sequence[Reservation]:
    return session.scalars(_coming(email_key).order_by(Performance.starts_at, Reservation.id)).all()


def _coming(email_key: str) -> Select[Reservation]:
    return (
        select(Reservation)
        .join(Reservation.performance)
        .where(
            Reservation.email_key == email_key,
            or_(Reservation.is_live, Reservation.state == State.WAITING),
            Performance.starts_at > now(),
        )
        .options(
            joinedload(Reservation.performance).joinedload(Performance.show),
            joinedload(Reservation.performance).joinedload(Performance.venue),
        )
    )


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing_keys(), salt="my-bookings")
