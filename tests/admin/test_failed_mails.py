"""Sending all again that failed: the count before, the press, the progress after."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import rules
from azionelab.bookings.mails.resending import Failed, count_failed, resend_failed
from azionelab.database import db, now
from azionelab.ops.monitoring.service_status import read_service_status
from azionelab.ops.processes.worker import run_worker
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
PAGE = "/admin/failed_mails/"
HOUR = timedelta(hours=1)


def given_up(database: Database, people: int, refusal: str = "unclear") -> None:
    """Bookings whose mails failed a minute ago."""
    evening = a_performance()
    for _ in range(people):
        a_party(evening, 1, confirmed=False)
    database.execute(
        "UPDATE mail SET delivery = 'failed', refusal = %s, tried_at = now() - interval '1 minute'"
        " WHERE delivery = 'queued'",
        [refusal],
    )
    database.execute("DELETE FROM procrastinate_jobs")


def test_staff_send_all_again_that_failed(
    make_app: Callable[..., Flask], smtp_server: SmtpServer, staff: FlaskClient, database: Database
) -> None:
    app = make_app(MAIL_PORT=str(smtp_server.port))
    given_up(database, 3)
    given_up(database, 2, "recipient")
    assert PAGE in staff.get("/admin/").text
    page = staff.get(PAGE).text
    assert "3 mails failed since" in page
    assert "2 went to addresses that do not exist" in page
    press = fields(page)
    for _ in range(2):  # a double press is one
        answer = staff.post(PAGE, data=press)
        assert answer.status_code == 302
        run_worker(app, once=True)
    told = staff.get(answer.location).text
    assert "3 mails were queued again." in told
    assert "Sent: 3. Waiting: 0. Failed again: 0." in told
    assert "tick the box to send them again" in told
    assert len(smtp_server.messages) == 3
    staff.post(PAGE, data=fields(told) | {"bad_addresses": "y"})
    run_worker(app, once=True)  # puts them back
    run_worker(app, once=True)
    assert len(smtp_server.messages) == 5


def test_the_first_page_counts_what_can_be_sent_again(
    staff: FlaskClient, database: Database
) -> None:
    given_up(database, 2)
    database.execute("UPDATE mail SET tried_at = now() - interval '9 days'")
    home = staff.get("/admin/").text
    assert "2 mails could not be delivered." in home
    (link,) = re.findall(rf'href="({PAGE}\?begin=[^"]+)"', home)
    assert "2 mails failed since" in staff.get(link).text
    # Nobody can write to an address that was erased meanwhile.
    database.execute(
        "UPDATE reservation SET name = '', email = '', email_key = NULL, erased_at = now()"
    )
    assert "could not be delivered" not in staff.get("/admin/").text
    assert read_service_status(db.session.connection()).mails_failed == 0


def test_it_counts_from_the_chosen_moment(staff: FlaskClient, database: Database) -> None:
    given_up(database, 1)
    assert "1 mail failed since" in staff.get(PAGE).text
    later = staff.get(PAGE, query_string={"since": "2099-01-01T10:00"}).text
    assert "No mail has failed since" in later


@pytest.mark.parametrize(
    "typed", [{"since": "x"}, {"begin": "x", "asked": "x"}, {"begin": "2030-01-01"}]
)
def test_a_moment_that_is_none_is_left_out(staff: FlaskClient, typed: dict[str, str]) -> None:
    assert staff.get(PAGE, query_string=typed).status_code == 200
    assert staff.post(PAGE, data=fields(staff.get(PAGE).text) | {"asked": "x"}).status_code == 302


def test_bookings_that_ended_are_told(database: Database) -> None:
    given_up(database, 2)
    (row, _) = database.execute("SELECT id FROM reservation").fetchall()
    rules.cancel(row.id)
    assert count_failed(now() - HOUR) == Failed(mails=2, ended=1, bad_addresses=0)


def test_what_failed_again_after_the_press_is_left_to_the_next(database: Database) -> None:
    given_up(database, 2)
    asked = now()
    assert resend_failed(now() - HOUR, asked) == 2
    assert resend_failed(now() - HOUR, asked) == 0
    database.execute("UPDATE mail SET delivery = 'failed', tried_at = now()")
    assert resend_failed(now() - HOUR, asked) == 0
    assert resend_failed(now() - HOUR, now()) == 2


def test_the_command(in_app: Flask, database: Database) -> None:
    def run(*arguments: str) -> Result:
        return in_app.test_cli_runner().invoke(args=arguments)

    given_up(database, 2)
    given_up(database, 1, "recipient")
    assert "2 mails" in run("resend-failed", "--since", "2020-01-01 10:00").output
    assert (
        "1 mails" in run("resend-failed", "--since", "2020-01-01 10:00", "--bad-addresses").output
    )
    assert run("resend-failed", "--since", "yesterday").exit_code == 2
