"""The status: what is well, what needs a person, what is not known; in words, from one set of limits."""

import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from azionelab.mail.refusals import Refusals
from azionelab.ops.checks.schema import SchemaState
from azionelab.ops.checks.secret_keys import KeyState
from azionelab.ops.monitoring.backups import Task
from azionelab.ops.monitoring.service_status import BackupStatus, ServiceStatus
from azionelab.ops.status import limits
from azionelab.ops.status.certificate import NoCertificate, read_end
from azionelab.ops.status.facts import DiskSpace, Facts, read_facts
from azionelab.ops.status.lines import About, Line, State
from azionelab.ops.status.parts import data, outside, sales
from azionelab.ops.status.parts.data import note_doctor
from azionelab.ops.status.report import judge, summarize
from azionelab.ops.status.reports import Part, Report
from tests.factories import a_party, a_performance
from tests.support.people import logged_in
from tests.support.processes import ROOT

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
Database = psycopg.Connection[Any]


@pytest.fixture
def english(in_app: Flask) -> Iterator[None]:
    """The texts in English, whatever the site's language is."""
    with force_locale("en"):
        yield


def service(**changes: Any) -> ServiceStatus:
    """A site of which all is well, with the given changes."""
    done = BackupStatus(NOW - HOUR, last_was_well=True, size=1)
    well: dict[str, Any] = {
        "at": NOW,
        "worker_seen_at": NOW,
        "mails_waiting": 0,
        "mail_waits_since": None,
        "mails_failed": 0,
        "mails_refused": Refusals(),
        "backups": dict.fromkeys(Task, done),
    }
    return ServiceStatus(**well | changes)


def facts(**changes: Any) -> Facts:
    well: dict[str, Any] = {
        "at": NOW,
        "schema": SchemaState.CURRENT,
        "service": service(),
        "disk_problem": "",
        "key": KeyState.IN_USE,
        "failed_jobs": [],
        "sales": [],
        "media": DiskSpace(free=60, total=100),
        "reports": {
            Part.WATCH: Report(NOW, {}),
            Part.DOCTOR: Report(NOW, {"failed": []}),
            Part.BACKUPS_DISK: Report(NOW, {"free": 60, "total": 100}),
            Part.DATABASE_DISK: Report(NOW, {"free": 60, "total": 100}),
        },
    }
    return Facts(**well | changes)


def states(lines: list[Line], state: State) -> set[About]:
    return {line.about for line in lines if line.state is state}


def backup(age: timedelta | None, *, well: bool = True) -> BackupStatus:
    return BackupStatus(None if age is None else NOW - age, last_was_well=well, size=1)


def reported(part: Part, **said: Any) -> dict[Part, Report]:
    return {part: Report(NOW, said)}


@pytest.mark.usefixtures("english")
def test_all_is_well() -> None:
    lines = judge(facts())
    assert states(lines, State.WRONG) | states(lines, State.UNKNOWN) == set()
    assert summarize(lines) == "All is well."


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        ({"schema": None, "service": None}, About.DATABASE),
        ({"disk_problem": "DiskFull 53100"}, About.DATABASE),
        ({"schema": SchemaState.PENDING}, About.SCHEMA),
        ({"service": service(worker_seen_at=None)}, About.WORKER),
        ({"service": service(worker_seen_at=NOW - 1.02 * MINUTE)}, About.WORKER),
        ({"service": service(mail_waits_since=NOW - 10.1 * MINUTE)}, About.MAIL),
        ({"service": service(mails_refused=Refusals(5, 5))}, About.PROVIDER),
        ({"service": service(mails_failed=1)}, About.FAILED_MAILS),
        ({"service": service(backups={Task.BACKUP: backup(27 * HOUR)})}, About.BACKUP),
        ({"service": service(backups={Task.BACKUP: backup(HOUR, well=False)})}, About.BACKUP),
        ({"service": service(backups={Task.VERIFY: backup(10 * DAY)})}, About.VERIFY),
        (
            {
                "service": service(
                    backups={Task.BACKUP: replace(backup(HOUR), first_succeeded_at=NOW - 10 * DAY)}
                )
            },
            About.VERIFY,
        ),
        ({"service": service(backups={Task.SHIP: backup(None, well=False)})}, About.SHIP),
        ({"media": DiskSpace(free=9, total=100)}, About.MEDIA_DISK),
        ({"key": KeyState.LOST}, About.KEY),
        ({"reports": reported(Part.DATABASE_DISK, free=9, total=100)}, About.DATABASE_DISK),
        ({"reports": reported(Part.BACKUPS_DISK, free=9, total=100)}, About.BACKUPS_DISK),
        ({"reports": reported(Part.DOCTOR, failed=["no hold lapsed"])}, About.DATA),
        ({"reports": {Part.WATCH: Report(NOW - 6 * MINUTE, {})}}, About.WATCH),
    ],
)
@pytest.mark.usefixtures("english")
def test_what_needs_a_person(found: dict[str, Any], wrong: About) -> None:
    lines = judge(facts(**found))
    assert states(lines, State.WRONG) == {wrong}
    assert lines[0].about is wrong, "what needs a person comes first"
    assert lines[0].advice
    assert f"\n## {lines[0].runbook}\n" in RUNBOOK or not lines[0].runbook
    assert summarize(lines) == "1 thing needs you."


@pytest.mark.usefixtures("english")
def test_on_the_limit_all_is_still_well() -> None:
    at_the_limit = service(
        worker_seen_at=NOW - limits.WORKER_SILENT_AFTER,
        mail_waits_since=NOW - limits.MAIL_LATE_AFTER,
        backups={
            Task.BACKUP: backup(limits.BACKUP_OLD_AFTER),
            Task.VERIFY: backup(limits.VERIFY_OLD_AFTER),
        },
    )
    assert (
        states(judge(facts(service=at_the_limit, media=DiskSpace(10, 100))), State.WRONG) == set()
    )


@pytest.mark.usefixtures("english")
def test_what_was_not_read_is_not_known_and_not_well() -> None:
    unread = dict.fromkeys(
        ("service", "disk_problem", "key", "failed_jobs", "sales", "media", "reports")
    )
    lines = judge(facts(**unread))
    assert states(lines, State.WELL) == {About.SCHEMA}
    assert states(lines, State.WRONG) == set()
    assert summarize(lines).startswith("All is well, as far as is known")


@pytest.mark.parametrize(
    ("said", "state", "words"),
    [
        ({"ends_at": (NOW + limits.CERTIFICATE_NEAR + MINUTE).isoformat()}, State.WELL, "14 days"),
        ({"ends_at": (NOW + limits.CERTIFICATE_NEAR).isoformat()}, State.WRONG, "14 days"),
        ({"ends_at": (NOW - MINUTE).isoformat()}, State.WRONG, "It has ended"),
        ({"problem": "TimeoutError"}, State.UNKNOWN, "does not reach https://tickets"),
    ],
)
def test_the_certificate(
    make_app: Callable[..., Flask], said: dict[str, str], state: State, words: str
) -> None:
    with make_app(SITE_BASE_URL="https://tickets.theatre.org").app_context(), force_locale("en"):
        line = outside.certificate(facts(reports=reported(Part.CERTIFICATE, **said)))
    assert line.state is state
    assert words in line.text


def test_a_certificate_is_read_as_a_server_shows_it(tmp_path: Path) -> None:
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem"
    subprocess.run(
        f"openssl req -x509 {key} -subj /CN=localhost -days 20 -out cert.pem".split(),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def show_it() -> None:
            shown, _ = listening.accept()
            with tls.wrap_socket(shown, server_side=True) as answering:
                answering.recv(1)

        showing = threading.Thread(target=show_it)
        showing.start()
        port = listening.getsockname()[1]
        ends_at = read_end("localhost", port)
        showing.join()
    assert 19 * DAY < ends_at - datetime.now(UTC) <= 20 * DAY
    with pytest.raises(NoCertificate, match="ConnectionRefused"):
        read_end("localhost", port)


@pytest.mark.usefixtures("english")
def test_the_doctor_finds_what_is_shown(database: Database) -> None:
    a_party(a_performance())
    note_doctor()
    assert data.data(read_facts()).state is State.WELL
    # Without its trigger, as a hand could do.
    database.execute("SET session_replication_role = replica")
    database.execute("UPDATE performance SET seats_held = 7")
    note_doctor()
    line = data.data(read_facts())
    assert line.state is State.WRONG
    assert "each performance holds the seats of its live reservations" in line.text


def page_line(page: str, name: str) -> str:
    """A line of the page, by its name, as text."""
    found = re.search(rf'<li class="\w+">((?:(?!</li>).)*?> {name} .*?)</li>', page, re.DOTALL)
    assert found, name
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1])).strip()


@pytest.mark.parametrize(
    ("opens_in", "line", "state"),
    [
        (HOUR - MINUTE, None, State.WRONG),
        (HOUR + MINUTE, None, State.INFO),
        (HOUR - MINUTE, -MINUTE, State.INFO),
        # It opens too late for this sale.
        (HOUR - MINUTE, MINUTE, State.WRONG),
    ],
)
@pytest.mark.usefixtures("in_app")
def test_a_sale_that_opens_soon_without_a_queue(
    database: Database, opens_in: timedelta, line: timedelta | None, state: State
) -> None:
    opens_at = datetime.now(UTC) + opens_in
    evening = a_performance(booking_opens_at=opens_at)
    if line is not None:
        database.execute(
            "INSERT INTO queue_line (show_id, origin, opens_at, per_minute, inside_limit,"
            " stay_minutes, moved_at) VALUES (%s, 'staff', %s, 60, 50, 10, now())",
            (evening.show_id, opens_at + line),
        )
    assert sales.sales(read_facts()).state is state


@pytest.mark.usefixtures("in_app")
def test_the_page_says_what_to_do(app: Flask, database: Database) -> None:
    a_party(a_performance())
    database.execute("UPDATE mail SET delivery = 'failed'")
    a_performance(booking_opens_at=datetime.now(UTC) + 2 * HOUR)
    manager = logged_in(app, "staff").get("/admin/status/").text
    assert "2 things need you." in manager
    assert page_line(manager, "Worker").startswith("! Worker Needs you None was ever seen.")
    assert "Send them again" in page_line(manager, "Mails given up")
    assert "opens" in page_line(manager, "Sales that open soon")
    assert "Not known" in page_line(manager, "Backup")
    reader = logged_in(app, "read_only").get("/admin/status/").text
    assert "Send them again" not in page_line(reader, "Mails given up")
    italian = logged_in(app, "box_office").get("/admin/status/?lang=it").text
    assert "Non si è mai visto nessun worker" in italian


@pytest.mark.usefixtures("in_app")
def test_the_page_answers_when_a_part_cannot_be_read(app: Flask, database: Database) -> None:
    client: FlaskClient = logged_in(app, "staff")
    with database.transaction():
        database.execute("LOCK TABLE backup_report IN ACCESS EXCLUSIVE MODE")
        page = client.get("/admin/status/")
    assert page.status_code == 200
    assert "Not known" in page_line(page.text, "Worker")
    assert "It answers" in page_line(page.text, "Database")
    assert "None has failed" in page_line(page.text, "Jobs")


def test_a_full_disk_hides_no_other_part(make_app: Callable[..., Flask], full_disk: None) -> None:
    with make_app().app_context():
        found = read_facts()
    assert found.disk_problem
    assert found.reports is not None
    assert found.sales is not None


def seconds_in(rule: str) -> float:
    """The product behind the last `>` of an alert's expression."""
    rules = yaml.safe_load((ROOT / "docker/monitoring/alerts.yml").read_text())["groups"][0][
        "rules"
    ]
    expression = next(each["expr"] for each in rules if each["alert"] == rule)
    found = re.search(r"> ([\d *]+)", expression)
    assert found, rule
    product = 1.0
    for factor in found[1].split("*"):
        product *= float(factor)
    return product


def test_alerts_of_prometheus_and_health_checks_have_the_same_limits() -> None:
    for rule, limit in (
        ("WorkerUnseen", limits.WORKER_SILENT_AFTER),
        ("MailLate", limits.MAIL_LATE_AFTER),
        ("BackupMissing", limits.BACKUP_OLD_AFTER),
        ("BackupNotVerified", limits.VERIFY_OLD_AFTER),
    ):
        assert seconds_in(rule) == limit.total_seconds(), rule
    healthy = (ROOT / "docker/backend/healthy.py").read_text()
    assert f"WORKER_SILENT_AFTER = {limits.WORKER_SILENT_AFTER.seconds}" in healthy
