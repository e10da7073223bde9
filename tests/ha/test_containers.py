"""docker/compose.ha.yml gives each part only what it needs, and azionelab-archive refuses what it cannot do."""

import json
import os
import runpy
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT
from tests.test_check_env import COMPOSE

ARCHIVE = ROOT / "docker" / "ha" / "archive.py"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    """What Compose makes of the overlay."""
    files = [
        part for name in ("compose.yml", "compose.ha.yml") for part in ("-f", f"docker/{name}")
    ]
    done = subprocess.run(
        [
            COMPOSE,
            "--env-file",
            ".env.example",
            "--profile",
            "*",
            *files,
            "config",
            "--format=json",
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["services"]
    return found


def sources(service: dict[str, Any], key: str) -> set[str]:
    return {part["source"] for part in service.get(key, [])}


def test_each_part_has_only_what_it_needs(services: dict[str, dict[str, Any]]) -> None:
    assert {name for name, service in services.items() if service.get("ports")} == {"entrance"}
    # etcd asks for no password.
    assert {
        name for name, service in services.items() if "cluster" in service.get("networks", {})
    } == {*("etcd1", "etcd2", "etcd3", "node1", "node2", "node3", "restore")}
    for name in ("postgres", "etcd1", "archive", "restore"):
        assert sources(services[name], "secrets") == set(), name
    assert sources(services["postgres"], "volumes") == set()
    assert services["archive"]["network_mode"] == "none"
    written = {
        part["source"]
        for part in services["archive"]["volumes"]
        if not part.get("read_only") and part["source"].endswith("_data")
    }
    assert written == set()
    assert "node1_data" in sources(services["backup"], "volumes")


def test_nodes_keep_their_data_apart(services: dict[str, dict[str, Any]]) -> None:
    for number in (1, 2, 3):
        data = f"node{number}_data"
        assert data in sources(services[f"node{number}"], "volumes")
        users = {name for name, service in services.items() if data in sources(service, "volumes")}
        assert users <= {f"node{number}", "archive", "restore", "backup"}


def backup(kind: str, age: timedelta) -> dict[str, Any]:
    return {"type": kind, "timestamp": {"stop": (NOW - age).timestamp()}, "error": False}


def ask(tmp_path: Path, *command: str, backups: list[dict[str, Any]]) -> str:
    """What azionelab-archive says with a pgBackRest that knows these backups; empty when all is well."""
    program = tmp_path / "pgbackrest"
    program.write_text(f"#!/bin/sh\ncat << 'END'\n{json.dumps([{'backup': backups}])}\nEND\n")
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, ARCHIVE, *command],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(done.returncode) is bool(done.stderr)
    return done.stderr


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("yesterday", "is no moment such as"),
        ("2026-12-01 20:00:00", "add an offset"),
        (timedelta(hours=1), "has not come yet"),
        (timedelta(days=-3), "the archive goes back to"),
        (timedelta(hours=-1), ""),
    ],
)
def test_a_moment_that_cannot_be_reached_is_refused(
    tmp_path: Path, moment: str | timedelta, said: str
) -> None:
    if isinstance(moment, timedelta):
        moment = (NOW + moment).isoformat()
    answer = ask(tmp_path, "check", moment, backups=[backup("full", timedelta(days=2))])
    assert bool(answer) is bool(said)
    assert said in answer


def test_without_a_backup_there_is_no_way_back(tmp_path: Path) -> None:
    assert "has no backup" in ask(tmp_path, "check", NOW.isoformat(), backups=[])
    assert "no backup of the last 26 hours" in ask(tmp_path, "healthy", backups=[])


def test_it_is_healthy_with_a_backup_of_the_last_day(tmp_path: Path) -> None:
    old, new = backup("full", timedelta(hours=27)), backup("diff", timedelta(hours=25))
    assert "no backup of the last 26 hours" in ask(tmp_path, "healthy", backups=[old])
    assert ask(tmp_path, "healthy", backups=[old, new]) == ""


@pytest.mark.parametrize(
    ("taken", "kind"),
    [
        ([], "full"),
        ([("full", 1)], None),
        ([("full", 25)], "diff"),
        ([("full", 50), ("diff", 2)], None),
        ([("full", 7 * 24 + 1), ("diff", 2)], "full"),
    ],
)
def test_backups_are_due_each_day_and_whole_ones_each_week(
    taken: list[tuple[str, int]], kind: str | None
) -> None:
    due = runpy.run_path(str(ARCHIVE))["due"]
    assert due([(name, NOW - timedelta(hours=hours)) for name, hours in taken], NOW) == kind
