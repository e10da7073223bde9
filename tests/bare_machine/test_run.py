"""`make run` as a person meets it: the first start, Ctrl-C, the next start, and what can go wrong.

Each test works on a copy of the project, so that the data of the developer's own site stays apart.
"""

import json
import re
import shlex
import shutil
import signal
import socket
import stat
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from bare_machine import embedded_postgres
from tests.support.processes import PATIENCE, PYTHON, ROOT, Program, eventually, free_port

COMMAND = [PYTHON, "-m", "bare_machine"]
RUNNING = "AzioneLab is running"
Start = Callable[..., Program]


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    """A copy of the project, built, with no data: as `make run` finds it."""
    # Not pytest's own folder: as root it lets nobody else in, and PostgreSQL does not run as root.
    folder = Path(tempfile.mkdtemp(prefix="azionelab clone-"))
    folder.chmod(0o755)
    for name in (
        "azionelab",
        "bare_machine",
        "migrations",
        "seasons",
        "wsgi.py",
        "gunicorn.conf.py",
    ):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "static_frontend" / "dist", folder / "static_frontend" / "dist")
    yield folder
    if embedded_postgres.find_running(folder / "instance" / "postgres"):
        embedded_postgres.start(folder / "instance" / "postgres").stop()
    shutil.rmtree(folder)


@pytest.fixture
def start(clone: Path, tmp_path: Path) -> Iterator[Start]:
    """Start the site of the clone, on a free port unless PORT is given."""
    running: list[Program] = []

    def start_site(*arguments: str, **settings: str) -> Program:
        settings = {"PORT": str(free_port())} | settings
        log = tmp_path / f"run-{len(running)}.log"
        running.append(Program([*COMMAND, *arguments], settings, log, cwd=clone))
        return running[-1]

    yield start_site
    for program in running:
        program.stop()


@pytest.fixture
def untouched(clone: Path) -> Iterator[None]:
    """Start from no data at all, and leave none."""
    shutil.rmtree(clone / "instance", ignore_errors=True)
    yield
    shutil.rmtree(clone / "instance", ignore_errors=True)


def serving(program: Program) -> str:
    """What the site told at its start, once it is up."""
    program.wait_until(lambda: RUNNING in program.output, "the site to be running")
    return program.output


def address(told: str) -> str:
    found = re.search(r"Visitors\s+(http://\S+)", told)
    assert found, told
    return found[1]


def get(url: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as answer:
        return str(answer.read().decode())


def line_of(program: Program) -> str:
    """The only line that a start which failed has printed."""
    assert program.wait() == 1
    lines = program.output.splitlines()
    assert len(lines) == 1, program.output
    return lines[0]


def runs(process: psutil.Process) -> bool:
    """Whether it has not ended. One that is dead stays a zombie until its new parent looks."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def family_of(program: Program) -> list[psutil.Process]:
    """All that it started, once it is complete: the site answers as soon as one of its workers does."""

    def complete() -> list[psutil.Process]:
        family = psutil.Process(program.pid).children(recursive=True)
        gunicorn = [process for process in family if "gunicorn" in process.cmdline()]
        return family if len(gunicorn) == 3 else []

    return program.wait_until(complete, "gunicorn and its two workers")


def database_runs(clone: Path) -> bool:
    return embedded_postgres.find_running(clone / "instance" / "postgres") is not None


def test_the_demonstration_has_data_of_its_own(clone: Path, start: Start) -> None:
    # Whatever database the developer uses otherwise.
    told = serving(start("demo", DATABASE_URL="postgresql://127.0.0.1:1/own", FLASK_DEBUG="false"))
    assert "Novantanove gradini" not in get(address(told)), "a run that is over"
    assert "Il cortile delle zagare" in get(address(told))
    for role in ("admin", "staff", "box_office", "door"):
        assert (clone / "instance" / "demo" / "passwords" / role).read_text() in told
    assert not database_runs(clone)


def venue_and_performances(clone: Path) -> tuple[str, int]:
    """What is in the running database: the name of the first venue, and how many performances."""
    url = embedded_postgres.find_running(clone / "instance" / "postgres")
    assert url
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT name, (SELECT count(*) FROM performance) FROM venue WHERE id = 1"
        ).fetchone()
    assert found
    return found[0], found[1]


def check_first_start(clone: Path, told: str) -> None:
    """A season is served, and who looks after the site is told how to log in."""
    assert re.search(r"/shows/[a-z0-9-]+", get(address(told))), "the programme is empty"
    for role, place in (("admin", "/admin/"), ("staff", "/admin/"), ("door", "/checkin/")):
        password = (clone / "instance" / "passwords" / role).read_text()
        assert len(password) >= 32
        assert re.search(rf"{role}@\S+\s+{re.escape(password)}", told)
        assert place in told
    assert "under Mails" in told
    secrets = [*(clone / "instance" / "passwords").iterdir(), clone / "instance" / "secret_key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def check_beside(start: Start, told: str) -> None:
    """What is started in the folder of a site that runs."""
    assert line_of(start()) == "azionelab: the site is already running from this folder"

    asked = start("psql", "-At", "-c", "SELECT 'shows: ' || count(*) FROM show")
    assert asked.wait() == 0
    assert re.fullmatch(r"shows: [1-9]\d*\n", asked.output)

    doctor = start("flask", "doctor")
    assert doctor.wait() == 0, doctor.output
    description = start("flask", "openapi", "print")  # given another PORT, as any may be
    assert description.wait() == 0, description.output
    servers = json.loads(description.output)["servers"]
    assert servers == [{"url": address(told).rstrip("/")}]


@pytest.mark.usefixtures("untouched")
def test_the_first_start_and_the_next_ones_however_the_last_one_ended(
    clone: Path, start: Start
) -> None:
    """A site's first start, stopped by Ctrl-C; its second, which is killed; its third, whose worker dies."""
    first = start()
    told = serving(first)
    check_first_start(clone, told)
    url = embedded_postgres.find_running(clone / "instance" / "postgres")
    assert url
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE venue SET name = 'Teatro delle Prove' WHERE id = 1")
    before = venue_and_performances(clone)
    family = family_of(first)
    assert len(family) == 4, "gunicorn, its two workers and the mails' one"

    first.send(signal.SIGINT)
    assert first.wait() == 0
    assert "Traceback" not in first.output
    assert not [process for process in family if runs(process)]
    assert not database_runs(clone)

    port = str(free_port())
    second = start(PORT=port)
    again = serving(second)
    assert venue_and_performances(clone) == before
    assert before[0] == "Teatro delle Prove"
    logins = re.compile(r"\S+@\S+\s+\S{32}")
    assert logins.findall(again) == logins.findall(told)
    check_beside(start, again)

    family = family_of(second)
    second.send(signal.SIGKILL)
    second.wait()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert not alive

    # The killed one leaves nothing in the way.
    third = start(PORT=port)
    serving(third)
    worker = next(p for p in family_of(third) if p.cmdline()[-1:] == ["worker"])
    worker.kill()
    assert third.wait() == 1
    assert third.output.splitlines()[-1] == "azionelab: the worker ended by itself (status -9)"
    assert not database_runs(clone)


def test_sigterm_while_it_starts_stops_it_too(clone: Path, start: Start) -> None:
    site = start()
    eventually(lambda: database_runs(clone), "the database")
    site.send(signal.SIGTERM)
    assert site.wait() == 0
    assert RUNNING not in site.output
    assert "Traceback" not in site.output
    assert not database_runs(clone)


def test_sigterm_to_make_stops_all_of_it(clone: Path, tmp_path: Path) -> None:
    # Everything is installed and built already, as far as make is concerned.
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(PYTHON)} "$@"\n')
    python.chmod(0o755)
    made = [".venv/.ready-to-run", "static_frontend/dist/.vite/manifest.json"]
    made += [str(mo.relative_to(clone)) for mo in (clone / "azionelab").rglob("*.mo")]
    command = ["make", "--file", ROOT / "Makefile", "run"]
    for file in made:
        command += ["--old-file", file]
    with Program(command, {"PORT": str(free_port())}, tmp_path / "make.log", cwd=clone) as make:
        serving(make)
        family = family_of(make)
        assert len(family) == 5, "ours, gunicorn, its two workers and the mails' one"
        make.send(signal.SIGTERM)
        make.wait()
    assert "Stopping" in make.output
    assert "Traceback" not in make.output
    assert not [process for process in family if runs(process)]
    assert not database_runs(clone)


def test_psql_needs_a_running_database(start: Start) -> None:
    told = line_of(start("psql", "-c", "SELECT"))
    assert told == "azionelab: no database is running here: start it with `make run`"


@pytest.mark.usefixtures("untouched")
def test_a_port_in_use_is_told_before_anything_is_started(clone: Path, start: Start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        told = line_of(start(PORT=port))
    assert told.startswith(f"azionelab: port {port} cannot be used (Address already in use)")
    assert not (clone / "instance" / "postgres").exists()


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("port", ["eight", "0", "65536", "-1"])
def test_a_port_that_is_none(start: Start, port: str) -> None:
    assert (
        line_of(start(PORT=port))
        == f"azionelab: PORT: {port!r} is not a whole number from 1 to 65535"
    )


@pytest.mark.usefixtures("untouched")
def test_a_folder_that_cannot_be_written(clone: Path, start: Start) -> None:
    (clone / "instance").write_text("a file where a folder should be")
    told = line_of(start())
    (clone / "instance").unlink()
    assert told == f"azionelab: cannot write in {clone / 'instance'}: Not a directory"


@pytest.mark.usefixtures("untouched")
def test_a_database_that_cannot_be_reached(clone: Path, start: Start) -> None:
    port = free_port()
    told = line_of(start(DATABASE_URL=f"postgresql://ada:verysecret@127.0.0.1:{port}/theatre"))
    assert told.startswith("azionelab: DATABASE_URL: the database cannot be reached:")
    assert "refused" in told
    assert "verysecret" not in told
    assert not (clone / "instance" / "postgres").exists()


@pytest.mark.usefixtures("untouched")
def test_wrong_settings_in_the_env_file_are_all_named(clone: Path, start: Start) -> None:
    (clone / ".env").write_text("HOLD_MINUTES=soon\nTIME_ZONE=Atlantis\n")
    site = start()
    assert site.wait() == 1
    (clone / ".env").unlink()
    assert "HOLD_MINUTES: 'soon'" in site.output
    assert "TIME_ZONE: 'Atlantis'" in site.output
    assert "Traceback" not in site.output


@pytest.mark.usefixtures("untouched")
def test_database_url_overrides_the_embedded_database_and_a_closed_terminal_stops_it(
    clone: Path, start: Start, empty_database: str
) -> None:
    (clone / ".env").write_text("DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere\n")
    site = start(DATABASE_URL=empty_database)  # and the environment overrides .env
    serving(site)
    (clone / ".env").unlink()
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT FROM show").rowcount > 0
    family = family_of(site)
    site.send(signal.SIGHUP)
    assert site.wait() == 0
    assert not [process for process in family if runs(process)]
    assert not (clone / "instance" / "postgres").exists()
