"""The embedded PostgreSQL: kept data, crashes, awkward folders."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from bare_machine import embedded_postgres
from bare_machine.embedded_postgres import EmbeddedPostgres
from bare_machine.postgres_programs import PostgresUnavailable
from tests.support.processes import PATIENCE


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own: as root it lets nobody else in, and the server is not root.
    parent = Path(tempfile.mkdtemp(prefix="azionelab-tests-"))
    parent.chmod(0o755)
    yield parent / "postgres"
    if embedded_postgres.find_running(parent / "postgres"):
        embedded_postgres.start(parent / "postgres").stop()
    shutil.rmtree(parent)


def ask(server: EmbeddedPostgres, statement: str) -> str:
    with psycopg.connect(server.url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return str(row[0]) if row else ""


def postmaster(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().splitlines()[0])


def test_data_is_kept_between_starts(folder: Path) -> None:
    server = embedded_postgres.start(folder)
    ask(server, "CREATE TABLE kept AS SELECT 'here' AS word")
    server.stop()
    assert embedded_postgres.find_running(folder) is None
    assert ask(embedded_postgres.start(folder), "SELECT word FROM kept") == "here"


def test_it_is_as_durable_as_it_is_asked_to_be(folder: Path) -> None:
    server = embedded_postgres.start(folder, durable=False)
    assert ask(server, "SHOW fsync") == "off"
    server.stop()
    server = embedded_postgres.start(folder)
    assert ask(server, "SHOW fsync") == "on"
    assert ask(server, "SHOW full_page_writes") == "on"
    assert ask(server, "SHOW synchronous_commit") == "on"


def test_a_running_server_is_joined(folder: Path) -> None:
    first = embedded_postgres.start(folder)
    pid = postmaster(folder)
    second = embedded_postgres.start(folder)
    assert second.url == first.url == embedded_postgres.find_running(folder)
    assert postmaster(folder) == pid


def test_it_comes_back_after_a_power_cut(folder: Path) -> None:
    server = embedded_postgres.start(folder)
    ask(server, "CREATE TABLE kept AS SELECT 'here' AS word")
    process = psutil.Process(postmaster(folder))
    family = [process, *process.children()]
    for member in family:
        # Children end by themselves once the first of the family is gone.
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=PATIENCE)
    assert ask(embedded_postgres.start(folder), "SELECT word FROM kept") == "here"


def test_a_pid_that_another_program_has_now_is_not_taken_for_the_server(folder: Path) -> None:
    embedded_postgres.start(folder).stop()
    stale = [str(os.getpid()), str(folder), "1", "5432", str(folder), "", "1 1", "ready"]
    (folder / "postmaster.pid").write_text("\n".join(stale) + "\n")
    assert embedded_postgres.find_running(folder) is None
    assert ask(embedded_postgres.start(folder), "SELECT 1") == "1"


def test_half_a_cluster_is_not_taken_for_one(folder: Path) -> None:
    unfinished = folder.with_name("postgres.new")
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    assert ask(embedded_postgres.start(folder), "SELECT 1") == "1"
    assert not unfinished.exists()


def test_a_folder_too_long_for_a_socket(folder: Path) -> None:
    long = folder.with_name("long" * 25) / "postgres"
    server = embedded_postgres.start(long, durable=False)
    try:
        assert ask(server, "SELECT current_setting('data_directory')") == str(long)
        sockets = Path(ask(server, "SELECT current_setting('unix_socket_directories')"))
        assert sockets.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
    assert not sockets.exists()


def test_data_of_another_postgresql_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresUnavailable, match=r"created by PostgreSQL 12, and this is 18"):
        embedded_postgres.start(folder)


def test_nobody_else_reaches_the_data_or_the_socket(folder: Path) -> None:
    embedded_postgres.start(folder)
    assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_closed_to_others_stays_closed(folder: Path) -> None:
    # As root the server is another user, who cannot enter here: its data then lies elsewhere.
    folder.parent.chmod(0o700)
    server = embedded_postgres.start(folder, durable=False)
    try:
        assert ask(server, "SELECT current_setting('data_directory')") == str(server.folder)
        assert folder.parent.stat().st_mode & 0o077 == 0
        assert embedded_postgres.find_running(folder) == server.url
    finally:
        server.stop()
        shutil.rmtree(server.folder.parent if os.geteuid() == 0 else server.folder)
