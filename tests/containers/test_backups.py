"""A lost disk is restored with the commands of docs/runbook.md."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.containers.conftest import SITE, Stack, run
from tests.support import journey
from tests.support.processes import eventually
from tests.support.smtp import SmtpServer


def backup(stack: Stack, *command: str, check: bool = True) -> str:
    """Run azionelab-backup in the backup container; what it printed."""
    done = stack.execute("backup", "azionelab-backup", *command, check=check)
    return done.stdout + done.stderr


def test_a_lost_disk_is_restored_from_off_site(
    own_stack: Stack,
    open_page: Callable[[Stack], Page],
    mail_server: SmtpServer,
) -> None:
    stack = own_stack
    # Another machine, as far as the stack knows.
    elsewhere = stack.folder / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    stack.overlay(services={"backup": {"volumes": [f"{elsewhere}:/elsewhere"]}})
    stack.set(RESTIC_REPOSITORY="/elsewhere/backups")
    stack.overlays = ("compose.offsite.yml",)
    stack.flask("db", "upgrade")
    stack.up()
    evening = stack.evening()
    page = open_page(stack)
    page.goto(f"{SITE}/performances/{evening.performance_id}/book")
    journey.book(page, "Ada Rossi", "kept@azionelab.org", 2)
    (ask,) = mail_server.wait_for(1, to="kept@azionelab.org")
    journey.confirm(page, journey.link_in(ask, SITE))
    ticket = page.url

    taken = backup(stack, "now")
    assert "is taken" in taken
    assert "is elsewhere too" in taken
    assert "1 reservation" in backup(stack, "list")
    assert "FAIL" not in backup(stack, "verify")

    stack.compose("down", "--timeout", "20")
    for volume in ("postgres_data", "backups", "media"):
        run("docker", "volume", "rm", f"{stack.name}_{volume}")
    stack.compose("up", "--detach", "--no-build", "--wait", "postgres")
    fetched = stack.compose("run", "--rm", "--no-TTY", "backup", "fetch")
    assert "is here" in fetched.stdout
    restored = stack.compose("run", "--rm", "--no-TTY", "backup", "restore")
    assert "is restored" in restored.stdout + restored.stderr
    stack.flask("db", "upgrade")
    stack.up()
    held = f"SELECT seats_held FROM performance WHERE id = {evening.performance_id}"
    assert stack.sql(held) == "2"
    page.goto(ticket)
    expect(page.locator("img[src*='qr.png']")).to_be_visible()
    eventually(lambda: "FAIL" not in stack.flask("doctor", check=False).stdout, "a clean doctor")


def test_a_corrupt_backup_is_refused_and_changes_nothing(stack: Stack) -> None:
    backup(stack, "now")
    newest = stack.execute("backup", "sh", "-c", "ls /backups | grep Z$ | tail -n 1").stdout.strip()
    before = stack.sql("SELECT count(*) FROM reservation")
    stack.execute("backup", "sh", "-c", f"echo x >> /backups/{newest}/database.dump")
    try:
        refused = stack.execute(
            "backup", "azionelab-backup", "restore", newest, "--replace", check=False
        )
        assert refused.returncode != 0
        assert newest in refused.stderr
        assert "Traceback" not in refused.stderr
        assert stack.sql("SELECT count(*) FROM reservation") == before
    finally:
        stack.execute("backup", "rm", "-r", f"/backups/{newest}")


def test_a_full_volume_is_reported_and_leaves_nothing(own_stack: Stack) -> None:
    stack = own_stack
    small = {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=40k,uid=10001"}}
    stack.overlay(volumes={"backups": small})
    stack.flask("db", "upgrade")
    stack.compose("up", "--detach", "--no-build", "--wait", "postgres")
    full = stack.compose("run", "--rm", "--no-TTY", "backup", "now", check=False)
    assert full.returncode != 0
    assert "No space left on device" in full.stderr
    assert "Traceback" not in full.stderr
    listed = stack.compose("run", "--rm", "--no-TTY", "backup", "list", check=False)
    assert "release" not in listed.stdout
