"""The documented commands, and the whole journey through nginx."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.containers.conftest import COMPOSE, PASSWORD, SITE, Deployed, Stack, run
from tests.support import journey
from tests.support.processes import ROOT, eventually
from tests.support.smtp import SmtpServer

# As mission and README name them; docs/deployment.md, whose commands were run, may have more between.
ASKED_FOR = (
    "config --quiet",
    "build",
    "run --rm backend flask db upgrade",
    "run --rm backend flask create-admin you@theatre.org",
    "up -d --wait",
    "run --rm -T backend flask check --deploy --env-file -",
)


def test_the_documented_commands_work(deployed: Deployed) -> None:
    begin = f"{' '.join(COMPOSE)} "
    printed = {command.removeprefix(begin): text for command, text in deployed.printed.items()}
    assert [command for command in printed if command in ASKED_FOR] == list(ASKED_FOR)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    short = [line.removeprefix(begin) for line in readme.splitlines() if line.startswith(begin)]
    assert [command for command in printed if command in short] == short

    assert printed["config --quiet"] == ""
    created = printed["run --rm backend flask create-admin you@theatre.org"]
    assert "admin@azionelab.theatre may log in now (admin)." in created
    assert "is taken" in printed["exec backup azionelab-backup now"]
    assert "is good" in printed["exec backup azionelab-backup verify"]
    checked = printed["run --rm -T backend flask check --deploy --env-file -"]
    assert "FAIL" not in checked
    assert "FAIL" not in deployed.stack.flask("check", "--deploy").stdout
    assert "MIGRATIONS: current" in checked
    assert "BACKUPS: made, and a restore was tried" in checked
    assert "FAIL" not in printed["run --rm backend flask doctor"]
    (smoke,) = (text for command, text in printed.items() if " smoke " in command)
    assert "FAIL" not in smoke
    assert "all of it removed" in smoke


def test_from_the_programme_to_the_seat(
    stack: Stack, mail_server: SmtpServer, open_page: Callable[[Stack], Page]
) -> None:
    evening = stack.evening()
    page = open_page(stack)
    page.goto(SITE)
    page.get_by_role("link", name=evening.slug).first.click()
    page.locator(f"a[href*='/performances/{evening.performance_id}/book']").first.click()
    journey.book(page, "Ada Rossi", "ada@azionelab.org", 3)

    (ask,) = mail_server.wait_for(1, to="ada@azionelab.org")
    journey.confirm(page, journey.link_in(ask, SITE))
    code = journey.qr_in(mail_server.wait_for(2, to="ada@azionelab.org")[1])

    door = open_page(stack)
    journey.log_in(door, SITE, "admin@azionelab.theatre", PASSWORD)
    expect(door).to_have_url(re.compile("/admin/"))
    door.goto(f"{SITE}/checkin/performances/{evening.performance_id}")
    expect(journey.show_ticket(door, code)).to_contain_text("Let 3 in")
    expect(journey.show_ticket(door, code)).to_contain_text("Already in")

    door.goto(f"{SITE}/admin/reservations/")
    expect(door.locator("body")).to_contain_text("Ada Rossi")
    assert "FAIL" not in stack.flask("doctor").stdout


def test_nginx_finds_every_backend(stack: Stack) -> None:
    stack.set(BACKEND_CONTAINERS="3", WORKER_CONTAINERS="2")
    stack.up()
    try:
        backends = stack.containers("backend")
        assert len(backends) == 3
        assert len(stack.containers("worker")) == 2
        # Each counts what it was asked.
        asked = (
            "import urllib.request as u;"
            "print(u.urlopen('http://127.0.0.1:8000/metrics').read().decode())"
        )

        def served(container: dict[str, Any]) -> bool:
            counts = run("docker", "exec", container["Id"], "python", "-c", asked).stdout
            return bool(re.search(r"requests_total\{[^}]*login[^}]*\} [1-9]", counts))

        def every_one_was_asked() -> bool:
            assert stack.request("/staff/login").status == 200
            return all(served(container) for container in backends)

        eventually(every_one_was_asked, "nginx to have asked all three")
        stack.up("--scale", "backend=2")
        assert len(stack.containers("backend")) == 2
    finally:
        stack.set(BACKEND_CONTAINERS="", WORKER_CONTAINERS="")
        stack.up()
