"""docker/monitoring: alerts fire when they should and not before; Grafana's queries work.

promtool and Prometheus are the real ones (Debian: `apt-get install prometheus`).
"""

import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from azionelab.bookings import rules
from tests.conftest import Site
from tests.factories import a_party, a_performance
from tests.ops.test_health import a_backup, a_worker
from tests.ops.test_metrics import Metrics, fetch
from tests.support.processes import PATIENCE, ROOT, Program, eventually, free_port

HERE = ROOT / "docker" / "monitoring"
ALERTS = HERE / "alerts.yml"
RULES = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((HERE / "grafana" / "dashboards" / "azionelab.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]

# A site at which all is well, as series of one sample a minute.
WELL = {
    'up{job="azionelab", instance="a"}': "1x240",
    'up{job="azionelab", instance="b"}': "1x240",
    "azionelab_database_up": "1x240",
    "azionelab_schema_current": "1x240",
    "azionelab_worker_last_seen_timestamp_seconds": "0+60x240",
    "azionelab_mail_oldest_queued_age_seconds": "0x240",
    "azionelab_mail_failed": "2x240",
    "azionelab_mail_provider_refuses": "0x240",
    "azionelab_mail_refused_recipients": "1x240",
    'azionelab_backup_last_success_timestamp_seconds{task="backup"}': "0x240",
    'azionelab_backup_last_run_well{task="backup"}': "1x240",
    'azionelab_backup_last_run_well{task="verify"}': "1x240",
    'azionelab_http_requests_total{status="200", route="/"}': "0+600x240",
    'azionelab_http_requests_total{status="500", route="/"}': "0+1x240",
    'azionelab_http_request_duration_seconds_bucket{le="0.5", route="/"}': "0+600x240",
    'azionelab_http_request_duration_seconds_bucket{le="5", route="/"}': "0+601x240",
    'azionelab_http_request_duration_seconds_bucket{le="+Inf", route="/"}': "0+601x240",
    'azionelab_bookings_total{action="reserve", outcome="fault"}': "0x240",
    'azionelab_bookings_total{action="reserve", outcome="sold_out"}': "0+100x240",
}

_FAILED_ONCE_MORE: dict[str, str | None] = {
    'azionelab_jobs{task="mail.send", status="failed", instance="a"}': "1x119 2x120",
    'azionelab_jobs{task="mail.send", status="failed", instance="b"}': "1x119 2x120",
}
# What goes wrong, mostly from minute 60 on (None: the series never was), which alarms sound
# for it, and the minutes at which they do not yet and do.
CASES: dict[str, tuple[dict[str, str | None], set[str], int, int]] = {
    "all is well": ({}, set(), 0, 239),
    "no backend": (
        {
            'up{job="azionelab", instance="a"}': "1x59 0x180",
            'up{job="azionelab", instance="b"}': "1x59 0x180",
        },
        {"SiteDown", "BackendDown"}, 60, 70,
    ),
    "all series are gone": (
        {series: f"{values.removesuffix('x240')}x59" for series, values in WELL.items()},
        {"SiteDown"}, 60, 70,
    ),
    "one of two backends": (
        {'up{job="azionelab", instance="b"}': "1x59 0x180"}, {"BackendDown"}, 63, 66,
    ),
    "the database": ({"azionelab_database_up": "1x59 0x180"}, {"DatabaseDown"}, 60, 62),
    "the schema": ({"azionelab_schema_current": "1x59 0x180"}, {"SchemaNotCurrent"}, 64, 66),
    "errors": (
        {'azionelab_http_requests_total{status="500", route="/"}': "0x59 0+60x180"},
        {"ManyErrors"}, 61, 70,
    ),
    "slow": (
        {
            'azionelab_http_request_duration_seconds_bucket{le="0.5", route="/"}': "0+600x59 36000x180",
        },
        {"Slow"}, 68, 75,
    ),
    "bookings": (
        {'azionelab_bookings_total{action="reserve", outcome="fault"}': "0x59 0+1x180"},
        {"BookingsFail"}, 61, 70,
    ),
    "the worker": (
        {"azionelab_worker_last_seen_timestamp_seconds": "0+60x59 3540x180"},
        {"WorkerUnseen"}, 61, 66,
    ),
    "never a worker": (
        {"azionelab_worker_last_seen_timestamp_seconds": None}, {"WorkerUnseen"}, 1, 4,
    ),
    "late mail": (
        {"azionelab_mail_oldest_queued_age_seconds": "0x59 0+60x180"}, {"MailLate"}, 74, 77,
    ),
    "everybody's mail refused": (
        {"azionelab_mail_provider_refuses": "0x59 1x180"}, {"MailRefused"}, 59, 61,
    ),
    "mails given up": ({"azionelab_mail_failed": "2x59 2+1x180"}, {"MailFails"}, 64, 70),
    "a job": (_FAILED_ONCE_MORE, {"JobsFail"}, 119, 121),
    "a job, an hour later": (_FAILED_ONCE_MORE, set(), 119, 185),
    "another job": (
        {'azionelab_jobs{task="queue.clean", status="failed", instance="a"}': "_x120 1x120"},
        {"JobsFail"}, 119, 121,
    ),
    "an old backup": (
        {'azionelab_backup_last_success_timestamp_seconds{task="backup"}': f"{-25 * 3600}x240"},
        {"BackupMissing"}, 70, 80,
    ),
    "never a backup": (
        {'azionelab_backup_last_success_timestamp_seconds{task="backup"}': None},
        {"BackupMissing"}, 14, 17,
    ),
    "a backup that failed": (
        {'azionelab_backup_last_run_well{task="backup"}': "1x59 0x180"}, {"BackupFailed"}, 59, 61,
    ),
    "a backup that cannot be restored": (
        {'azionelab_backup_last_run_well{task="verify"}': "1x59 0x180"},
        {"BackupDoesNotRestore"}, 59, 61,
    ),
    "no restore was tried": (
        {'azionelab_backup_last_success_timestamp_seconds{task="verify"}': f"{-9 * 86400 + 3600}x240"},
        {"BackupNotVerified"}, 110, 125,
    ),
}  # fmt: skip


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_the_configuration_is_valid() -> None:
    checked = promtool("check", "config", HERE / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def firing(minute: int, alerts: set[str]) -> dict[str, Any]:
    """What promtool shall find at a minute: these alarms sound, and no others."""
    return {
        "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{minute}m",
        "exp_samples": [
            {"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(alerts)
        ],
    }


@pytest.mark.parametrize("case", CASES)
def test_alerts_fire_when_they_should_and_not_before(case: str, tmp_path: Path) -> None:
    changes, alerts, before, after = CASES[case]
    series = [
        {"series": name, "values": values}
        for name, values in (WELL | changes).items()
        if values is not None
    ]
    tests = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [firing(before, set()), firing(after, alerts)],
            }
        ],
    }
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump(tests))
    tested = promtool("test", "rules", file)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_has_a_case() -> None:
    assert {rule["alert"] for rule in RULES} == set.union(*(case[1] for case in CASES.values()))


@pytest.fixture
def busy_site(in_app: object, live_site: Site, database: psycopg.Connection[Any]) -> Site:
    """A site that has something to tell of everything."""
    a_worker(database, "5 seconds")
    for task in ("backup", "verify"):
        a_backup(database, task, "1 hour")
    performance = a_performance()
    a_party(performance)
    rules.cancel(a_party(performance).id)
    database.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
        " VALUES ('queue', 'queue.clean', 'failed')"
    )
    fetch(live_site.url)
    return live_site


def test_queries_use_only_existing_metrics(busy_site: Site) -> None:
    output = {name for name, _ in Metrics(fetch(f"{busy_site.url}/metrics"))}
    asked = "\n".join([*QUERIES, *(rule["expr"] for rule in RULES)])
    assert set(re.findall(r"\bazionelab_\w+", asked)) <= output


@pytest.fixture
def prometheus(busy_site: Site, tmp_path: Path) -> Iterator[str]:
    """The address of a Prometheus that our file configures; it asks the site every second."""
    config = yaml.safe_load((HERE / "prometheus.yml").read_text())
    (ours,) = [job for job in config["scrape_configs"] if job["job_name"] == "azionelab"]
    del ours["dns_sd_configs"]
    ours["static_configs"] = [{"targets": [busy_site.url.removeprefix("http://")]}]
    config |= {"scrape_configs": [ours], "rule_files": [str(ALERTS)]}
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = [
        "prometheus", f"--config.file={file}", f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
    ]  # fmt: skip
    with Program(command, {}, tmp_path / "prometheus.log") as program:
        scraped = 'count_over_time(up{job="azionelab"}[1m]) > 2'
        program.wait_until(lambda: _ask(address, scraped), "three looks at the site")
        yield address
        program.stop()


def _ask(address: str, query: str) -> list[Any]:
    """What Prometheus answers to a query; nothing while it is starting."""
    asked = f"http://{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return list(json.load(answer)["data"]["result"])
    except urllib.error.HTTPError as error:
        with error:
            if error.code != 503:
                raise
        return []
    except urllib.error.URLError:
        return []


def test_every_panel_shows_something(prometheus: str) -> None:
    for query in QUERIES:
        eventually(lambda query=query: _ask(prometheus, query), f"an answer to {query}")


def test_grafana_finds_its_source_and_its_dashboard() -> None:
    provisioning = HERE / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    (provider,) = yaml.safe_load((provisioning / "dashboards/azionelab.yml").read_text())[
        "providers"
    ]
    services = yaml.safe_load((ROOT / "docker/compose.monitoring.yml").read_text())["services"]
    mounts = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"])
    assert mounts["./monitoring/grafana/dashboards"] == provider["options"]["path"]
    assert source["url"] == "http://prometheus:9090"
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "targets" in panel} == {
        source["uid"]
    }


def test_only_this_machine_reaches_them() -> None:
    services = yaml.safe_load((ROOT / "docker/compose.monitoring.yml").read_text())["services"]
    ports = [port for service in services.values() for port in service["ports"]]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert all(re.search(r":v?\d+\.\d+\.\d+$", service["image"]) for service in services.values())
