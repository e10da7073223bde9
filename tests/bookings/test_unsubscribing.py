"""Reminders and messages end when their visitor wants no more; other mails do not."""

from email import message_from_bytes

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from azionelab.bookings.audience.models import Whom
from azionelab.bookings.audience.selection import count_audience
from azionelab.bookings.mails.messages import read_draft
from azionelab.bookings.mails.superseded import UNSUBSCRIBED
from azionelab.bookings.reminders.sending import write_due
from azionelab.bookings.reminders.unsubscribing import find_subscriber, unsubscribe
from azionelab.database import db, now
from azionelab.mail.message import Message
from azionelab.mail.mime import encode
from azionelab.mail.models import Mail
from tests.bookings.test_reminders import HOUR, by_day, long_ago, newest, reminded
from tests.factories import a_party, a_performance, visitor_token

__all__ = ["by_day"]
pytestmark = pytest.mark.usefixtures("by_day")


def headers(message: Message) -> dict[str, str]:
    content = encode(message, "<1@x>", sender="a@b.example", reply_to=None).as_bytes()
    return {
        name: value
        for name, value in message_from_bytes(content).items()
        if name.startswith("List-")
    }


def test_one_click_of_the_mailbox_ends_reminders_of_that_booking_alone(client: FlaskClient) -> None:
    performance = a_performance(20, starts_at=now() + 48 * HOUR)
    party, other = a_party(performance), a_party(performance)
    long_ago(party, other)
    write_due(now())
    mail = newest(party).id
    draft = read_draft(mail)
    assert draft is not None
    message = draft.build()
    sent = headers(message)
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = sent["List-Unsubscribe"].strip().strip("<>")
    assert address in message.text
    assert message.kept is not None
    assert address not in message.kept.text
    path = address.partition("://")[2].partition("/")[2]
    # Another link opens nothing here, and this one no booking.
    assert client.post(f"/en/bookings/{visitor_token(party)}/unsubscribe").status_code == 404
    assert client.get("/" + path.removesuffix("/unsubscribe")).status_code == 404
    assert client.get("/" + path).status_code == 200
    assert read_draft(mail).needless is None  # type: ignore[union-attr]
    for _ in range(2):
        clicked = client.post("/" + path, data={"List-Unsubscribe": "One-Click"})
        assert clicked.status_code == 200
    assert read_draft(mail).needless == UNSUBSCRIBED  # type: ignore[union-attr]
    write_due(performance.starts_at - 3 * HOUR)
    assert (reminded(party), reminded(other)) == (1, 2)
    assert count_audience(Whom.CONFIRMED, [performance.id]).recipients == 1


def test_other_mails_have_no_such_link() -> None:
    party = a_party(a_performance())
    unsubscribe(party.id, now())
    ticket = db.session.scalars(
        select(Mail.id).where(Mail.reservation_id == party.id, Mail.kind == "ticket")
    ).one()
    draft = read_draft(ticket)
    assert draft is not None
    assert draft.needless is None
    assert headers(draft.build()) == {}
    assert find_subscriber(visitor_token(party)) is None
