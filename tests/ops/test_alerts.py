"""Alerts by mail and webhook: each change is told once, with what to do, whoever looks and however often."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from azionelab.integrations.webhooks.endpoints import Event, create_webhook
from azionelab.ops.alerts import watcher, watching
from azionelab.ops.alerts.decisions import PATIENCE, QUIET, REMINDED_AFTER, Episode, News, decide
from azionelab.ops.alerts.models import Alert
from azionelab.ops.alerts.sending import deliver, send_waiting
from azionelab.ops.alerts.watcher import Watcher
from azionelab.ops.alerts.watching import watch
from azionelab.ops.status.lines import State
from tests.ops.test_health import a_worker
from tests.support.people import logged_in, press
from tests.support.processes import PATIENCE as LONGEST
from tests.support.smtp import SmtpServer

Database = psycopg.Connection[Any]
SITE = {"ALERT_EMAIL": "ada@theatre.org", "DEFAULT_LOCALE": "en"}
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def told(*states: tuple[timedelta, State]) -> list[News | None]:
    """What is told when a part is seen in these states, each so long after the one before."""
    episode, at, news = Episode(), NOW, []
    for pause, state in states:
        at += pause
        episode, new = decide(episode, state, at)
        news.append(new)
    return news


ZERO, WRONG, WELL, UNKNOWN = timedelta(0), State.WRONG, State.WELL, State.UNKNOWN


@pytest.mark.parametrize(
    ("seen", "news"),
    [
        ([(ZERO, WRONG), (PATIENCE - SECOND, WRONG), (SECOND, WRONG)], [None, None, News.BEGAN]),
        ([(ZERO, WRONG), (PATIENCE - SECOND, WELL), (SECOND, WELL)], [None, None, None]),
        (
            [(ZERO, WRONG), (PATIENCE, WRONG), (SECOND, UNKNOWN), (SECOND, WELL), (SECOND, WELL)],
            [None, News.BEGAN, None, News.ENDED, None],
        ),
        (
            [(ZERO, WRONG), (PATIENCE, WRONG), (REMINDED_AFTER - SECOND, WRONG), (SECOND, WRONG)],
            [None, News.BEGAN, None, News.STILL],
        ),
        # It comes and goes.
        (
            [
                (ZERO, WRONG),
                (PATIENCE, WRONG),
                (SECOND, WELL),
                (SECOND, WRONG),
                (PATIENCE, WRONG),
                (QUIET, WRONG),
            ],
            [None, News.BEGAN, News.ENDED, None, None, News.BEGAN],
        ),
    ],
)
def test_when_somebody_is_told(
    seen: list[tuple[timedelta, State]], news: list[News | None]
) -> None:
    assert told(*seen) == news


def test_more_of_the_same_is_told_and_less_is_not() -> None:
    told_of_one = Episode(NOW, NOW + PATIENCE, frozenset({"a"}))
    at = NOW + 2 * PATIENCE
    assert decide(told_of_one, WRONG, at, frozenset({"a"}))[1] is None
    more, news = decide(told_of_one, WRONG, at, frozenset({"a", "b"}))
    assert news is News.BEGAN
    assert decide(more, WRONG, at + SECOND, frozenset({"b"}))[1] is None


@pytest.fixture
def site(make_app: Callable[..., Flask], smtp_server: SmtpServer) -> Iterator[Flask]:
    """A site that tells somebody, by a mail server that runs."""
    made = make_app(MAIL_PORT=str(smtp_server.port), **SITE)
    with made.app_context():
        yield made


def let_time_pass(database: Database) -> None:
    """Let what is wrong be wrong for longer than PATIENCE."""
    database.execute("UPDATE alert SET began_at = began_at - interval '1 hour'")


@pytest.mark.usefixtures("site")
def test_a_silent_worker_is_told_once_with_what_to_do_and_so_is_its_return(
    smtp_server: SmtpServer, database: Database
) -> None:
    assert not watch()
    let_time_pass(database)
    assert list(watch()) == [News.BEGAN]
    assert not watch()
    assert send_waiting()
    assert send_waiting()
    (mail,) = smtp_server.messages
    assert mail.recipients == ["ada@theatre.org"]
    assert mail.message["Subject"] == "AzioneLab needs you: Worker"
    assert "Start the worker again" in mail.text()
    assert "/admin/status/" in mail.text()
    a_worker(database, "1 second")
    assert list(watch()) == [News.ENDED]
    assert send_waiting()
    assert smtp_server.messages[1].message["Subject"] == "AzioneLab is well again: Worker"


@pytest.mark.usefixtures("site")
def test_a_mail_waits_for_its_server_and_webhooks_do_not(
    smtp_server: SmtpServer, database: Database
) -> None:
    create_webhook("http://127.0.0.1:1/hook", [Event.ALERT], None)
    create_webhook("http://127.0.0.1:1/other", [Event.CONFIRMED], None)
    smtp_server.answer = lambda _: "451 later"
    watch()
    let_time_pass(database)
    watch()
    assert not deliver()
    rows = database.execute("SELECT event, attempts, payload FROM webhook_delivery").fetchall()
    assert [(row.event, row.attempts) for row in rows] == [("site.alert", 1)]
    assert rows[0].payload["began"][0]["about"] == "worker"
    smtp_server.answer = lambda _: None
    assert send_waiting()
    assert smtp_server.messages == [], "another process may be sending it"
    database.execute("UPDATE alert_mail SET next_try_at = now()")
    assert send_waiting()
    assert len(smtp_server.messages) == 1


def test_where_nobody_listens_nothing_is_written(in_app: Flask, database: Database) -> None:
    assert not watch()
    assert database.execute("SELECT count(*) FROM alert").fetchone() == (0,)
    failed = in_app.test_cli_runner().invoke(args=["test-alert"])
    assert failed.exit_code == 1
    assert "ALERT_EMAIL" in failed.output


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "negative control"])
def test_two_that_look_at_once_tell_once(
    site: Flask, database: Database, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    watch()
    let_time_pass(database)
    both = threading.Barrier(2)
    lock = watching._lock

    def meet(session: Any, about: Any) -> Any:
        if locked:
            both.wait(LONGEST)
            return lock(session, about)
        found = {each.about: each for each in session.scalars(select(Alert))}
        both.wait(LONGEST)
        return found

    monkeypatch.setattr(watching, "_lock", meet)

    def look() -> None:
        with site.app_context():
            watch()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mails = database.execute("SELECT count(*) FROM alert_mail").fetchone()
    assert mails == ((1,) if locked else (2,))


def test_a_test_alert_by_command_and_by_button(
    site: Flask, app: Flask, smtp_server: SmtpServer
) -> None:
    sent = site.test_cli_runner().invoke(args=["test-alert"])
    assert sent.exit_code == 0, sent.output
    admin = logged_in(site, "admin")
    assert "A test alert is sent within a minute" in press(admin, "/admin/status/test").text
    assert send_waiting()
    assert {mail.message["Subject"] for mail in smtp_server.messages} == {
        "A test alert of AzioneLab"
    }
    assert len(smtp_server.messages) == 2
    assert "Send a test alert" not in logged_in(app, "staff").get("/admin/status/").text


@pytest.mark.usefixtures("site")
def test_the_watch_tells_of_a_silent_worker_by_itself(
    smtp_server: SmtpServer, database: Database
) -> None:
    create_webhook("http://127.0.0.1:1/hook", [Event.ALERT], None)
    Watcher().look()
    let_time_pass(database)
    Watcher().look()
    (mail,) = smtp_server.messages
    assert mail.message["Subject"] == "AzioneLab needs you: Worker"
    attempts = "SELECT sum(attempts) FROM webhook_delivery"
    assert database.execute(attempts).fetchone() == (1,)
    database.execute("UPDATE webhook_delivery SET next_try_at = now()")
    a_worker(database, "1 second")
    Watcher().look()
    assert len(smtp_server.messages) == 2
    assert database.execute(attempts).fetchone() == (1,), "the worker sends webhooks again"


def test_the_watch_tells_that_the_database_is_away(
    make_app: Callable[..., Flask], smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = "postgresql://azionelab:x@127.0.0.1:1/none"
    site = make_app(MAIL_PORT=str(smtp_server.port), DATABASE_URL=away, **SITE)
    at = [NOW]
    monkeypatch.setattr(watcher, "now", lambda: at[0])
    with site.app_context():
        looking = Watcher()
        for pause in (ZERO, PATIENCE, PATIENCE):
            at[0] += pause
            looking.look()
    (mail,) = smtp_server.messages
    assert mail.message["Subject"] == "AzioneLab needs you: Database"
    assert "Visitors can book nothing" in mail.text()
