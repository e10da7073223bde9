"""Containers die, restart and are taken down, and no confirmed data is lost."""

from collections.abc import Callable

import pytest
import urllib3
from playwright.sync_api import Page

from tests.containers.conftest import SITE, Evening, Stack, run
from tests.support import journey
from tests.support.processes import eventually
from tests.support.smtp import SmtpServer


def booked(stack: Stack, open_page: Callable[[Stack], Page], email: str, evening: Evening) -> None:
    page = open_page(stack)
    page.goto(f"{SITE}/performances/{evening.performance_id}/book")
    journey.book(page, "Ada Rossi", email, 2)


def seats_held(stack: Stack, evening: Evening) -> str:
    return stack.sql(f"SELECT seats_held FROM performance WHERE id = {evening.performance_id}")


def test_bookings_survive_restart_and_down(
    stack: Stack, open_page: Callable[[Stack], Page]
) -> None:
    evening = stack.evening()
    booked(stack, open_page, "restart@azionelab.org", evening)
    stack.compose("restart", "--timeout", "10")
    stack.wait_until_healthy()
    assert seats_held(stack, evening) == "2"
    stack.compose("down", "--timeout", "20")
    stack.up()
    assert seats_held(stack, evening) == "2"
    assert "FAIL" not in stack.flask("doctor").stdout


def kill(stack: Stack, service: str) -> str:
    """End a container's main process as the kernel would; the container's id."""
    (container,) = stack.containers(service)
    (backend,) = stack.containers("backend")
    # By somebody on the engine's machine: `docker kill` is a wish to stop, and nothing would restart.
    command = f"import os; os.kill({container['State']['Pid']}, 9)"
    run(
        *("docker", "run", "--rm", "--pid", "host", "--user", "0"),
        *(backend["Config"]["Image"], "python", "-c", command),
    )
    return str(container["Id"])


def restarted(stack: Stack, service: str, container: str) -> bool:
    (now,) = stack.containers(service)
    health = now["State"].get("Health", {}).get("Status")
    return now["Id"] == container and now["RestartCount"] > 0 and health == "healthy"


def status(stack: Stack, path: str) -> int | None:
    """What a visitor gets, None for no connection."""
    try:
        return stack.request(path).status
    except urllib3.exceptions.HTTPError:
        return None


@pytest.mark.parametrize(
    ("service", "programme", "form"),
    [
        ("entrance", {200, None}, {200, None}),
        # Whoever comes meanwhile waits.
        ("nginx", {200}, {200}),
        ("backend", {200}, {200, 503}),
        ("worker", {200}, {200}),
        ("postgres", {200}, {200, 503}),
        ("backup", {200}, {200}),
    ],
)
def test_a_killed_container_comes_back(
    stack: Stack, service: str, programme: set[int | None], form: set[int | None]
) -> None:
    evening = stack.evening()
    pages = {"/en/": programme, f"/en/performances/{evening.performance_id}/book": form}
    assert {status(stack, path) for path in pages} == {200}
    seen: dict[str, set[int | None]] = {path: set() for path in pages}
    container = kill(stack, service)

    def back() -> bool:
        for path in pages:
            seen[path].add(status(stack, path))
        return restarted(stack, service, container)

    eventually(back, f"{service} to be back")
    for path, allowed in pages.items():
        assert seen[path] <= allowed, f"{path} gave {seen[path]}"
    stack.wait_until_healthy()
    assert "FAIL" not in stack.flask("doctor").stdout


def test_the_programme_stays_up_without_the_backend(stack: Stack) -> None:
    evening = stack.evening()
    eventually(
        lambda: evening.slug in stack.request("/en/").data.decode(), "the new evening on the page"
    )
    stack.compose("stop", "--timeout", "10", "backend")
    try:
        programme = stack.request("/en/")
        assert programme.status == 200
        assert evening.slug in programme.data.decode()
        form = stack.request(f"/en/performances/{evening.performance_id}/book")
        assert form.status in {502, 503, 504}
        assert "Nothing has been lost" in form.data.decode()
        # A restart of the machine, with nginx up before the backend.
        stack.compose("restart", "--no-deps", "nginx")
        eventually(lambda: status(stack, "/en/") == 200, "the kept programme after a restart")
        assert evening.slug in stack.request("/en/").data.decode()
    finally:
        stack.up()


def test_a_database_outage_gives_503_and_booking_works_afterwards(
    stack: Stack, open_page: Callable[[Stack], Page]
) -> None:
    evening = stack.evening()
    stack.compose("stop", "--timeout", "10", "postgres")
    try:
        form = stack.request(f"/en/performances/{evening.performance_id}/book")
        assert form.status == 503
        assert form.headers["Retry-After"]
    finally:
        stack.up()
    booked(stack, open_page, "later@azionelab.org", evening)
    assert seats_held(stack, evening) == "2"


def test_a_mail_waits_for_the_worker(
    stack: Stack, open_page: Callable[[Stack], Page], mail_server: SmtpServer
) -> None:
    evening = stack.evening()
    stack.compose("kill", "worker")
    try:
        booked(stack, open_page, "patient@azionelab.org", evening)
        assert not [m for m in mail_server.messages if "patient@azionelab.org" in m.recipients]
    finally:
        stack.up()
    mail_server.wait_for(1, to="patient@azionelab.org")
