"""docker/compose.ha.yml: the primary's container is killed, and the database goes back to a moment."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
import urllib3

from tests.containers.conftest import Evening, Stack, prepared, run
from tests.containers.visitors import NEW_TOKEN
from tests.support.processes import PATIENCE, ROOT, eventually
from tests.support.smtp import SmtpServer

NODES = ("node1", "node2", "node3")
COUNTS = "SELECT (SELECT count(*) FROM reservation), (SELECT count(*) FROM scan)"


def primary(stack: Stack) -> str:
    """The node that takes writes; empty while there is none."""
    ask = ("psql", "--no-psqlrc", "-U", "postgres", "-Atc", "SELECT pg_is_in_recovery()")
    writers = [
        node for node in NODES if stack.execute(node, *ask, check=False).stdout.strip() == "f"
    ]
    assert len(writers) < 2, writers
    return "".join(writers)


def post(stack: Stack, path: str, body: dict[str, object], **headers: str) -> int | None:
    """What the API answers; None when it does not."""
    try:
        return stack.request(
            f"/api/v1/{path}",
            "POST",
            body=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"} | headers,
        ).status
    except urllib3.exceptions.HTTPError:
        return None


def book(stack: Stack, evening: Evening) -> None:
    """Book one seat, and try the same again until it is answered, as a client of the API may."""
    visitor = str(uuid4())
    path = f"performances/{evening.performance_id}/reservations"
    guest = {
        "name": "Ada Rossi",
        "email": f"{visitor}@azionelab.org",
        "seats": 1,
        "consent": True,
    }
    key = {"Idempotency-Key": visitor}
    eventually(lambda: post(stack, path, guest, **key) == 202, "the booking")


def streaming(stack: Stack) -> bool:
    """Whether both of the other nodes follow the primary."""
    return stack.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "2"


@pytest.fixture
def cluster(mail_server: SmtpServer) -> Iterator[Stack]:
    """A deployment with three database nodes, not started yet; its images are built."""
    with prepared(mail_server) as stack:
        stack.overlays = ("compose.ha.yml",)
        stack.compose("build", timeout=PATIENCE * 20)
        yield stack


def test_a_node_dies_and_the_database_goes_back_to_a_moment(cluster: Stack) -> None:
    stack = cluster
    stack.flask("db", "upgrade")
    stack.up()
    first = stack.database = eventually(lambda: primary(stack), "a primary")
    evening = stack.evening()
    book(stack, evening)

    (container,) = stack.containers(first)
    run("docker", "kill", container["Id"])
    book(stack, evening)
    second = stack.database = eventually(lambda: primary(stack), "another primary")
    assert second != first
    assert stack.sql(COUNTS) == "2|0"
    stack.compose("start", first)
    book(stack, evening)
    eventually(lambda: streaming(stack), "both replicas")
    assert primary(stack) == second

    token = stack.execute("backend", "python", "-c", NEW_TOKEN).stdout.split()[-1]
    scan: dict[str, object] = {"scan_id": str(uuid4()), "code": "AAAA-AAAA", "door": "main"}
    scans = f"checkin/performances/{evening.performance_id}/scans"
    assert post(stack, scans, scan, Authorization=f"Bearer {token}") == 200
    moment = stack.sql("SELECT clock_timestamp()")
    stack.sql("DELETE FROM reservation; DELETE FROM scan")
    assert stack.sql(COUNTS) == "0|0"
    went = run(
        *(ROOT / "docker" / "ha" / "back-to", moment, *stack.options()), timeout=PATIENCE * 20
    )
    assert "FAIL" not in went.stdout
    stack.database = eventually(lambda: primary(stack), "a primary after the way back")
    assert stack.sql(COUNTS) == "3|1"
    held = f"SELECT seats_held FROM performance WHERE id = {evening.performance_id}"
    assert stack.sql(held) == "3"
    book(stack, evening)
    eventually(lambda: streaming(stack), "both replicas")
