"""The containers' logs: requests by id, without personal data."""

import json

from tests.containers.conftest import Stack, run
from tests.support.processes import eventually


def log(stack: Stack, service: str) -> str:
    (container,) = stack.containers(service)
    return run("sh", "-c", "exec docker logs $0 2>&1", container["Id"]).stdout


def test_a_request_is_found_by_its_id(stack: Stack) -> None:
    asked = stack.request("/api/health").headers["X-Request-ID"]

    def told_by(service: str) -> set[str]:
        # What the backend says before it serves is a person's.
        lines = [line for line in log(stack, service).splitlines() if line.startswith("{")]
        return {json.loads(line)["request_id"] for line in lines}

    def both_tell_it() -> bool:
        return asked in told_by("nginx") & told_by("backend")

    eventually(both_tell_it, "the request in nginx's and the backend's log")


def test_the_database_logs_errors_without_personal_data(stack: Stack) -> None:
    def refused(statement: str) -> None:
        command = ("psql", "--no-psqlrc", "-U", "postgres", "-d", "azionelab", "-c", statement)
        assert stack.execute("postgres", *command, check=False).returncode != 0

    refused(
        "INSERT INTO reservation (id, name, email)"
        " VALUES (gen_random_uuid(), 'Ada Refused', 'refused@azionelab.org')"
    )
    # The last of what it logs by now.
    refused("SELECT 1 / 0")
    eventually(lambda: "division by zero" in log(stack, "postgres"), "the refusals in the log")
    output = log(stack, "postgres")
    assert "violates not-null constraint" in output
    assert "Refused" not in output
    assert "refused@" not in output
