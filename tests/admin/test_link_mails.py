"""The mails "My bookings" and "seats for a friend" as staff see them."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import rules as bookings
from azionelab.bookings.hand_over import rules as hand_over
from azionelab.bookings.hand_over.mail import make_friend_token
from azionelab.bookings.mails.my_bookings import MY_BOOKINGS
from azionelab.bookings.mails.resending import resend_newest
from azionelab.bookings.mails.templates.models import TemplateName, TemplateText
from azionelab.bookings.mails.templates.stored import TextKey, save_text
from azionelab.mail.models import Mail, MailKind
from azionelab.ops.processes.worker import run_worker
from tests.factories import a_party, a_performance, an_offer, fresh, visitor_token
from tests.support.people import press
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
BEA = "bea@example.org"


@pytest.fixture
def work(make_app: Callable[..., Flask], smtp_server: SmtpServer) -> Callable[[], None]:
    """Send the mails that are due, as the worker does."""
    app = make_app(MAIL_PORT=str(smtp_server.port))
    return lambda: run_worker(app, once=True)


def newest(database: Database, kind: str) -> Any:
    (row,) = database.execute(
        "SELECT * FROM mail WHERE kind = %s ORDER BY created_at DESC LIMIT 1", [kind]
    ).fetchall()
    return row


def test_a_friends_mail_is_listed_with_the_friends_address_and_sent_again(
    work: Callable[[], None], staff: FlaskClient, smtp_server: SmtpServer, database: Database
) -> None:
    offered = an_offer(a_party(a_performance(), email="ada@example.org"), email=BEA)
    smtp_server.refuse_recipients = "550 5.1.1 no such user"
    work()
    mail = newest(database, "hand_over")
    assert (mail.delivery, mail.refusal) == ("failed", "recipient")
    shown = staff.get("/admin/mails/?flt0_0=failed").text
    assert "seats for a friend" in shown
    assert "bea@<wbr>example.<wbr>org" in shown
    page = f"/admin/mails/details/?id={mail.id}"
    # That form would change the address of the booking, which is somebody else's.
    assert 'id="correct"' not in staff.get(page).text
    smtp_server.accept()
    assert "sent again" in press(staff, "/admin/mails/resend/", id=str(mail.id)).text
    work()
    assert [m.recipients for m in smtp_server.messages if BEA in m.recipients] == [[BEA]]
    told = staff.get(page).text
    assert "What the mail said when it was sent" in told
    assert make_friend_token(offered.id) not in told
    assert "•••••" in told


def test_a_friend_is_not_written_to_once_the_offer_has_ended(
    work: Callable[[], None], staff: FlaskClient, smtp_server: SmtpServer, database: Database
) -> None:
    party = a_party(a_performance())
    an_offer(party, email=BEA)
    hand_over.withdraw(party.id)
    work()
    mail = newest(database, "hand_over")
    assert (mail.delivery, mail.last_error) == ("not_sent", "ended")
    assert "what it leads to has ended" in staff.get("/admin/mails/").text
    assert not [m for m in smtp_server.messages if BEA in m.recipients]


def test_the_link_to_all_bookings_is_listed_and_not_kept(
    work: Callable[[], None], staff: FlaskClient, smtp_server: SmtpServer, database: Database
) -> None:
    party = a_party(a_performance(), email="ada@example.org")
    MY_BOOKINGS.ask("ada@example.org")
    work()
    mail = newest(database, "my_bookings")
    assert mail.delivery == "sent"
    (sent,) = [m for m in smtp_server.messages if "/my-bookings/" in m.text()]
    token = next(word for word in sent.text().split() if "/my-bookings/" in word).rpartition("/")[2]
    told = staff.get(f"/admin/mails/details/?id={mail.id}").text
    assert party.reference in told
    assert token not in told
    kept = database.execute("SELECT text FROM mail_text WHERE mail_id = %s", [mail.id]).fetchone()
    assert token not in kept.text
    assert "/my-bookings/•••••" in kept.text
    bookings.cancel(party.id)
    press(staff, "/admin/mails/resend/", id=str(mail.id))
    work()
    assert newest(database, "my_bookings").last_error == "ended"


def test_a_party_gets_its_ticket_again_and_not_its_friends_mail() -> None:
    party = a_party(a_performance())
    an_offer(party, email=BEA)
    MY_BOOKINGS.ask(fresh(party.id).email)
    mail: Mail = resend_newest(party.id)
    assert mail.kind == MailKind.TICKET


def test_the_theatre_writes_to_friends_in_its_own_words(
    work: Callable[[], None], smtp_server: SmtpServer
) -> None:
    body = "{name} invites you: {seats}, until {until}.\n\n{button}"
    text = TemplateText("Come with us to {show}", "An invitation", body)
    save_text(TextKey(TemplateName.FOR_FRIEND, "en"), text, seen=0, by=None)
    party = a_party(a_performance(), name="Ada Rossi")
    offered = an_offer(party, email=BEA)
    work()
    (mail,) = [m for m in smtp_server.messages if BEA in m.recipients]
    assert mail.message["Subject"].startswith("Come with us to Show")
    for part in (mail.text(), mail.html()):
        assert "Ada Rossi\u2069 invites you: 2 seats, until" in part
        assert make_friend_token(offered.id) in part
        assert visitor_token(party) not in part
        assert party.reference not in part
