#!/usr/bin/env python3
"""azionelab-archive: take backups with pgBackRest, and bring the cluster back to a moment.

schedule           what the container runs: a full backup a week, and what differs from it each day
healthy            fail when the newest backup is older than 26 hours
check MOMENT       whether the archive goes back to it, such as "2026-12-01 20:14:59+01:00"
restore MOMENT     bring the stopped cluster back to it (docker/ha/back-to runs this)

It runs on one machine with the nodes' files in /nodes/1, /nodes/2 and /nodes/3, and with their sockets.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NODES = [Path("/nodes") / str(number) / "pgdata" for number in (1, 2, 3)]
SOCKETS = [Path("/sockets") / str(number) for number in (1, 2, 3)]
# Patroni's keys that say where the database was; `initialize` and `config` stay.
STALE = ("leader", "status", "sync", "history", "failover", "failsafe")
FULL_EVERY = timedelta(days=7)
BACKUP_EVERY = timedelta(days=1)
TOO_OLD = timedelta(hours=26)


class Refused(Exception):
    """What was asked for cannot be done; the text says why."""


def run(*command: str | Path) -> str:
    """What a program prints; it fails with what it says."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{command[0]} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def backups() -> list[tuple[str, datetime]]:
    """The type of each backup and when it was complete, the oldest first."""
    stanzas: list[dict[str, Any]] = json.loads(run("pgbackrest", "info", "--output=json"))
    return [
        (backup["type"], datetime.fromtimestamp(backup["timestamp"]["stop"], UTC))
        for stanza in stanzas
        for backup in stanza.get("backup", [])
        if not backup.get("error")
    ]


def due(taken: list[tuple[str, datetime]], now: datetime) -> str | None:
    """The type of the backup that is due, or None."""
    if not any(kind == "full" and now - stop < FULL_EVERY for kind, stop in taken):
        return "full"
    return None if now - taken[-1][1] < BACKUP_EVERY else "diff"


def schedule() -> None:
    """Take backups when they are due, for ever."""
    prepared = False
    while True:
        try:
            if not prepared:
                run("pgbackrest", "stanza-create")
                prepared = True
            if kind := due(backups(), datetime.now(UTC)):
                run("pgbackrest", "backup", f"--type={kind}")
                print(f"a backup was taken ({kind})", flush=True)
        except Refused as error:
            print(error, file=sys.stderr, flush=True)
        time.sleep(60 if prepared else 2)


def healthy() -> None:
    """Refuse when there is no backup of the last 26 hours."""
    taken = backups()
    if not taken or datetime.now(UTC) - taken[-1][1] > TOO_OLD:
        raise Refused("there is no backup of the last 26 hours")


def parse_moment(text: str, now: datetime, taken: list[tuple[str, datetime]]) -> datetime:
    """The moment that is meant; it has an offset, and the archive goes back to it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is no moment such as 2026-12-01 20:14:59+01:00") from None
    if moment.tzinfo is None:
        raise Refused(f"{text!r} does not say in which time zone: add an offset, such as +01:00")
    if moment > now:
        raise Refused(f"{moment} has not come yet")
    if not taken or moment < taken[0][1]:
        first = f"goes back to {taken[0][1]}" if taken else "has no backup"
        raise Refused(f"the archive {first}; it cannot bring back {moment}")
    return moment


def check(text: str) -> datetime:
    """The moment, or why the archive cannot go back to it."""
    return parse_moment(text, datetime.now(UTC), backups())


def answers(socket: Path) -> bool:
    """Whether a server accepts connections there."""
    command = ("pg_isready", "--quiet", "--host", socket)
    return subprocess.run(command, check=False).returncode in {0, 1}


def restore(text: str) -> None:
    """Bring node 1 back to a moment and empty the others, which then copy it."""
    moment = check(text)
    if any(answers(socket) for socket in SOCKETS):
        raise Refused("a node runs: stop all three first")
    node = NODES[0]
    node.mkdir(mode=0o700, exist_ok=True)
    (node / "postmaster.pid").unlink(missing_ok=True)
    run(
        *("pgbackrest", "restore", "--delta", "--type=time", f"--target={moment.isoformat(' ')}"),
        "--target-action=promote",
    )
    replay(node)
    for other in NODES[1:]:
        shutil.rmtree(other, ignore_errors=True)
    identity = next(
        line.split()[-1]
        for line in run("pg_controldata", node).splitlines()
        if line.startswith("Database system identifier")
    )
    # So that the others wait for node 1, and do not make a new cluster.
    run("etcdctl", "put", "/service/azionelab/initialize", identity)
    for key in STALE:
        run("etcdctl", "del", f"/service/azionelab/{key}")
    print(f"the database is as it was at {moment}")


def replay(node: Path) -> None:
    """Apply the archive's changes in a server that nobody reaches, until it has its moment."""
    log = node.parent / "restore.log"
    log.unlink(missing_ok=True)
    alone = "-c listen_addresses='' -c unix_socket_directories=/tmp"
    # Nobody is there who could confirm a commit.
    options = f"{alone} -c synchronous_standby_names='' -c primary_conninfo=''"
    try:
        run("pg_ctl", "start", "--pgdata", node, "--log", log, "--options", options)
        while query("SELECT pg_is_in_recovery()") == "t":
            time.sleep(0.2)
        # What said where to stop is done; as a standby later, the node must not stop there again.
        query("ALTER SYSTEM RESET ALL")
        run("pg_ctl", "stop", "--pgdata", node, "--mode", "fast", "--timeout", "600")
    except Refused as error:
        with suppress(Refused):
            run("pg_ctl", "stop", "--pgdata", node, "--mode", "immediate")
        said = log.read_text(errors="replace").splitlines() if log.exists() else []
        raise Refused("\n".join([str(error), *said[-5:]])) from error
    log.unlink()


def query(sql: str) -> str:
    """What the server that nobody else reaches answers."""
    return run("psql", "--no-psqlrc", "--host", "/tmp", "-Atc", sql).strip()  # noqa: S108 (the container's own)


def main() -> None:
    """Run the command that was asked for."""
    commands: dict[str, Callable[..., object]] = {
        "schedule": schedule,
        "healthy": healthy,
        "check": check,
        "restore": restore,
    }
    name, *arguments = sys.argv[1:] or ["--help"]
    if name not in commands or len(arguments) != (name in {"check", "restore"}):
        sys.exit(__doc__)
    os.environ.setdefault("PGCONNECT_TIMEOUT", "10")
    try:
        commands[name](*arguments)
    except Refused as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
