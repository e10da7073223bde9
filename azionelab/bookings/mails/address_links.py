"""Short-lived links that are mailed to an address: whoever opens one reads its mailbox. There is no account.

A link names one booking of the address, and no address: when that one's address is corrected or handed over, the link
ends like the booking's own (visitor_links.py). "My bookings" is a mail like all others, of the booking that it names;
those about a visitor's data are no rows of the outbox, since they are about what is to be erased.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import current_app, render_template
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from azionelab.bookings.models import Reservation
from azionelab.bookings.visitor_links import is_linked, link_identity
from azionelab.database import db, transaction
from azionelab.mail.delivery import NOBODYS_DOMAIN
from azionelab.mail.message import Message, message_id
from azionelab.mail.smtp import Refused, send
from azionelab.tokens import signing_keys
from azionelab.validation.email_addresses import mailbox_key
from azionelab.web.site_urls import site_url

logger = logging.getLogger(__name__)

LINK_LIFE = timedelta(hours=2)  # since it was sent


class LinkExpired(Exception):
    """The link is forged, too old, or its booking belongs to another address by now."""


@dataclass(frozen=True)
class AddressLink:
    """One kind of link: the page that it opens, and which bookings of a mailbox it is about.

    `name` is the tokens' salt. `find` takes the key of a mailbox, `enqueue` the booking whose address is written to.
    """

    name: str
    endpoint: str
    find: Callable[[str], Sequence[Reservation]]
    enqueue: Callable[[Session, UUID], object]

    def ask(self, email: str) -> None:
        """Enqueue the mail to an address that has such bookings; nothing for any other one."""
        with transaction() as session:
            found = self.find(mailbox_key(email))
            if found:
                newest = max(found, key=lambda one: one.created_at)
                self.enqueue(session, newest.id)

    def make_url(self, reservation: Reservation) -> str:
        """A link that names a reservation, valid for LINK_LIFE."""
        return site_url(self.endpoint, token=self.make_token(reservation))

    def make_token(self, reservation: Reservation) -> str:
        """The token of such a link."""
        return str(self._signer().dumps(link_identity(reservation).hex))

    def open(self, token: str) -> Sequence[Reservation]:
        """The bookings of a link's mailbox; raises LinkExpired."""
        try:
            seconds = int(LINK_LIFE.total_seconds())
            identity = UUID(self._signer().loads(token, max_age=seconds))
        except (BadSignature, ValueError) as error:
            raise LinkExpired from error
        named = db.session.scalar(select(Reservation).where(is_linked(identity)))
        if named is None or named.email_key is None:
            raise LinkExpired
        return self.find(named.email_key)

    def _signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(signing_keys(), salt=self.name)


def write_message(
    recipient: str, subject: str, template: str, *, link: str, **facts: object
) -> Message:
    """A message of `mail/<template>.txt` and `.html`, in the current language."""
    shown = {"subject": subject, "link": link, **facts}
    return Message(
        recipient=recipient,
        subject=subject,
        text=render_template(f"mail/{template}.txt", **shown),
        html=render_template(f"mail/{template}.html", **shown),
        link=link,
    )


def send_unrecorded(message: Message, name: str) -> None:
    """Send a message that is no row of the outbox; `name` makes its Message-ID. A refusal for good is final.

    Raises Unreachable. In development without a mail server its link is logged.
    """
    config = current_app.config["AZIONELAB"]
    if config.debug and config.mail_server is None:
        logger.info("%s: %s", message.subject, message.link)
        return
    if message.recipient.casefold().endswith(NOBODYS_DOMAIN):
        return
    try:
        send(message, message_id(name))
    except Refused:
        return
