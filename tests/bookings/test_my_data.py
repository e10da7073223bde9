"""What is kept of an address: seen, downloaded and erased by a link that is mailed to it."""

import json
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from azionelab.bookings import erasure, rules
from azionelab.bookings.models import Reservation
from azionelab.bookings.people import own_data
from azionelab.bookings.people.own_data import MY_DATA, ask_to_erase, erase_as_asked
from azionelab.database import db, now
from azionelab.mail.smtp import Unreachable
from tests.bookings.test_pages import ENGLISH, bookings, fields
from tests.factories import a_party, a_performance, fresh, visitor_token
from tests.support.processes import eventually
from tests.support.smtp import Delivered, SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")
ADA = "ada@example.org"
FORM = "/en/my-data"


def erase(client: FlaskClient, token: str, **typed: str) -> TestResponse:
    form = fields(client.get(f"{FORM}/{token}/erase").text)
    return client.post(f"{FORM}/{token}/erase", data=form | typed, headers=ENGLISH)


@pytest.mark.usefixtures("worker")
def test_somebody_reads_downloads_and_erases_their_data(
    app: Flask, client: FlaskClient, smtp_server: SmtpServer
) -> None:
    coming = a_party(a_performance(starts_at=now() + timedelta(days=2)), 3, email=ADA)
    ended = a_party(a_performance(), 2, email="Ada@Example.org")
    pending = a_party(a_performance(), 2, email=ADA, confirmed=False)
    rules.cancel(ended.id)
    others = a_party(a_performance())
    form = fields(client.get(FORM).text) | {"email": ADA}
    answer = client.post(FORM, data=form, headers=ENGLISH)
    assert f"If we store something of {ADA}" in client.get(answer.location).text

    def sent(subject: str) -> list[Delivered]:
        return [m for m in smtp_server.messages if m.message["Subject"] == subject]

    eventually(lambda: len(sent("Your data")) == 1, "the mail")
    (mail,) = sent("Your data")
    link = next(word for word in mail.text().split() if "/my-data/" in word)
    assert link in mail.html().replace("&amp;", "&")
    address = link.removeprefix(app.config["AZIONELAB"].site_base_url)
    page = client.get(address, headers=ENGLISH)
    assert "no-store" in page.headers["Cache-Control"]
    for one in (coming, ended, pending):
        assert one.reference in page.text
    assert others.reference not in page.text
    file = client.get(f"{address}/my-data.json")
    assert file.mimetype == "application/json"
    kept = json.loads(file.data)
    assert {one["reference"] for one in kept["bookings"]} == {
        one.reference for one in (coming, ended, pending)
    }
    token = address.rpartition("/")[2]
    unsure = erase(client, token, coming="keep")
    assert unsure.status_code == 422
    assert erase(client, token, sure="y").status_code == 422, "what becomes of the coming ones"
    assert all(one.email for one in bookings())
    done = erase(client, token, coming="keep", sure="y")
    assert done.status_code == 303
    assert "erased within minutes" in client.get(done.location).text
    eventually(lambda: fresh(coming.id).email == "", "the erasure")
    (last,) = sent("Your data have been erased")
    assert last.recipients == [ADA]
    for part in (last.text(), last.html()):
        assert coming.reference in part.partition("stay valid")[2]
        assert pending.reference in part.partition("stay valid")[0]
        assert ended.reference not in part
    assert fresh(coming.id).has_ticket
    assert fresh(pending.id).state == "cancelled"
    assert [fresh(one.id).name for one in (coming, ended, pending)] == [""] * 3
    assert fresh(others.id).email
    assert client.get(address).status_code == 404
    assert not sent("Your booking has been cancelled"), "the last mail says it"


def test_bookings_to_come_are_cancelled_if_the_visitor_says_so(client: FlaskClient) -> None:
    performance = a_performance(capacity=3)
    party = a_party(performance, 3, email=ADA)
    assert erase(client, MY_DATA.make_token(party), coming="cancel", sure="y").status_code == 303
    assert fresh(party.id).state == "cancelled"
    db.session.refresh(performance)
    assert performance.seats_held == 0
    assert "being erased" in client.get(f"{FORM}/{MY_DATA.make_token(fresh(party.id))}").text


def test_a_second_press_asks_for_nothing_more() -> None:
    party = a_party(a_performance(), email=ADA)
    assert ask_to_erase([party.id], cancel_coming=False) == 1
    assert ask_to_erase([party.id], cancel_coming=True) == 0
    assert fresh(party.id).has_ticket


def test_the_data_go_even_if_no_mail_or_no_job_does(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = a_party(a_performance(), email=ADA), a_party(a_performance())

    def away(*_: object) -> None:
        raise Unreachable("away")

    monkeypatch.setattr(own_data, "send_unrecorded", away)
    ask_to_erase([first.id], cancel_coming=True)
    with pytest.raises(Unreachable):
        erase_as_asked([first.id], "1", last_try=False)
    assert fresh(first.id).email == ADA
    erase_as_asked([first.id], "1", last_try=True)
    assert fresh(first.id).email == ""
    ask_to_erase([second.id], cancel_coming=True)
    assert erasure.erase_personal_data() == 0
    monkeypatch.setattr(erasure, "now", lambda: now() + timedelta(days=1, minutes=1))
    assert erasure.erase_personal_data() == 1


@pytest.mark.parametrize("state", ["coming", "cancelled", "unconfirmed"])
def test_the_day_that_the_page_names_is_the_day_of_the_erasure(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = a_party(a_performance(), confirmed=state != "unconfirmed")
    if state != "coming":
        rules.cancel(party.id)
    until = erasure.kept_until(fresh(party.id))
    monkeypatch.setattr(erasure, "now", lambda: until - timedelta(seconds=1))
    assert erasure.erase_personal_data() == 0
    monkeypatch.setattr(erasure, "now", lambda: until + timedelta(seconds=1))
    assert erasure.erase_personal_data() == 1


def test_the_answer_tells_nobody_and_foreign_links_open_nothing(client: FlaskClient) -> None:
    party = a_party(a_performance(), email=ADA)

    def answer_to(email: str) -> tuple[int, str]:
        form = fields(client.get(FORM).text) | {"email": email}
        answer = client.post(FORM, data=form, headers=ENGLISH)
        page = client.get(answer.location, headers=ENGLISH).text
        token = fields(page)["csrf_token"]
        return answer.status_code, page.replace(token, "").replace(email, "ADDRESS")

    assert answer_to(ADA) == answer_to("never.seen@example.org")
    for damaged in (visitor_token(party), "x", MY_DATA.make_token(party)[:-2]):
        assert client.get(f"{FORM}/{damaged}").status_code == 404
        assert client.get(f"{FORM}/{damaged}/my-data.json").status_code == 404


def test_parts_of_a_split_party_belong_to_the_mailbox() -> None:
    first = a_party(a_performance(), 4, email=ADA)
    part = a_party(a_performance(), 2, email=ADA)
    row = db.session.get_one(Reservation, part.id)
    row.email_key = None
    db.session.commit()
    assert {one.id for one in MY_DATA.find(first.email_key or "")} == {first.id, part.id}


def test_both_languages_have_the_page(client: FlaskClient) -> None:
    party = a_party(a_performance(), email=ADA)
    italian = client.get(f"/it/my-data/{MY_DATA.make_token(party)}").text
    assert "Scarica i miei dati" in italian
    assert re.search(r"Conservati fino al</dt><dd>\w+ \d+", italian)
    assert "/it/my-data" in client.get("/it/privacy").text
