""".env.example has exactly the existing settings, fit for local use and refused in production."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from dotenv import dotenv_values

from azionelab.settings.environment import SettingsReader
from azionelab.settings.loading import ConfigError, load_config
from azionelab.settings.production import unsafe_settings
from tests.support.processes import PYTHON, ROOT, Program

# Read by gunicorn.conf.py and `make run`, not by the application.
# (WEB_WORKERS and WEB_THREADS by both.)
SERVING = {"PORT", "GUNICORN_BIND", "WEB_WORKERS", "WEB_THREADS", "LOG_LEVEL", "LOG_FORMAT"}
COMPOSE_FILES = sorted((ROOT / "docker").glob("compose*.yml"))
COMPOSE = {
    name
    for file in COMPOSE_FILES
    for name in re.findall(r"\$\{(\w+)", re.sub("(?m)^ *#.*", "", file.read_text(encoding="utf-8")))
}
# Compose decides these, or gives them as files.
NOT_PASSED = {
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_PASSWORD", "MAIL_PASSWORD"),
    *("MIGRATION_DATABASE_PASSWORD", "APPLE_PASS", "GOOGLE_WALLET_KEY"),
    *("TRUSTED_PROXIES", "FRONTEND_DIST", "MEDIA_DIR", "PORT", "GUNICORN_BIND", "GIT_COMMIT"),
}
LINES = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
# As `make run` reads it.
VALUES = {name: value or "" for name, value in dotenv_values(ROOT / ".env.example").items()}


class Recorder(Mapping[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_it_holds_exactly_the_settings_that_are_read() -> None:
    environ = Recorder()
    with suppress(ConfigError):
        load_config(environ)
    settings = {name for name in environ.asked if f"{name}_FILE" in environ.asked}
    assert environ.asked - settings == {f"{name}_FILE" for name in settings}
    assert set(VALUES) == settings | SERVING | COMPOSE
    # What is decided in .env reaches the containers.
    assert (settings | SERVING) - NOT_PASSED <= COMPOSE
    assert not NOT_PASSED & COMPOSE
    assert len(VALUES) == sum("=" in line and not line.startswith("#") for line in LINES)


def test_a_shell_reads_what_the_application_reads() -> None:
    # As docker/stack.yml asks for.
    read = "set -ae; . ./.env.example; exec env -0"
    reported = subprocess.run(
        ["sh", "-c", read], cwd=ROOT, env={"PATH": os.defpath}, capture_output=True, check=True
    )
    assert reported.stderr == b""
    environment = dict(line.split("=", 1) for line in reported.stdout.decode().split("\0") if line)
    assert {name: environment.get(name) for name in VALUES} == VALUES


def test_gunicorn_reads_the_documented_settings() -> None:
    gunicorn = (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
    read = set(re.findall(r'_settings\.\w+\(\s*"(\w+)"', gunicorn))
    assert read | {"WEB_WORKERS", "WEB_THREADS"} == SERVING


def test_gunicorns_invalid_settings_are_named(tmp_path: Path) -> None:
    levels = "debug, info, warning, error, critical"
    assert f"# gunicorn's: {levels}." in LINES
    wrong = {"GUNICORN_BIND": "nonsense", "WEB_WORKERS": "two", "LOG_LEVEL": "loud"}
    command = [PYTHON, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    with Program(command, wrong, tmp_path / "log") as program:
        assert program.wait() != 0
        assert program.output.splitlines() == [
            f"GUNICORN_BIND: 'nonsense' {LISTENING['nonsense']}{ADVICE}",
            "WEB_WORKERS: 'two' is not a whole number from 1 to 64",
            f"LOG_LEVEL: 'loud' is not one of {levels}",
        ]


ADVICE = "; set GUNICORN_BIND=127.0.0.1:8000, or leave it empty"
LISTENING = {
    "nonsense": "is not like 0.0.0.0:8000 or unix:/run/site.sock",
    ":8000": "is not like 0.0.0.0:8000 or unix:/run/site.sock",
    "127.0.0.1": "is not like 0.0.0.0:8000 or unix:/run/site.sock",
    "0.0.0.0:0": "is not like 0.0.0.0:8000 or unix:/run/site.sock",
    "0.0.0.0:65536": "is not like 0.0.0.0:8000 or unix:/run/site.sock",
    "127.0.0.256:8000": "is not an address of this machine",
    "192.0.2.1:8000": "is not an address of this machine",
    "unix:/nowhere/site.sock": "is in /nowhere, which is not a folder",
}


@pytest.mark.parametrize("address", LISTENING)
def test_gunicorn_does_not_start_on_an_unusable_address(address: str) -> None:
    reader = SettingsReader({"GUNICORN_BIND": address})
    reader.bind_addresses("GUNICORN_BIND", "127.0.0.1:8000")
    assert reader.problems == [f"GUNICORN_BIND: {address!r} {LISTENING[address]}{ADVICE}"]


@pytest.mark.parametrize(
    "address",
    ["", "0.0.0.0:8000", "localhost:8000", "127.0.0.1:8000, 127.0.0.2:8001", "unix:/tmp/s"],
)
def test_gunicorn_starts_on_a_usable_address(address: str) -> None:
    reader = SettingsReader({"GUNICORN_BIND": address})
    reported = reader.bind_addresses("GUNICORN_BIND", "127.0.0.1:9")
    assert reader.problems == []
    assert ", ".join(reported) == (address or "127.0.0.1:9")


def test_every_setting_is_described() -> None:
    for block in "\n".join(LINES).split("\n\n"):
        first, *_ = block.splitlines()
        assert first.startswith("# "), first


def test_it_is_fit_for_local_use() -> None:
    # `make run` brings the database.
    config = load_config(VALUES | {"DATABASE_URL": "postgresql://"})
    assert config.debug
    assert config.mail_server is None


def test_production_refuses_it() -> None:
    config = load_config(VALUES | {"DATABASE_URL": "postgresql://"})
    assert {problem.partition(":")[0] for problem in unsafe_settings(config)} == {
        "FLASK_DEBUG",
        "SECRET_KEY",
        "SITE_BASE_URL",
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "MAIL_SERVER",
        "MAIL_DEFAULT_SENDER",
    }


def test_it_states_the_defaults() -> None:
    required = {"FLASK_DEBUG", "SECRET_KEY", "MAIL_DEFAULT_SENDER"}
    least = {name: VALUES[name] for name in required} | {"DATABASE_URL": "postgresql://"}
    assert load_config(VALUES | least) == load_config(least)
