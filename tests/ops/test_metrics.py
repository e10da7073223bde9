"""/metrics: its contents, across processes, and who may read it."""

import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from azionelab import __version__
from azionelab.bookings import performance_changes, rules
from azionelab.bookings.errors import HoldExpired, SoldOut
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now
from azionelab.queue.advance import advance
from azionelab.queue.lines import open_line
from azionelab.queue.places import join
from tests.conftest import Site
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    a_visitor,
    a_waiting_party,
    let_lapse,
    ticket_token,
    visitor_token,
)
from tests.ops.test_health import a_backup, a_worker, make_older
from tests.queue.test_line import line_of
from tests.support.processes import PATIENCE, eventually

Database = psycopg.Connection[Any]
Labels = frozenset[tuple[str, str]]


class Metrics(dict[tuple[str, Labels], float]):
    """The samples of one answer of /metrics: `metrics("name", label="value")`, None if not told."""

    def __init__(self, text: str) -> None:
        super().__init__()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self[sample.name, frozenset(sample.labels.items())] = sample.value

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.get((name, frozenset(labels.items())))

    def labels(self, name: str) -> list[dict[str, str]]:
        """The labels of each series of that name."""
        return [dict(labels) for sample, labels in self if sample == name]


def metrics_of(client: FlaskClient) -> Metrics:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return Metrics(answer.text)


def fetch(url: str, **headers: str) -> str:
    with urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=PATIENCE
    ) as got:
        return str(got.read().decode())


def test_prometheus_can_read_it(client: FlaskClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert client.head("/metrics").data == b""


def test_promtool_finds_no_problem(in_app: Flask, live_site: Site, database: Database) -> None:
    a_worker(database, "5 seconds")
    a_backup(database, "backup", "1 hour")
    a_party(a_performance(), confirmed=False)
    fetch(live_site.url)
    output = fetch(f"{live_site.url}/metrics")
    assert "azionelab_backup_size_bytes" in output
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=output, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_requests_through_a_proxy_get_404(client: FlaskClient, header: str) -> None:
    answer = client.get("/metrics", headers={header: "203.0.113.9"})
    assert answer.status_code == 404
    assert "azionelab_" not in answer.text


def test_it_needs_no_public_host_name(make_app: Callable[..., Flask]) -> None:
    """Prometheus scrapes by the container's name, whatever TRUSTED_PROXIES is."""
    app = make_app(ALLOWED_HOSTS="tickets.theatre.org", TRUSTED_PROXIES="1")
    visitor = app.test_client()
    assert visitor.get("/metrics", base_url="http://backend:8000").status_code == 200
    assert visitor.get("/", base_url="http://backend:8000").status_code == 400
    through = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "tickets.theatre.org"}
    assert visitor.get("/metrics", headers=through).status_code == 404


@pytest.mark.usefixtures("in_app")
def test_requests_are_counted_by_route(client: FlaskClient) -> None:
    def counted(**labels: str) -> float:
        return metrics_of(client)("azionelab_http_requests_total", **labels) or 0

    page = {"method": "GET", "route": "/<language:language>/bookings/<token>", "status": "200"}
    nothing = {"method": "GET", "route": "none", "status": "404"}
    before = counted(**page), counted(**nothing)
    token = visitor_token(a_party(a_performance()))
    assert client.get(f"/it/bookings/{token}").status_code == 200
    assert client.get(f"/nothing/{token}").status_code == 404
    client.open("/", method="BREW")
    output = metrics_of(client)
    assert (counted(**page), counted(**nothing)) == (before[0] + 1, before[1] + 1)
    assert output("azionelab_http_requests_total", method="other", route="none", status="405")
    seconds = "azionelab_http_request_duration_seconds"
    assert output(f"{seconds}_count", method="GET", route=page["route"])
    assert output(f"{seconds}_bucket", method="GET", route=page["route"], le="+Inf")
    assert token not in client.get("/metrics").text


def test_what_fails_is_counted(make_app: Callable[..., Flask], empty_database: str) -> None:
    client = make_app(DATABASE_URL=empty_database).test_client()
    broken = {"method": "GET", "route": "/<language:language>/", "status": "500"}
    before = metrics_of(client)("azionelab_http_requests_total", **broken) or 0
    assert client.get("/").status_code == 500
    assert metrics_of(client)("azionelab_http_requests_total", **broken) == before + 1


@pytest.mark.usefixtures("in_app")
def test_bookings_are_counted_by_outcome(client: FlaskClient) -> None:
    before = metrics_of(client)
    performance = a_performance(capacity=3)
    press = uuid4()
    visitor = a_visitor()
    held = rules.reserve(performance.id, visitor, 2, press)
    rules.reserve(performance.id, visitor, 2, press)  # a double click
    rules.reserve(performance.id, visitor, 1, uuid4())  # the same address
    with pytest.raises(SoldOut):
        rules.reserve(performance.id, a_visitor(), 2)
    lapsed = a_party(performance, 1, confirmed=False)
    let_lapse(lapsed)
    with pytest.raises(HoldExpired):
        rules.confirm(lapsed.id)
    rules.confirm(held.id)
    rules.confirm(held.id)
    rules.reduce_seats(held.id, 1)
    rules.reduce_seats(held.id, 1)
    rules.cancel(held.id)
    rules.cancel(held.id)

    after = metrics_of(client)
    name = "azionelab_bookings_total"
    more = {
        (labels["action"], labels["outcome"]): after(name, **labels) - (before(name, **labels) or 0)
        for labels in after.labels(name)
    }
    assert {which: count for which, count in more.items() if count} == {
        ("reserve", "done"): 2,
        ("reserve", "unchanged"): 2,
        ("reserve", "sold_out"): 1,
        ("confirm", "done"): 1,
        ("confirm", "unchanged"): 1,
        ("confirm", "hold_expired"): 1,
        ("reduce", "done"): 1,
        ("reduce", "unchanged"): 1,
        ("cancel", "done"): 1,
        ("cancel", "unchanged"): 1,
    }


@pytest.mark.usefixtures("in_app")
def test_a_booking_that_was_rolled_back_is_not_counted_as_one(
    client: FlaskClient, database: Database
) -> None:
    performance = a_performance()
    before = metrics_of(client)
    database.execute("ALTER TABLE mail ADD CONSTRAINT in_the_way CHECK (false) NOT VALID")
    try:
        with pytest.raises(Exception, match="in_the_way"):
            rules.reserve(performance.id, a_visitor(), 1)
    finally:
        database.execute("ALTER TABLE mail DROP CONSTRAINT in_the_way")
    after = metrics_of(client)
    name = "azionelab_bookings_total"
    done, fault = ({"action": "reserve", "outcome": outcome} for outcome in ("done", "fault"))
    assert after(name, **done) == before(name, **done)
    assert after(name, **fault) == (before(name, **fault) or 0) + 1


@pytest.mark.usefixtures("in_app")
def test_series_start_at_zero(live_site: Site) -> None:
    """Otherwise the first event of a kind would not show as an increase."""
    output = Metrics(fetch(f"{live_site.url}/metrics"))
    verdicts = {labels["verdict"] for labels in output.labels("azionelab_door_scans_total")}
    assert {"admitted", "already_in", "unknown", "changed"} <= verdicts
    outcomes = output.labels("azionelab_bookings_total")
    assert {"action": "cancel", "outcome": "party_inside"} in outcomes


@pytest.mark.usefixtures("in_app")
def test_door_verdicts_are_counted(client: FlaskClient) -> None:
    before = metrics_of(client)
    party = a_party(a_performance())
    code, scan = ticket_token(party), uuid4()
    admit(party.performance_id, code, scan, DOOR_A)
    admit(party.performance_id, code, scan, DOOR_A)  # sent again: the same scan
    admit(party.performance_id, code, uuid4(), DOOR_A)
    admit(party.performance_id, "nobody", uuid4(), DOOR_A)
    after = metrics_of(client)
    name = "azionelab_door_scans_total"
    for verdict in ("admitted", "already_in", "unknown"):
        assert after(name, verdict=verdict) == (before(name, verdict=verdict) or 0) + 1


@pytest.mark.usefixtures("in_app")
def test_seats_of_performances_to_come(client: FlaskClient, database: Database) -> None:
    coming, cancelled = a_performance(7), a_performance()
    a_party(coming, 3)
    a_party(coming, 2, confirmed=False)
    waits = a_party(coming, 1, confirmed=False)
    database.execute("UPDATE reservation SET holds_seats = false WHERE id = %s", (waits.id,))
    a_waiting_party(coming.id, 3)
    let_lapse(a_party(coming, 1, confirmed=False))
    performance_changes.cancel_performance(cancelled.id)
    running, played = a_performance(), a_performance()
    for performance, hours in ((running, 2), (played, 30)):
        database.execute(
            "UPDATE performance SET starts_at = %s WHERE id = %s",
            (now() - timedelta(hours=hours), performance.id),
        )
    output = metrics_of(client)
    shown = output.labels("azionelab_performance_seats_held")
    assert [labels["performance"] for labels in shown] == [str(running.id), str(coming.id)]
    which = next(labels for labels in shown if labels["performance"] == str(coming.id))
    assert which["show"] == coming.show.slug
    assert which["starts"] == f"{coming.starts_at:%Y-%m-%dT%H:%MZ}"
    assert output("azionelab_performance_seats_held", **which) == 6
    assert output("azionelab_performance_seats_unconfirmed", **which, hold="yes") == 2
    assert output("azionelab_performance_seats_unconfirmed", **which, hold="no") == 1
    assert output("azionelab_performance_seats_capacity", **which) == 7
    assert output("azionelab_performance_waiting_parties", **which) == 1
    assert output("azionelab_performance_waiting_seats", **which) == 3


@pytest.mark.usefixtures("in_app")
def test_how_many_wait_in_line(client: FlaskClient) -> None:
    line = line_of(open_line(None, now()))
    for name in ("ada", "bea"):
        join(line, f"{name}@example.org")
    advance(line.id, now())
    output = metrics_of(client)
    assert output("azionelab_queue_waiting", show="") == 0
    assert output("azionelab_queue_let_in", show="") == 2


@pytest.mark.usefixtures("in_app")
def test_mails_jobs_worker_and_backups(client: FlaskClient, database: Database) -> None:
    output = metrics_of(client)
    assert output("azionelab_mail_oldest_queued_age_seconds") == 0
    assert output("azionelab_worker_last_seen_timestamp_seconds") is None
    assert output.labels("azionelab_backup_last_run_well") == []

    a_worker(database, "2 minutes")
    performance = a_performance()
    a_party(performance)
    a_party(performance, confirmed=False)
    make_older(database, "1 hour")
    database.execute("UPDATE mail SET delivery = 'failed' WHERE kind = 'ticket'")
    database.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
        " VALUES ('queue', 'queue.clean', 'failed'), ('queue', 'queue.clean', 'succeeded')"
    )
    a_backup(database, "backup", "2 hours")
    a_backup(database, "backup", "1 hour", well=False)
    a_backup(database, "verify", "3 hours")

    output = metrics_of(client)
    at = now().timestamp()
    assert output("azionelab_mail_queued") == 2
    assert output("azionelab_mail_failed") == 1
    assert 3600 <= output("azionelab_mail_oldest_queued_age_seconds") < 3700
    assert 120 <= at - output("azionelab_worker_last_seen_timestamp_seconds") < 220
    assert output("azionelab_jobs", task="queue.clean", status="failed") == 1
    assert output("azionelab_jobs", task="mail.send", status="todo") == 3
    assert output("azionelab_jobs", task="queue.clean", status="succeeded") is None
    succeeded = "azionelab_backup_last_success_timestamp_seconds"
    assert 7200 <= at - output(succeeded, task="backup") < 7300
    assert output("azionelab_backup_last_run_well", task="backup") == 0
    assert output("azionelab_backup_last_run_well", task="verify") == 1
    assert output("azionelab_backup_size_bytes", task="backup") == 1000


def test_what_runs_here(make_app: Callable[..., Flask]) -> None:
    output = metrics_of(make_app(GIT_COMMIT="c0ffee").test_client())
    assert output("azionelab_build_info", version=__version__, commit="c0ffee") == 1
    assert output("azionelab_schema_current") == 1
    assert output("azionelab_database_up") == 1


def test_a_database_that_is_not_migrated(
    make_app: Callable[..., Flask], empty_database: str
) -> None:
    output = metrics_of(make_app(DATABASE_URL=empty_database).test_client())
    assert output("azionelab_database_up") == 1
    assert output("azionelab_schema_current") == 0
    assert output("azionelab_mail_queued") is None


def test_no_database(make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(DATABASE_URL="postgresql://azionelab:pa55word@127.0.0.1:1/none")
    output = metrics_of(app.test_client())
    assert output("azionelab_database_up") == 0
    assert output("azionelab_schema_current") is None
    assert "pa55word" not in caplog.text


def test_it_costs_a_few_statements_and_changes_nothing(in_app: Flask, client: FlaskClient) -> None:
    statements: list[str] = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    for _ in range(3):
        a_party(a_performance())
    statements.clear()
    client.get("/metrics")
    event.remove(db.engine, "before_cursor_execute", note)
    assert 0 < len(statements) <= 8
    assert all(statement.lstrip().startswith(("SELECT", "SET LOCAL")) for statement in statements)


def test_metrics_contain_no_personal_data(in_app: Flask, client: FlaskClient) -> None:
    party = a_party(a_performance(), name="Zenobia Quarantotti", email="zenobia@example.org")
    client.get(f"/bookings/{visitor_token(party)}?name=Zenobia")
    admit(party.performance_id, ticket_token(party), uuid4(), DOOR_A)
    text = client.get("/metrics").text.lower()
    for secret in ("zenobia", "quarantotti", "example.org", visitor_token(party), party.reference):
        assert secret.lower() not in text


# Across gunicorn's processes.


def answered(url: str) -> float:
    """How often /api/health was asked, as whichever process answers now knows it."""
    output = Metrics(fetch(f"{url}/metrics"))
    asked = {"method": "GET", "route": "/api/health", "status": "200"}
    return output("azionelab_http_requests_total", **asked) or 0


def children(site: Site) -> dict[int, psutil.Process]:
    return {child.pid: child for child in psutil.Process(site.program.pid).children()}


def folder_of(site: Site, temporary: Path) -> Path:
    (folder,) = temporary.glob(f"azionelab-counts-{site.program.pid}-*")
    return folder


def test_any_process_returns_the_counts_of_all(start_site: Callable[..., Site]) -> None:
    site = start_site(WEB_WORKERS="2")
    before = answered(site.url)
    # One process at a time: the other cannot have answered these.
    for child in children(site).values():
        child.suspend()
        try:
            for _ in range(5):
                fetch(f"{site.url}/api/health")
        finally:
            child.resume()
    for child in children(site).values():
        child.suspend()
        try:
            assert answered(site.url) == before + 10
        finally:
            child.resume()


def test_counts_survive_the_end_of_their_process(
    start_site: Callable[..., Site], tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    site = start_site(TMPDIR=str(temporary), WEB_WORKERS="2")
    for _ in range(10):
        fetch(f"{site.url}/api/health")
    before = answered(site.url)
    folder = folder_of(site, temporary)
    for _ in range(2):
        old = children(site)
        for child in old.values():
            child.kill()

        def replaced(old: dict[int, psutil.Process] = old) -> bool:
            files = {path.name.rpartition("_")[2] for path in folder.glob("*_*.db")}
            left = files & {f"{pid}.db" for pid in old}
            return len(children(site).keys() - old.keys()) == 2 and not left

        eventually(replaced, "new processes, and the files of the old to be gone")
    assert before >= 10
    assert answered(site.url) == before
    assert len(list(folder.glob("counter_*.db"))) <= 4
    site.program.stop()
    assert list(temporary.iterdir()) == []


def test_a_reload_keeps_the_counts(start_site: Callable[..., Site], tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    here = {"TMPDIR": str(temporary), "PROMETHEUS_MULTIPROC_DIR": "/nowhere"}
    site = start_site(**here, WEB_WORKERS="2")
    fetch(f"{site.url}/api/health")
    before, old = answered(site.url), children(site)
    psutil.Process(site.program.pid).send_signal(1)  # SIGHUP
    eventually(lambda: not children(site).keys() & old.keys(), "new processes")
    eventually(lambda: len(children(site)) == 2, "both of them")
    fetch(f"{site.url}/api/health")
    assert answered(site.url) == before + 1
    folder_of(site, temporary)  # there is one
