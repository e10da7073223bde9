"""docker/install's own rules, with a `docker` that only notes what it is asked; tests/containers has the real one."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.support.machine import RIGHT, Machine, lines
from tests.support.processes import ROOT

SETTINGS = {
    "SITE_BASE_URL": "https://tickets.theatre.org",
    "ALLOWED_HOSTS": "tickets.theatre.org",
    "CSRF_TRUSTED_ORIGINS": "https://tickets.theatre.org",
    "FLASK_DEBUG": "false",
    "TIME_ZONE": "Europe/Rome",
    "MAIL_SERVER": "smtp.provider.org",
    "MAIL_PORT": "587",
    "MAIL_USE_TLS": "true",
    "MAIL_USE_SSL": "false",
    "MAIL_USERNAME": "box-office",
    "MAIL_DEFAULT_SENDER": "tickets@theatre.org",
}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def order(text: str, *parts: str) -> list[str]:
    """Those of the parts that are in a text, in its order."""
    return sorted((part for part in parts if part in text), key=text.index)


STEPS = (
    " build backend nginx backup", "certonly --standalone", "ENTRANCE= nginx true", "flask mail-doctor anna@theatre.org",
    "flask db upgrade", "flask create-admin anna@theatre.org --link --first", " up --detach", "azionelab-backup now",
    "azionelab-backup verify", "flask smoke --url https://tickets.theatre.org",
)  # fmt: skip


def test_it_asks_and_installs(machine: Machine) -> None:
    said = machine.install(typed=lines(RIGHT))
    assert machine.settings.items() >= SETTINGS.items()
    assert machine.settings["AZIONELAB_TAG"].startswith("1-")
    password = machine.root / "docker" / "secrets" / "mail_password"
    assert password.read_text() == "a password"
    asked = machine.asked.replace("build entrance backend", "build backend")
    assert order(asked, *STEPS) == list(STEPS)
    ending = said.partition("tickets.theatre.org is installed")[2]
    site = "https://tickets.theatre.org"
    for address in (
        f"{site}/\n",
        f"{site}/admin/\n",
        f"{site}/checkin/\n",
        f"{site}/staff/accept/",
    ):
        assert address in ending
    # What the theatre's DNS lacks is told, and stops nothing.
    assert "MX: theatre.org takes no mail" in said


WRONG = {
    "name": ("https://tickets.theatre.org", "is not a host name"),
    "name: private": ("tickets", "is known on this machine only"),
    "name: unknown": ("nowhere.theatre.org", "leads nowhere: make an A record"),
    "certificate": ("mine", "is neither acme nor the full path of a folder"),
    "certificate: empty": ("/etc", "there is no fullchain.pem in /etc"),
    "admin": ("anna", "is not an e-mail address"),
    "time-zone": ("Rome time", "is not a time zone"),
    "mail-server": ("smtp.provider.org:smtp", "is not a mail server"),
    "mail-server: unknown": ("nowhere.provider.org", "leads nowhere: see the name"),
    "mail-sender": ("Box office", "is not an e-mail address"),
}


def test_a_wrong_answer_is_refused_in_a_line_and_asked_again(machine: Machine) -> None:
    typed = ""
    for name, answer in RIGHT.items():
        typed += "".join(
            f"{wrong}\n" for key, (wrong, _) in WRONG.items() if key.split(":")[0] == name
        )
        typed += f"{answer}\n"
    said = machine.install(typed=typed)
    for answer, refusal in WRONG.values():
        assert any(answer in line and refusal in line for line in said.splitlines()), refusal
    assert machine.settings.items() >= SETTINGS.items()


def test_nothing_is_kept_of_answers_that_ended_early(machine: Machine) -> None:
    said = machine.install(typed="tickets.theatre.org\n", status=1)
    assert "there is no answer; give --certificate" in said
    assert machine.settings["SITE_BASE_URL"] == ""


def test_a_letter_that_is_refused_asks_for_the_account_again(machine: Machine) -> None:
    machine.say("letters", "FAIL  MAIL_PASSWORD: smtp.provider.org:587 refused the user name\n")
    # What was answered before is suggested.
    again = {"server": "smtp.other.org:465", "user": "", "password": "right", "sender": ""}
    said = machine.install(typed=lines(RIGHT) + lines(again))
    assert "MAIL_PASSWORD: smtp.provider.org:587 refused the user name" in said
    assert machine.settings.items() >= {
        "MAIL_SERVER": "smtp.other.org", "MAIL_PORT": "465", "MAIL_USE_SSL": "true", "MAIL_USE_TLS": "false",
        "MAIL_USERNAME": "box-office", "MAIL_DEFAULT_SENDER": "tickets@theatre.org",
    }.items()  # fmt: skip
    assert (machine.root / "docker" / "secrets" / "mail_password").read_text() == "right"


def test_a_mail_account_given_later_is_taken(machine: Machine, tmp_path: Path) -> None:
    machine.installed()
    secret = tmp_path / "password"
    secret.write_text("another\n")
    given = ("--mail-server", "smtp.other.org", "--mail-password-file", secret, "--name", "x.org")
    said = machine.install(*given, "--yes")
    assert machine.settings["MAIL_SERVER"] == "smtp.other.org"
    assert machine.settings["MAIL_USERNAME"] == "box-office"
    assert (machine.root / "docker" / "secrets" / "mail_password").read_text() == "another"
    assert "flask mail-doctor" in machine.asked
    assert machine.settings["SITE_BASE_URL"] == "https://tickets.theatre.org"
    assert "--name: " in said
    assert "run docker/upgrade afterwards" in said


def test_again_it_changes_nothing(machine: Machine) -> None:
    before = machine.installed().files
    said = machine.install()
    assert machine.files == before
    steps = (" build ", "certonly", "mail-doctor", "db upgrade", "azionelab-backup now")
    assert order(machine.asked, *steps) == []
    assert " --no-recreate" in machine.asked
    assert "/staff/accept/" not in said
    assert "https://tickets.theatre.org/checkin/" in said


@pytest.mark.parametrize(
    ("lost", "mended"),
    [
        ("bin/built", " build "),
        ("bin/running", "up --detach --no-build --wait --wait-timeout 300\n"),
        ("bin/backed-up", "azionelab-backup now"),
        ("site/docker/certificates/privkey.pem", "certonly --webroot"),
        ("site/docker/secrets/secret_key_fallbacks", ""),
    ],
)
def test_what_is_missing_is_done(machine: Machine, lost: str, mended: str) -> None:
    machine.installed()
    file = machine.root.parent / lost
    file.unlink()
    # Where nobody can be asked any more, the only question left is whom Let's Encrypt writes to.
    machine.install("--admin", "anna@theatre.org", "--yes")
    assert file.exists()
    assert mended in machine.asked


def test_an_administrator_who_is_missing_is_asked_for(machine: Machine) -> None:
    machine.installed()
    (machine.fake / "arrived").unlink()
    assert "--admin: '' is not an e-mail address" in machine.install("--yes", status=1)
    said = machine.install(typed="bruno@theatre.org\n")
    assert "bruno@theatre.org sets a password by this link" in said


def test_answers_come_from_options_and_a_file(machine: Machine, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("a password\n")
    file = tmp_path / "answers"
    answers = {name: value for name, value in RIGHT.items() if name != "mail-password"}
    answers |= {"mail-password-file": str(secret), "time-zone": "Europe/Paris"}
    file.write_text("# ours\n" + "".join(f"{name}={value}\n" for name, value in answers.items()))
    machine.install("--answers", file, "--time-zone", "Europe/Rome", "--yes")
    assert machine.settings.items() >= SETTINGS.items()


@pytest.mark.parametrize("name", ["name", "admin", "mail-server", "mail-sender"])
def test_without_a_person_a_missing_answer_is_named(machine: Machine, name: str) -> None:
    given = RIGHT.keys() - {name, "mail-user", "mail-password"}
    options = [part for key in given for part in (f"--{key}", RIGHT[key])]
    assert f"--{name}: '' is not" in machine.install("--yes", *options, status=1)


def test_a_line_that_is_no_answer_is_named_and_not_run(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "answers"
    for line, refusal in (
        (f"$(touch {tmp_path}/run)=x", "is none of: name admin"),
        ("name", "is not NAME=value"),
    ):
        file.write_text(f"admin=anna@theatre.org\n{line}\n")
        said = machine.install("--answers", file, status=2)
        assert f"{file}, line 2: " in said
        assert refusal in said
    assert not (tmp_path / "run").exists()


def test_for_a_look_it_needs_no_certificate_and_no_mail(machine: Machine) -> None:
    said = machine.install("--http", "--admin", "anna@theatre.org", "--yes")
    site = f"http://localhost:{machine.http_port}"
    assert machine.settings["SITE_BASE_URL"] == site
    assert machine.settings["FLASK_DEBUG"] == "true"
    assert f"{site}/admin/" in said
    assert order(machine.asked, "certonly", "mail-doctor") == []
    assert f"smoke --url {site} --connect-to entrance:8080" in machine.asked
    # Later without the option.
    (machine.fake / "asked").unlink()
    machine.install("--yes", "--admin", "anna@theatre.org")
    assert f"-f {machine.root}/docker/compose.http.yml up --detach" in machine.asked


def test_a_look_does_not_touch_a_site(machine: Machine) -> None:
    before = machine.installed().files
    said = machine.install("--http", "--yes", status=1)
    assert "--http: " in said
    assert "is of https://tickets.theatre.org" in said
    assert machine.files == before


def test_the_certificate_is_renewed_as_the_docs_have_it(machine: Machine) -> None:
    machine.install(typed=lines(RIGHT))
    page = (ROOT / "docs" / "nginx.md").read_text(encoding="utf-8")
    (script,) = (x for x in page.split("```\n")[1::2] if x.startswith("#!/bin/sh"))
    job = machine.cron / "azionelab-certificate"
    assert job.read_text() == script.replace("cd /srv/azionelab", f'cd "{machine.root}"')
    assert os.access(job, os.X_OK)


def test_a_certificate_of_ones_own_is_taken(machine: Machine, tmp_path: Path) -> None:
    for name in ("fullchain.pem", "privkey.pem"):
        (tmp_path / name).touch()
    machine.install(typed=lines(RIGHT | {"certificate": str(tmp_path)}))
    assert "certonly" not in machine.asked
    assert f"--volume {tmp_path}:/from:ro" in machine.asked


def test_settings_bring_their_overlays(machine: Machine) -> None:
    example = machine.root / ".env.example"
    example.write_text(example.read_text() + f"AUTHORITY_FILE={example}\n")
    own = machine.root / "docker" / "compose.offsite.yml"
    machine.install("-f", own, typed=lines(RIGHT))
    (up,) = (line for line in machine.asked.splitlines() if " up " in line)
    files = [Path(part).name for part in up.split(" -f ")[1:]]
    assert [name.split()[0] for name in files] == [
        "compose.yml", "compose.authority.yml", "compose.offsite.yml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "says", "advice"),
    [
        ("engine", "20.10.24\n", "Docker is 20.10.24, and 25 is needed"),
        ("compose", "v2.9.0\n", "Docker Compose is v2.9.0, and 2.24 is needed"),
        ("broken", "compose version", "Docker has no Compose"),
        ("broken", "info", "Docker does not run: systemctl enable --now docker"),
    ],
)
def test_a_docker_that_will_not_do_is_told_how_to_mend(
    machine: Machine, name: str, says: str, advice: str
) -> None:
    machine.say(name, says)
    said = machine.install(status=1)
    assert advice in said
    assert not (machine.root / ".env").exists()


def test_a_missing_docker_is_told_how_to_get(machine: Machine) -> None:
    (machine.fake / "docker").unlink()
    for tool in ("sh", "dirname", "date", "mktemp", "sed", "tail", "rm"):
        (machine.fake / tool).symlink_to(str(shutil.which(tool)))
    machine.path = str(machine.fake)
    assert "Git is not here: apt-get install git" in machine.install(status=1)
    (machine.fake / "git").symlink_to(str(shutil.which("git")))
    said = machine.install(status=1)
    assert "Docker is not here: see https://docs.docker.com/engine/install/" in said


def test_a_taken_port_is_named(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", machine.http_port)):
        said = machine.install(typed=lines(RIGHT), status=1)
    assert f"port {machine.http_port} is taken" in said
    assert "set HTTP_PORT in" in said


@pytest.mark.parametrize("step", ["build", "mail-doctor", "up --detach", "smoke"])
def test_a_step_that_fails_says_why_and_goes_on_from_there(machine: Machine, step: str) -> None:
    machine.say("broken", step)
    answers = lines(RIGHT)
    said = machine.install(typed=answers, status=1)
    assert "FAIL" in said
    assert "run docker/install again: it goes on from there" in said
    (machine.fake / "broken").unlink()
    # Of all the questions, only whom it writes to.
    machine.install("--yes", "--admin", "anna@theatre.org")


def test_a_dry_run_changes_nothing(machine: Machine) -> None:
    assert "to do: everything" in machine.install("--dry-run")
    assert not (machine.root / ".env").exists()
    before = machine.installed().files
    assert "to do: nothing but a visit" in machine.install("--dry-run")
    (machine.fake / "built").unlink()
    (machine.fake / "running").unlink()
    said = machine.install("--dry-run")
    assert "images: entrance backend nginx backup" in said
    assert "start nginx" in said
    assert machine.files == before
    assert order(machine.asked, " up ", " build ", " run ") == []
