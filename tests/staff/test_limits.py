"""What a stranger costs who asks for other people's passwords, and who guesses them."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from azionelab.database import db
from azionelab.staff.accounts import create_account
from azionelab.staff.login_limits import PER_ACCOUNT, PER_ACCOUNT_AND_NETWORK, PER_DEVICE
from azionelab.staff.reset import MAIL_JOB, decide_on_mail
from tests.support.people import PASSWORD, change_account, english, log_in, logged_in, press

pytestmark = pytest.mark.usefixtures("in_app")

ANNA = "anna@theatre.org"


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to the database in the block."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_asking_for_a_reset_is_the_same_work_for_all(app: Flask) -> None:
    create_account(ANNA, "door", PASSWORD)
    gone = create_account("gone@theatre.org", "door", PASSWORD)
    change_account(gone.id, role="door", active=False)
    done = []
    for email in (ANNA, "gone@theatre.org", "nobody@theatre.org"):
        client = english(app)
        with statements() as sent:
            press(client, "/staff/reset", "/staff/reset", email=email)
        done.append(sent)
    assert done[0] == done[1] == done[2]
    # The theme for the form's page, then the look for a number; the job goes past SQLAlchemy.
    assert ["theme_version" in each for each in done[0]] == [True, False]


def mail_jobs(database: psycopg.Connection[Any]) -> int:
    row = database.execute(
        "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s", (MAIL_JOB,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_one_account_gets_one_reset_mail_in_a_while(database: psycopg.Connection[Any]) -> None:
    user = create_account(ANNA, "door", PASSWORD)
    for _ in range(10):
        decide_on_mail(user.id)
    assert mail_jobs(database) == 1
    for minutes, mails in ((14, 1), (16, 2)):
        database.execute(
            "UPDATE user_account SET reset_mailed_at = now() - make_interval(mins => %s)",
            (minutes,),
        )
        decide_on_mail(user.id)
        assert mail_jobs(database) == mails


def test_one_mailbox_gets_one_reset_mail_in_a_while(database: psycopg.Connection[Any]) -> None:
    alike = ("marta@gmail.com", "mar.ta+door@gmail.com", "marta@googlemail.com")
    users = [create_account(email, "door", PASSWORD) for email in alike]
    for user in users:
        decide_on_mail(user.id)
    assert mail_jobs(database) == 1
    decide_on_mail(create_account("other@gmail.com", "door", PASSWORD).id)
    assert mail_jobs(database) == 2


def test_two_accounts_of_one_mailbox_share_the_pause_in_a_race(
    app: Flask, database: psycopg.Connection[Any]
) -> None:
    users = [create_account(f"marta+{n}@gmail.com", "door", PASSWORD).id for n in range(6)]

    def decide(user_id: int) -> None:
        with app.app_context():
            decide_on_mail(user_id)

    with ThreadPoolExecutor(len(users)) as pool:
        list(pool.map(decide, users))
    assert mail_jobs(database) == 1


def test_no_mail_goes_to_nobody(database: psycopg.Connection[Any]) -> None:
    gone = create_account("gone@theatre.org", "door", PASSWORD)
    change_account(gone.id, role="door", active=False)
    for number in (None, gone.id, 4711):
        decide_on_mail(number)
    assert mail_jobs(database) == 0


def number_in(limit: str) -> int:
    return int(limit.split(maxsplit=1)[0])


def guess(app: Flask, tries: int, network: str, email: str = ANNA) -> list[int]:
    """Try wrong passwords from one network; what each is answered."""
    client = english(app)
    client.environ_base["REMOTE_ADDR"] = network
    return [log_in(client, email, "wrong and long enough").status_code for _ in range(tries)]


@pytest.mark.parametrize("email", [ANNA, "nobody@theatre.org"])
def test_guessing_one_account_from_one_network_ends_soon(
    make_app: Callable[..., Flask], email: str
) -> None:
    app = make_app(LOGIN_RATE_LIMIT="1000 per minute")
    create_account(ANNA, "door", PASSWORD)
    free = number_in(PER_ACCOUNT_AND_NETWORK)
    assert guess(app, free + 1, "192.0.2.1", email) == [200] * free + [429]
    # Another address of the same /64 is the same network; another network's is not.
    assert guess(app, free + 1, "2001:db8::1", email) == [200] * free + [429]
    assert guess(app, 1, "2001:db8::2", email) == [429]
    assert guess(app, 1, "192.0.2.2", email) == [200]


def test_guessing_from_everywhere_ends_and_the_owner_comes_in(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(LOGIN_RATE_LIMIT="1000 per minute")
    create_account(ANNA, "door", PASSWORD)
    phone: FlaskClient = english(app)
    assert log_in(phone, ANNA).status_code == 302
    press(phone, "/staff/logout", "/checkin/")
    each = number_in(PER_ACCOUNT_AND_NETWORK)
    for network in range(number_in(PER_ACCOUNT) // each + 1):
        guess(app, each, f"198.51.100.{network}")
    assert guess(app, 1, "203.0.113.1") == [429]
    forger = english(app)
    forger.environ_base["REMOTE_ADDR"] = "203.0.113.2"
    known = next(c for c in phone._cookies.values() if c.key.startswith("device-"))
    # Not the last letter: it has bits that mean nothing.
    forged = "x" if known.value[-2] != "x" else "y"
    forger.set_cookie(known.key, known.value[:-2] + forged + known.value[-1], path="/staff")
    assert log_in(forger, ANNA).status_code == 429
    assert log_in(phone, ANNA).status_code == 302


def known_phone(app: Flask, network: str) -> FlaskClient:
    """A phone on which Anna was logged in before, in that network."""
    phone = english(app)
    phone.environ_base["REMOTE_ADDR"] = network
    assert log_in(phone, ANNA).status_code == 302
    press(phone, "/staff/logout", "/checkin/")
    return phone


def test_somebody_in_the_same_network_does_not_keep_the_owner_out(
    make_app: Callable[..., Flask],
) -> None:
    """The theatre's own Wi-Fi, half an hour before the curtain."""
    app = make_app(LOGIN_RATE_LIMIT="12 per minute")
    create_account(ANNA, "door", PASSWORD)
    phone = known_phone(app, "198.51.100.1")
    assert guess(app, 13, "198.51.100.1")[-1] == 429
    # Her account from here, and this network for everybody, have no attempts left.
    assert guess(app, 1, "198.51.100.1", "other@theatre.org") == [429]
    assert log_in(phone, ANNA, "wrong and long enough").status_code == 200
    assert log_in(phone, ANNA).status_code == 302


def test_a_known_browser_has_attempts_of_its_own_and_no_more(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(LOGIN_RATE_LIMIT="1000 per minute")
    create_account(ANNA, "door", PASSWORD)
    phone = known_phone(app, "198.51.100.1")
    own, here = number_in(PER_DEVICE), number_in(PER_ACCOUNT_AND_NETWORK)
    answers = [log_in(phone, ANNA, "wrong and long enough").status_code for _ in range(own + here)]
    assert answers == [200] * (own + here)
    assert log_in(phone, ANNA).status_code == 429
    # Two phones do not share their attempts.
    other = english(app)
    other.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert log_in(other, ANNA).status_code == 302


def test_the_cookie_of_another_account_helps_nobody(make_app: Callable[..., Flask]) -> None:
    app = make_app(LOGIN_RATE_LIMIT="1000 per minute")
    create_account(ANNA, "door", PASSWORD)
    create_account("eve@theatre.org", "door", PASSWORD)
    eve = english(app)
    assert log_in(eve, "eve@theatre.org").status_code == 302
    press(eve, "/staff/logout", "/checkin/")
    cookie = next(c for c in eve._cookies.values() if c.key.startswith("device-"))
    of_anna = f"device-{hashlib.sha256(ANNA.encode()).hexdigest()[:12]}"
    eve.set_cookie(of_anna, cookie.value, path="/staff")
    free = number_in(PER_ACCOUNT_AND_NETWORK)
    answers = [log_in(eve, ANNA, "wrong and long enough").status_code for _ in range(free + 1)]
    assert answers == [200] * free + [429]


def test_who_finds_a_phone_logged_in_guesses_no_better(make_app: Callable[..., Flask]) -> None:
    app = make_app(LOGIN_RATE_LIMIT="1000 per minute")
    phone = logged_in(app, "door")
    free = number_in(PER_ACCOUNT_AND_NETWORK)
    other = "quite another sentence"
    guesses = [
        press(
            phone,
            "/staff/change",
            "/staff/change",
            password=f"wrong and long {number}",
            new_password=other,
            new_password_confirm=other,
        ).status_code
        for number in range(free + 1)
    ]
    assert guesses == [200] * free + [429]
