"""The oldest supported PostgreSQL, Debian 12's: migrations and triggers work."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import flask_migrate
import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation

from azionelab.ops.checks import roles
from bare_machine import embedded_postgres
from tests.bookings.test_no_overbooking import INSERT
from tests.factories import a_performance

PROGRAMS = Path(f"/usr/lib/postgresql/{roles.MIN_POSTGRES_VERSION}/bin")


@pytest.fixture
def oldest_server(database_server: str) -> Iterator[str]:
    """The URL of an empty database on a server of that version; as root it runs as the embedded one's user."""
    assert PROGRAMS.is_dir(), (
        f"install it: `apt-get install postgresql-{roles.MIN_POSTGRES_VERSION}`"
    )
    folder = Path(tempfile.mkdtemp(prefix="az-"))
    who: dict[str, object] = {}
    if os.geteuid() == 0:
        user = "pgserver"
        who = {"user": user, "group": user, "extra_groups": []}
        shutil.chown(folder, user, user)

    def run(program: str, *arguments: str) -> None:
        # Files and no pipes: a server would keep those open.
        subprocess.run(
            [PROGRAMS / program, "-D", folder / "data", *arguments],
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **who,  # type: ignore[call-overload]
        )

    run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-N")
    options = f"-h '' -k {folder} -c fsync=off -c timezone=UTC"
    run("pg_ctl", "-w", "-o", options, "-l", str(folder / "log"), "start")
    try:
        url = f"postgresql://postgres@/azionelab?host={folder}"
        with psycopg.connect(url.replace("/azionelab?", "/postgres?"), autocommit=True) as admin:
            assert admin.info.server_version // 10000 == roles.MIN_POSTGRES_VERSION
            admin.execute("CREATE DATABASE azionelab")
            embedded_postgres.create_application_role(admin)
        yield url
    finally:
        run("pg_ctl", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


def test_it_is_migrated_and_counts_seats(
    oldest_server: str, make_app: Callable[..., Flask]
) -> None:
    application = embedded_postgres.as_application(oldest_server)
    app = make_app(DATABASE_URL=application, MIGRATION_DATABASE_URL=oldest_server)
    with app.app_context():
        flask_migrate.upgrade()
        performance = a_performance(capacity=5)
        with psycopg.connect(application) as connection:
            connection.execute(INSERT.format(performance=performance.id, seats=3))
            with pytest.raises(CheckViolation):
                connection.execute(
                    INSERT.replace("TYPED000", "TYPED001")
                    .format(performance=performance.id, seats=3)
                    .replace("t@example", "u@example")
                )
        flask_migrate.downgrade(revision="base")
