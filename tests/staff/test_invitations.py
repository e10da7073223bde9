"""Invitations: who gets in by a link, how often, and until when."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.database import db
from azionelab.staff.accounts import AccountError, create_account
from azionelab.staff.invitations import LinkInvalid, accept, invite, link_address, renew_link
from azionelab.staff.models import PasswordLink, User
from azionelab.staff.reset import MAIL_JOB as RESET_MAIL
from azionelab.staff.reset import decide_on_mail
from tests.support.people import PASSWORD, change_account, english, log_in, logged_in, press
from tests.support.processes import Program
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
ANNA = {"email": "anna@theatre.org", "name": "Anna", "role": "door"}
TYPED = {"password": PASSWORD, "password_confirm": PASSWORD}


@pytest.fixture
def admin(in_app: Flask) -> FlaskClient:
    """Somebody who may invite."""
    return logged_in(in_app, "admin")


def invited() -> str:
    """The path of Anna's invitation."""
    return path_of(invite(**ANNA, by=None))


def path_of(link: PasswordLink) -> str:
    return re.sub(r"^https?://[^/]*", "", link_address(link))


def state(admin: FlaskClient) -> str:
    row = re.search(r"anna@theatre\.org</a>.*?</tr>", admin.get("/admin/accounts/").text, re.DOTALL)
    assert row
    return row[0]


def test_a_colleague_is_invited_by_mail_and_chooses_a_password(
    app: Flask, admin: FlaskClient, worker: Program, smtp_server: SmtpServer, database: Database
) -> None:
    page = press(admin, "/admin/accounts/new/", **ANNA).text
    assert "The invitation is on its way." in page
    assert "/staff/accept/" not in page
    assert "invited, not yet accepted" in state(admin)
    letter = smtp_server.wait_for(to="anna@theatre.org")[0]
    link = next(word for word in letter.text().split() if word.startswith("http"))
    path = link.removeprefix(app.config["AZIONELAB"].site_base_url)
    stored = database.execute("SELECT l::text FROM password_link l").fetchall()
    jobs = database.execute("SELECT args::text FROM procrastinate_jobs").fetchall()
    assert path.rpartition("/")[2] not in str(stored + jobs)
    client = english(app)
    assert "anna@theatre.org" in client.get(path).text
    assert (
        "easy to guess"
        in press(client, path, path, password=ANNA["email"], password_confirm=ANNA["email"]).text
    )
    done = press(client, path, path, **TYPED)
    assert done.request.path == "/staff/login"
    assert "Your password is set" in done.text
    assert log_in(client, "anna@theatre.org").status_code == 302
    assert client.get("/checkin/").status_code == 200
    assert "invited" not in state(admin)


def test_a_link_works_once(app: Flask) -> None:
    path = invited()
    press(english(app), path, path, **TYPED)
    again = english(app).get(path)
    assert again.status_code == 410
    assert "no longer valid" in again.text
    with pytest.raises(LinkInvalid):
        accept(path.rpartition("/")[2], "four words are enough")


def test_a_link_works_once_in_a_race(app: Flask, database: Database) -> None:
    token = invited().rpartition("/")[2]

    def take(number: int) -> bool:
        with app.app_context():
            try:
                accept(token, f"four words are enough {number}")
            except LinkInvalid:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(4))) == [False, False, False, True]


def test_a_link_ends_after_a_week(app: Flask, admin: FlaskClient, database: Database) -> None:
    path = invited()
    database.execute("UPDATE password_link SET expires_at = expires_at - interval '6.9 days'")
    assert english(app).get(path).status_code == 200
    database.execute("UPDATE password_link SET expires_at = expires_at - interval '0.2 days'")
    assert english(app).get(path).status_code == 410
    assert "the link has expired" in state(admin)


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "../login"])
def test_a_forged_link_opens_nothing(app: Flask, token: str) -> None:
    invited()
    assert english(app).get(f"/staff/accept/{token}").status_code in (404, 410)


def test_a_link_sent_again_replaces_the_earlier_one(app: Flask, admin: FlaskClient) -> None:
    old = invited()
    anna = db.session.query(User).filter_by(email="anna@theatre.org").one()
    assert "Earlier links do not work" in press(admin, "/admin/accounts/link/", id=anna.id).text
    assert english(app).get(old).status_code == 410
    db.session.expire_all()
    new = path_of(db.session.query(PasswordLink).one())
    assert english(app).get(new).status_code == 200


def test_a_withdrawn_invitation_leaves_nothing(
    app: Flask, admin: FlaskClient, database: Database
) -> None:
    path = invited()
    page = press(admin, "/admin/accounts/withdraw/", id=2).text
    assert "has been withdrawn" in page
    assert "anna@theatre.org" not in page
    assert english(app).get(path).status_code == 410
    assert database.execute("SELECT count(*) FROM user_account").fetchone() == (1,)
    assert invite(**ANNA, by=None)  # and may be invited again


def test_an_account_in_use_is_not_deleted_by_withdrawing_its_link(
    app: Flask, admin: FlaskClient, database: Database
) -> None:
    anna = create_account("anna@theatre.org", "door", PASSWORD)
    path = path_of(renew_link(anna.id))
    press(admin, "/admin/accounts/withdraw/", id=anna.id)
    assert english(app).get(path).status_code == 410
    assert database.execute("SELECT count(*) FROM user_account").fetchone() == (2,)
    assert log_in(english(app), "anna@theatre.org").status_code == 302


def test_nobody_logs_in_before_they_accepted(app: Flask, database: Database) -> None:
    invited()
    for password in ("", PASSWORD):
        answer = log_in(english(app), "anna@theatre.org", password)
        assert "address or the password is wrong" in answer.text
    decide_on_mail(1)  # a forgotten password: the invitation is the link
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s"
    assert database.execute(jobs, (RESET_MAIL,)).fetchone() == (0,)


def test_a_link_of_a_deactivated_account_opens_nothing(app: Flask) -> None:
    path = invited()
    change_account(1, role="door", active=False)
    assert english(app).get(path).status_code == 410
    with pytest.raises(AccountError):
        renew_link(1)


def test_who_is_invited_is_no_administrator_yet() -> None:
    admin = create_account("admin@theatre.org", "admin", PASSWORD)
    invite("other@theatre.org", "admin", "", by=admin.id)
    with pytest.raises(AccountError, match="amministratore"):
        change_account(admin.id, role="door", active=True)


def test_a_new_password_by_link_ends_the_sessions(app: Flask) -> None:
    phone = logged_in(app, "door")
    path = path_of(renew_link(1))
    assert phone.get("/checkin/").status_code == 200
    new = "four words are enough"
    press(english(app), path, path, password=new, password_confirm=new)
    assert "/staff/login" in phone.get("/checkin/").location
    assert log_in(english(app), "door@theatre.org", new).status_code == 302


def test_without_a_mail_server_the_link_is_shown_once(make_app: Callable[..., Flask]) -> None:
    app = make_app(MAIL_SERVER="")
    admin = logged_in(app, "admin")
    page = press(admin, "/admin/accounts/new/", **ANNA)
    assert "shown only once" in page.text
    assert "no-store" in page.headers["Cache-Control"]
    link = re.search(r"<code>https?://[^/]*(/staff/accept/[\w-]{43})</code>", page.text)
    assert link
    for address in ("/admin/accounts/", "/admin/accounts/edit/?id=2"):
        assert link[1] not in admin.get(address).text
    client = english(app)
    press(client, link[1], link[1], **TYPED)
    assert log_in(client, "anna@theatre.org").status_code == 302


def test_a_refused_mail_is_told(
    admin: FlaskClient, worker: Program, smtp_server: SmtpServer, database: Database
) -> None:
    smtp_server.refuse_recipients = "550 5.1.1 no such user"
    invited()
    query = "SELECT refusal FROM password_link WHERE refusal <> ''"
    worker.wait_until(lambda: database.execute(query).fetchone(), "the refusal to be noted")
    assert "the mail was refused" in state(admin)
    assert "check the address" in admin.get("/admin/accounts/edit/?id=2").text


@pytest.mark.parametrize("two", [{"password_confirm": "another"}, {"password": ""}])
def test_what_is_typed_wrong_is_told_at_its_field(app: Flask, two: dict[str, str]) -> None:
    path = invited()
    page = press(english(app), path, path, **TYPED | two).text
    assert 'aria-invalid="true"' in page
    assert english(app).get(path).status_code == 200
