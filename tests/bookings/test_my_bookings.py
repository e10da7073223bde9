"""All coming bookings of an address, by a link that is mailed to it."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner
from sqlalchemy import select
from werkzeug.test import TestResponse

from azionelab.bookings import rules
from azionelab.bookings.box_office.changes import change_party, entries_of
from azionelab.bookings.mails.address_links import LINK_LIFE
from azionelab.bookings.mails.messages import read_draft
from azionelab.bookings.mails.my_bookings import MY_BOOKINGS
from azionelab.bookings.mails.superseded import ENDED
from azionelab.database import db, now
from azionelab.mail.models import Mail, MailKind
from azionelab.waitlist.rules import join
from tests.bookings.test_pages import ENGLISH, bookings, fields
from tests.factories import a_party, a_performance, a_visitor, fresh, let_lapse, visitor_token
from tests.support.processes import eventually
from tests.support.smtp import Delivered, SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")
ADA = "ada@example.org"
FORM = "/en/my-bookings"


def ask(client: FlaskClient, email: str) -> TestResponse:
    form = fields(client.get(FORM).text) | {"email": email}
    return client.post(FORM, data=form, headers=ENGLISH)


def open_list(client: FlaskClient, token: str) -> TestResponse:
    return client.get(f"{FORM}/{token}", headers=ENGLISH)


@pytest.mark.usefixtures("worker")
def test_who_lost_the_mails_finds_all_bookings_to_come(
    app: Flask, client: FlaskClient, smtp_server: SmtpServer
) -> None:
    second = a_party(a_performance(starts_at=now() + timedelta(days=2)), 4, email=ADA)
    first = a_party(a_performance(), 3, email="Ada@Example.org")
    waiting = a_party(a_performance(), email=ADA, confirmed=False)
    cancelled, others = a_party(a_performance(), email=ADA), a_party(a_performance())
    rules.cancel(cancelled.id)
    answer = ask(client, "ADA@example.org")
    assert answer.status_code == 303
    shown = client.get(answer.location, headers=ENGLISH).text
    assert "If ADA@example.org has bookings to come" in shown
    assert "has bookings to come, our" not in client.get(answer.location, headers=ENGLISH).text

    def sent() -> list[Delivered]:
        return [m for m in smtp_server.messages if m.message["Subject"] == "Your bookings"]

    eventually(lambda: len(sent()) == 1, "the mail")
    (mail,) = sent()
    assert mail.recipients == [ADA]
    for part in (mail.text(), mail.html()):
        assert first.reference in part
        assert cancelled.reference not in part
        assert visitor_token(first) not in part, "the link that lasts is on the page only"
    link = next(word for word in mail.text().split() if word.startswith("http"))
    assert "ada" not in link.lower()
    page = client.get(link.removeprefix(app.config["AZIONELAB"].site_base_url), headers=ENGLISH)
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    found = re.findall(r'href="/en/bookings/([^"]+)"', page.text)
    assert sorted(found[:2]) == sorted([visitor_token(first), visitor_token(waiting)])
    assert found[2:] == [visitor_token(second)]
    assert "Waiting for your confirmation" in page.text
    assert others.reference not in page.text
    full = a_performance(1)
    a_party(full, 1)
    join(full.id, a_visitor(ADA), 1)
    (in_line,) = [one for one in bookings() if one.is_waiting]
    shown = client.get(link, headers=ENGLISH).text
    assert "On the waitlist" in shown
    assert visitor_token(in_line) in shown
    let_lapse(waiting)
    assert "Expired: not confirmed in time" in client.get(link, headers=ENGLISH).text


def test_the_answer_tells_nobody_of_bookings_and_is_limited(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_party(a_performance(), email=ADA)

    def answer_to(email: str) -> tuple[int, str, str]:
        answer = ask(client, email)
        page = client.get(answer.location, headers=ENGLISH).text
        token = fields(page)["csrf_token"]
        return (
            answer.status_code,
            answer.location,
            page.replace(token, "").replace(email, "ADDRESS"),
        )

    assert answer_to(ADA) == answer_to("never.seen@example.org")
    assert "not a valid e-mail" in ask(client, "ada").text
    assert [ask(client, ADA).status_code for _ in range(3)] == [303, 303, 429]
    limited = ask(client, ADA)
    assert f'value="{ADA}"' in limited.text
    assert int(limited.headers["Retry-After"]) > 0
    told = [ask(client, f"{n}@example.org").status_code for n in range(8)]
    assert told[0] == 303
    assert told[-1] == 429, "of one network"


def test_the_link_ends_after_two_hours_and_with_the_bookings_own(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = a_party(a_performance(), email=ADA)
    other = a_party(a_performance(), email="new@example.org")
    token = MY_BOOKINGS.make_token(party)
    assert open_list(client, token).status_code == 200
    for damaged in (token[:-2], visitor_token(party), "x"):
        assert open_list(client, damaged).status_code == 404
    later = int((now() + LINK_LIFE).timestamp()) + 2
    with monkeypatch.context() as patched:
        patched.setattr(TimestampSigner, "get_timestamp", lambda _self: later)
        late = open_list(client, token)
        assert late.status_code == 404
        assert "too old" in late.text
    # Staff correct the address: a stranger may have the link to the one before.
    stored = fresh(party.id)
    change_party(party.id, replace(entries_of(stored), email="new@example.org"), stored.changed_in)
    assert open_list(client, token).status_code == 404
    shown = open_list(client, MY_BOOKINGS.make_token(fresh(party.id))).text
    assert party.reference in shown
    assert other.reference in shown


def test_nothing_is_sent_about_bookings_that_ended_meanwhile() -> None:
    party = a_party(a_performance(), email=ADA)
    MY_BOOKINGS.ask(ADA)
    rules.cancel(party.id)
    mail = db.session.scalars(select(Mail.id).where(Mail.kind == MailKind.MY_BOOKINGS)).one()
    db.session.rollback()
    draft = read_draft(mail)
    assert draft is not None
    assert draft.needless == ENDED
