"""A DATABASE_URL of two hosts, one of them a standby: who can write is found, also after a failover."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import flask_migrate
import psycopg
import pytest
from flask import Flask
from psycopg.conninfo import conninfo_to_dict

from bare_machine import embedded_postgres
from bare_machine.embedded_postgres import EmbeddedPostgres
from tests.factories import a_party, a_performance, seats_held


@pytest.fixture
def pair() -> Iterator[tuple[EmbeddedPostgres, EmbeddedPostgres]]:
    """A primary, and a standby that follows it."""
    first, second = (Path(tempfile.mkdtemp(prefix="azionelab-host-")) for _ in range(2))
    primary = embedded_postgres.start(first, durable=False)
    primary.stop()
    second.rmdir()
    subprocess.run(["cp", "-a", first, second], check=True)
    (second / "standby.signal").touch()
    with (second / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write(f"primary_conninfo = 'host={socket_of(primary)} user=postgres'\n")
    primary = embedded_postgres.start(first, durable=False)
    standby = embedded_postgres.start(second, durable=False)
    yield primary, standby
    for server in (primary, standby):
        if embedded_postgres.find_running(server.folder):
            server.stop()
        shutil.rmtree(server.folder)


def socket_of(server: EmbeddedPostgres) -> str:
    return str(conninfo_to_dict(server.url)["host"])


def test_who_can_write_is_found(
    make_app: Callable[..., Flask], pair: tuple[EmbeddedPostgres, EmbeddedPostgres]
) -> None:
    primary, standby = pair
    hosts = f"{socket_of(standby)},{socket_of(primary)}"
    app = make_app(
        DATABASE_URL=f"postgresql://postgres@/azionelab?host={hosts}"
        "&target_session_attrs=read-write"
    )
    with app.app_context():
        flask_migrate.upgrade()
        performance = a_performance(capacity=4)
        a_party(performance, 2)

        # An orderly stop hands everything over to the standby first.
        primary.stop()
        page = f"/performances/{performance.id}/book"
        assert app.test_client().get(page).status_code == 503, "nobody can write"
        with psycopg.connect(standby.url, autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,)

        assert app.test_client().get(page).status_code == 200
        a_party(performance, 2)
        assert seats_held(performance.id) == (4, 4)
    with psycopg.connect(standby.url) as connection:
        held = connection.execute("SELECT seats_held FROM performance").fetchone()
    assert held == (4,)
