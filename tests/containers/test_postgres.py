"""The database tests pass on Compose's PostgreSQL, not only on the embedded one."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from bare_machine import postgres_programs
from tests.containers.conftest import Stack, run
from tests.support.processes import PATIENCE, PYTHON, ROOT, clean_environment, eventually, free_port

# Rules, locks, triggers, the queue, the migrations and the races: what the server has a part in. Not the delivery of
# mails, of which only the queue is the server's, nor the rules in any order, whose triggers test_guards.py tries.
SUITE = (
    *(
        f"tests/bookings/test_{part}.py"
        for part in ("locks", "networks", "no_overbooking", "rules", "share")
    ),
    *(f"tests/checkin/test_{part}.py" for part in ("admission", "claims", "devices", "walk_ins")),
    "tests/admin/test_editing_races.py",
    "tests/checkin/test_house.py",
    "tests/mail/test_worker.py",
    "tests/test_database.py",
    "tests/test_guards.py",
    "tests/test_migrations.py",
    "tests/test_rate_limits.py",
    "tests/faults/test_storm.py",
)


@pytest.fixture
def server(stack: Stack) -> Iterator[str]:
    """The URL of an empty database on a server of the stack's image, as fast as the embedded one."""
    (container,) = stack.containers("postgres")
    name, port = f"azionelab-{uuid4().hex[:8]}", free_port()
    fast = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "timezone=UTC")
    run(
        *(
            "docker",
            "run",
            "--detach",
            "--rm",
            "--name",
            name,
            "--publish",
            f"127.0.0.1:{port}:5432",
        ),
        *("--tmpfs", "/var/lib/postgresql/data", "--shm-size", "256m"),
        *("--env", "POSTGRES_HOST_AUTH_METHOD=trust", "--env", "POSTGRES_DB=azionelab"),
        container["Config"]["Image"],
        *(part for setting in fast for part in ("-c", setting)),
    )
    url = f"postgresql://postgres@127.0.0.1:{port}/azionelab?connect_timeout=30"
    try:
        eventually(lambda: answers(url), "PostgreSQL")
        yield url
    finally:
        run("docker", "rm", "--force", "--volumes", name)


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_suite_passes_on_composes_postgresql(server: str) -> None:
    with psycopg.connect(server) as connection:
        assert connection.info.server_version // 10000 != postgres_programs.MAJOR
    done = run(
        *(PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITE),
        cwd=ROOT,
        env=clean_environment({"TEST_DATABASE_URL": server}),
        check=False,
        timeout=PATIENCE * 20,
    )
    assert done.returncode == 0, done.stdout + done.stderr
