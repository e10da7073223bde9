"""docker/azionelab: each command is the documented one with the overlays in use; its bundle holds no secret."""

import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machine import Machine


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine")).installed()


@pytest.fixture
def machine(installed: Machine) -> Iterator[Machine]:
    """An installed site, with an overlay in use; the same for all, and as it was for each."""
    installed.say("overlays", "/srv/site/docker/compose.yml,/srv/site/docker/compose.offsite.yml\n")
    env_file = installed.root / ".env"
    before = env_file.read_text()
    yield installed
    env_file.write_text(before)
    for name in ("asked", "broken", "log", "images"):
        (installed.fake / name).unlink(missing_ok=True)


COMMANDS = {
    "status": ["ps", "run --rm -T backend flask check --deploy --env-file -", "exec -T backup azionelab-backup list"],
    "logs -f worker": ["logs --tail 50 -f worker"],
    "doctor": ["run --rm -T backend flask doctor"],
    "smoke": [
        "run --rm -T backend flask smoke --url https://tickets.theatre.org --connect-to entrance:8443 --connect-to-http entrance:8080"
    ],
    "mail you@theatre.org": ["run --rm -T worker flask mail-doctor you@theatre.org"],
    "admin you@theatre.org": ["run --rm -T backend flask create-admin --link you@theatre.org"],
    "backup": ["exec -T backup azionelab-backup now"],
    "verify": ["exec -T backup azionelab-backup verify"],
    "backups": ["exec -T backup azionelab-backup list"],
    "restore 2026-11-24T030004Z": [
        "exec -T backup azionelab-backup now",
        "stop backend worker",
        "exec -T backup azionelab-backup restore 2026-11-24T030004Z --replace",
        "run --rm -T backend flask db upgrade",
        "run --rm -T backend flask doctor",
        "up --detach --wait --no-build",
    ],
    "start": ["up --detach --wait --no-build"],
    "stop": ["stop"],
    "flask resend-failed --since 2026-11-24": [
        "run --rm -T backend flask resend-failed --since 2026-11-24"
    ],
    "compose top": ["top"],
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_that_of_the_docs_with_the_overlays_in_use(
    machine: Machine, command: str
) -> None:
    begin = (
        f"compose --project-name azionelab --env-file {machine.root}/.env"
        f" -f {machine.root}/docker/compose.yml -f {machine.root}/docker/compose.offsite.yml "
    )
    wanted = [f"{begin}{part}" for part in COMMANDS[command]]
    told = machine.run("azionelab", "--dry-run", *command.split())
    assert [line.removeprefix("docker ") for line in told.splitlines()] == wanted
    assert not [line for line in machine.asked.splitlines() if line in wanted]
    typed = "2026-11-24T030004Z\n" if "restore" in command else ""
    machine.run("azionelab", *command.split(), typed=typed)
    assert [line for line in machine.asked.splitlines() if line in wanted] == wanted


def test_a_restore_asks_first(machine: Machine) -> None:
    told = machine.run("azionelab", "restore", "2026-11-24T030004Z", typed="yes\n", status=1)
    assert "nothing was done" in told
    assert " stop " not in machine.asked
    assert "which backup?" in machine.run("azionelab", "restore", status=2)


def test_rollback_leads_to_the_images_of_before(machine: Machine) -> None:
    machine.say(
        "images", f"{machine.settings['AZIONELAB_TAG']}\n0.3.0-3f7302fab1c2\n0.2.0-9c1d0a7e4b55\n"
    )
    told = machine.run("azionelab", "--dry-run", "rollback")
    assert told.strip().endswith("--to 0.3.0-3f7302fab1c2")
    assert f"{machine.root}/docker/upgrade --env-file {machine.root}/.env " in told
    machine.say("images", f"{machine.settings['AZIONELAB_TAG']}\n")
    assert "there are no other images" in machine.run("azionelab", "rollback", status=1)
    assert machine.run("azionelab", "--dry-run", "rollback", "1-a").strip().endswith("--to 1-a")


def test_what_fails_is_the_status(machine: Machine) -> None:
    machine.say("broken", "flask doctor")
    assert "flask doctor failed" in machine.run("azionelab", "doctor", status=1)


def test_wrong_words_are_named(machine: Machine) -> None:
    assert "statu: no such command" in machine.run("azionelab", "statu", status=2)
    assert "--fast: no such option" in machine.run("azionelab", "--fast", "status", status=2)
    (machine.root / ".env").unlink()
    assert "docker/install makes it" in machine.run("azionelab", "status", status=1)


def test_help_and_completion_name_every_command(machine: Machine) -> None:
    shown = machine.run("azionelab", "help")
    script = machine.run("azionelab", "completion")
    complete = (
        'COMP_CWORD=1; COMP_WORDS=(azionelab ""); _azionelab; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{complete}"], check=True, capture_output=True, text=True
    )
    commands = {word for word in done.stdout.split() if not word.startswith("-")}
    assert commands >= {command.split()[0] for command in COMMANDS} | {"upgrade", "rollback"}
    for command in commands - {"help"}:
        assert re.search(rf"^  (\w+, )?{command}\b", shown, re.M), command


PERSONAL = (
    "anna@theatre.org from 203.0.113.7 and 2001:db8:1:2::7 by https://key@sentry.theatre.org/1"
)


def test_a_bundle_tells_no_secret_and_nobody(machine: Machine) -> None:
    machine.say("log", f"{PERSONAL}\n")
    (machine.root / ".env").write_text(
        (machine.root / ".env").read_text() + "SENTRY_DSN=https://key@s.org/1\n"
    )
    machine.run("azionelab", "support-bundle", "bundle.tar.gz")
    with tarfile.open(machine.root / "bundle.tar.gz") as bundle:
        parts = {
            Path(part.name).name: file.read().decode()
            for part in bundle.getmembers()
            if (file := bundle.extractfile(part))
        }
    assert {
        "versions",
        "settings",
        "overlays",
        "containers",
        "check",
        "doctor",
        "log-nginx",
    } <= parts.keys()
    text = "\n".join(parts.values())
    for personal in ("anna@", "203.0.113.7", "2001:db8", "key@", "smtp.provider.org", "box-office"):
        assert personal not in text
    assert (
        "(address) from (network address) and (network address) by https://" in parts["log-nginx"]
    )
    assert "SENTRY_DSN (set)" in parts["settings"]
    assert "MAIL_PORT=587" in parts["settings"]
    assert "compose.offsite.yml" in parts["overlays"]


def test_a_bundle_with_a_secret_in_it_is_not_written(machine: Machine) -> None:
    machine.say("log", "the password is: a password\n")
    told = machine.run("azionelab", "support-bundle", "other.tar.gz", status=1)
    assert "secrets/mail_password is in what was collected" in told
    assert not (machine.root / "other.tar.gz").exists()
