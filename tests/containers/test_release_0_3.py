"""Upgrade from release 0.3 with the runbook's commands and by docker/upgrade, and rollback, without data loss."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.containers.conftest import (
    PASSWORD,
    SITE,
    Deployed,
    Stack,
    commands,
    follow,
    prepared,
    run,
)
from tests.support import journey
from tests.support.processes import ROOT, eventually
from tests.support.smtp import SmtpServer

# 0.3.0, from before there were tags.
RELEASE = "3081d94cf4e8aae340f7d3e1da20a3549062611d"


@pytest.fixture
def release_0_3(tmp_path: Path) -> Path:
    """Release 0.3's own folder."""
    tree = tmp_path / "release"
    run("git", "clone", "--quiet", "--shared", "--no-checkout", ROOT, tree)
    run("git", "-C", tree, "checkout", "--quiet", RELEASE)
    return tree


@pytest.fixture
def old_stack(mail_server: SmtpServer, release_0_3: Path) -> Iterator[Stack]:
    """A site of release 0.3 that serves, with an administrator."""
    with prepared(mail_server, release_0_3) as stack:
        stack.compose("build")
        stack.flask("db", "upgrade")
        stack.flask(
            *("create-admin", "admin@azionelab.theatre", "--name", "Anna", "--password-file", "-"),
            input=f"{PASSWORD}\n",
        )
        stack.up()
        yield stack


def test_a_database_of_0_3(
    old_stack: Stack,
    release_0_3: Path,
    deployed: Deployed,
    mail_server: SmtpServer,
    open_page: Callable[[Stack], Page],
) -> None:
    stack = old_stack
    evening = stack.evening(90)

    def book(email: str, seats: int = 2) -> Page:
        # A browser of its own: one that is open sees the containers' networks change, and gives up.
        page = open_page(stack)
        page.goto(f"{SITE}/performances/{evening.performance_id}/book")
        journey.book(page, "Ada Rossi", email, seats)
        return page

    def acknowledged() -> str:
        return stack.sql("SELECT email, seats, state FROM reservation ORDER BY email")

    def all_is_well() -> None:
        eventually(
            lambda: "FAIL" not in stack.flask("doctor", check=False).stdout, "a clean doctor"
        )

    page = book("ticket@azionelab.org", 3)
    (ask,) = mail_server.wait_for(1, to="ticket@azionelab.org")
    journey.confirm(page, journey.link_in(ask, SITE))
    code = journey.qr_in(mail_server.wait_for(2, to="ticket@azionelab.org")[1])
    book("asked@azionelab.org")
    (asked,) = mail_server.wait_for(1, to="asked@azionelab.org")
    before = acknowledged()
    old_tag = stack.setting("AZIONELAB_TAG")

    def to_today() -> None:
        stack.source = ROOT
        stack.set(AZIONELAB_TAG=deployed.stack.setting("AZIONELAB_TAG"))
        upgrade = commands("runbook.md", "grep AZIONELAB_TAG .env")
        checked_out = upgrade.index(["docker/new-secrets"])
        for typed in upgrade[checked_out:]:
            if typed[-1] != "build" and typed != ["docker/tag"]:
                printed = follow(stack, typed)
                assert "FAIL" not in printed, typed

    stack.execute("backup", "azionelab-backup", "now")
    to_today()
    assert acknowledged() == before
    assert "the application does not own its tables" in stack.flask("doctor").stdout
    page = book("today@azionelab.org")
    journey.confirm(page, journey.link_in(asked, SITE))  # asked by 0.3, answered today
    door = open_page(stack)
    journey.log_in(door, SITE, "admin@azionelab.theatre", PASSWORD)
    expect(door).to_have_url(re.compile("/admin/"))
    door.goto(f"{SITE}/checkin/performances/{evening.performance_id}")
    expect(journey.show_ticket(door, code)).to_contain_text("Let 3 in")
    between = acknowledged()

    # Back, on the new schema.
    stack.source = release_0_3
    stack.set(AZIONELAB_TAG=old_tag)
    stack.up("backend", "worker", "backup")
    stack.up("--remove-orphans")
    assert acknowledged() == between
    book("back@azionelab.org")
    all_is_well()

    # By the one command, which takes the ports from 0.3's nginx.
    stack.source = ROOT
    stack.set(AZIONELAB_TAG=deployed.stack.setting("AZIONELAB_TAG"))
    told = run(
        *(ROOT / "docker" / "upgrade", "--env-file", stack.env_file),
        *("--project-name", stack.name, "-f", stack.surroundings),
    ).stdout
    assert "the ports change hands" in told
    # It leaves PostgreSQL alone, and says how its settings of today are taken.
    assert "up -d --no-deps --wait postgres" in told
    stack.up("postgres")
    stack.execute("postgres", "bash", "/docker-entrypoint-initdb.d/10-application.sh")
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert stack.sql(owners) == "azionelab_owner"
    stack.flask("db", "upgrade")
    book("parted@azionelab.org")
    kept = acknowledged()
    assert " is taken: " in stack.execute("backup", "azionelab-backup", "now").stdout
    assert " is good: " in stack.execute("backup", "azionelab-backup", "verify").stdout
    book("lost@azionelab.org")
    stack.compose("stop", "backend", "worker")
    restored = stack.execute("backup", "azionelab-backup", "restore", "--replace")
    assert " is restored: " in restored.stdout + restored.stderr
    stack.flask("db", "upgrade")
    stack.up()
    assert acknowledged() == kept
    assert stack.sql(owners) == "azionelab_owner"
    book("restored@azionelab.org")
    door = open_page(stack)
    journey.log_in(door, SITE, "admin@azionelab.theatre", PASSWORD)
    expect(door).to_have_url(re.compile("/admin/"))
    door.goto(f"{SITE}/checkin/performances/{evening.performance_id}")
    expect(journey.show_ticket(door, code)).to_contain_text("Already in")
    all_is_well()
    checked = stack.flask("check", "--deploy").stdout
    assert "FAIL" not in checked
