"""`make run` serves the whole site on one machine; `make psql` and `make flask` work on it.

Everything created is under instance/: PostgreSQL's data, a secret key, the passwords of four local
accounts. `make demo` serves another site, with a demonstration season, whose data is under instance/demo/. The environment and .env override what is created here.
"""

import fcntl
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from dotenv import dotenv_values
from sqlalchemy.engine import URL, make_url

from azionelab.ops.processes.conninfo import conninfo
from azionelab.settings.config import Config
from azionelab.settings.environment import SettingsReader
from azionelab.settings.loading import ConfigError, load_config
from bare_machine import embedded_postgres, postgres_programs
from bare_machine.children import ChildEnded, Children
from bare_machine.postgres_programs import PostgresUnavailable
from bare_machine.preparation import (
    DEMO_SEASON,
    ROOT,
    SEASON,
    CannotRun,
    Stopped,
    accounts,
    prepare,
    secret,
)

_NOT_STARTED_URL = "postgresql://"  # placeholder for the embedded database until it runs
_LOCK = "run.lock"


def main(arguments: list[str]) -> int:
    """Serve the site, or replace this process by `psql ...` or `flask ...`; returns the exit status."""
    try:
        match arguments:
            case ["psql", *options]:
                _exec_psql(options)
            case ["flask", *options]:
                _exec_flask(options)
            case ["demo"]:
                _serve(ROOT / "instance" / "demo", DEMO_SEASON, _demo_settings())
            case _:
                _serve(ROOT / "instance", SEASON, _settings())
    except ConfigError as error:
        print("\n".join(["Wrong settings:", *error.problems]), file=sys.stderr)
        return 1
    except (CannotRun, ChildEnded, PostgresUnavailable) as error:
        print(f"azionelab: {error}", file=sys.stderr)
        return 1
    except Stopped:
        pass
    return 0


def _serve(folder: Path, season: tuple[str, ...], settings: dict[str, str]) -> None:
    stop = _stop_on_signals()
    with ExitStack() as undo:
        port = _port(settings)
        instance = undo.enter_context(_locked_instance(folder, port))
        _check_free(port)
        environment = _environment(settings, port, instance)
        config = load_config(environment)
        if not (config.frontend_dist / ".vite" / "manifest.json").exists():
            raise CannotRun("the front end is not built: start with `make run`")
        if environment.get("DATABASE_URL") == _NOT_STARTED_URL:
            owner = undo.enter_context(_embedded_database(instance))
            environment |= _embedded_urls(owner)
        config = load_config(environment)
        connection = undo.enter_context(
            _connect(config.migration_database_url or config.database_url)
        )
        prepare(connection, environment, instance, stop, season)
        logins = accounts(connection, instance)
        connection.close()

        # The serving processes do not get the owner's credentials.
        serving = {k: v for k, v in environment.items() if not k.startswith("MIGRATION_")}
        children = undo.enter_context(Children(serving, ROOT))
        gunicorn = ["gunicorn", "-c", "gunicorn.conf.py", "--log-level", "warning", "wsgi:app"]
        children.start("the web server", gunicorn)
        children.start("the worker", ["flask", "--app", "wsgi", "worker"])
        if children.wait_until_answering(port, config.site_base_url, stop):
            print(_welcome(config, logins), flush=True)
        children.watch(stop)
        print("\nStopping ...", flush=True)


def _stop_on_signals() -> threading.Event:
    """An event that Ctrl-C, SIGTERM and SIGHUP set, so that the current step can finish."""
    stop = threading.Event()
    numbers = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        numbers.remove(signal.SIGHUP)  # nohup: keep running without the terminal
    for number in numbers:
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def _locked_instance(instance: Path, port: int) -> Iterator[Path]:
    """Create and lock the instance folder; its lock file holds the `port`."""
    try:
        for folder in (ROOT / "instance", instance):
            if not folder.exists():
                folder.mkdir()
                folder.chmod(0o755)  # PostgreSQL's system user has to pass; secrets have mode 0600
        lock = (instance / _LOCK).open("a+")
    except OSError as error:
        raise CannotRun(f"cannot write in {instance}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun("the site is already running from this folder") from None
        lock.truncate(0)
        lock.write(str(port))
        lock.flush()
        yield instance


def _settings() -> dict[str, str]:
    """The variables of .env, overridden by the environment."""
    written = {k: v for k, v in dotenv_values(ROOT / ".env").items() if v is not None}
    return written | dict(os.environ)


def _demo_settings() -> dict[str, str]:
    """The environment without the developer's own database, mail server and keys; .env is not read."""
    own = ("DATABASE_", "MIGRATION_", "MAIL_", "SECRET_KEY", "FLASK_DEBUG", "SITE_BASE_URL")
    return {k: v for k, v in os.environ.items() if not k.startswith(own)}


def _environment(settings: dict[str, str], port: int, instance: Path) -> dict[str, str]:
    """The environment of the site's processes: the settings, with local defaults."""
    environment = {
        k: v for k, v in settings.items() if k not in ("PORT_FILE", "GUNICORN_BIND_FILE")
    }
    secret_key = secret(instance / "secret_key")
    for name, value in {
        "FLASK_DEBUG": "true",
        "SECRET_KEY": secret_key,
        "DATABASE_URL": _NOT_STARTED_URL,
        "SITE_BASE_URL": f"http://127.0.0.1:{port}",
        "MEDIA_DIR": str(instance / "media"),
    }.items():
        if not environment.get(name) and not environment.get(f"{name}_FILE"):
            environment[name] = value
    return environment | {
        "PORT": str(port),
        "GUNICORN_BIND": f"127.0.0.1:{port}",
        "FLASK_SKIP_DOTENV": "1",  # .env was read here
        "PYTHONUNBUFFERED": "1",
    }


def _port(settings: dict[str, str]) -> int:
    reader = SettingsReader(settings)
    port = reader.integer("PORT", 8000, 1, 65535)
    if reader.problems:
        raise CannotRun(reader.problems[0])
    return port


def _port_in_use(settings: dict[str, str], instance: Path) -> int:
    """The port of the site that runs from this folder, or the configured port."""
    with suppress(OSError, ValueError), (instance / _LOCK).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read())
    return _port(settings)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError as error:
            raise CannotRun(
                f"port {port} cannot be used ({error.strerror}): choose another, as in"
                " `make run PORT=8001`"
            ) from error


def _embedded_urls(owner: str) -> dict[str, str]:
    """The embedded database's URLs: for the application and for migrations."""
    return {
        "DATABASE_URL": embedded_postgres.as_application(owner),
        "MIGRATION_DATABASE_URL": owner,
    }


@contextmanager
def _embedded_database(instance: Path) -> Iterator[str]:
    wanted = instance / "postgres"
    if (folder := embedded_postgres.data_folder(wanted)) != wanted:
        print(f"PostgreSQL's own user cannot enter {ROOT}: its data is in {folder}", flush=True)
    server = embedded_postgres.start(wanted)
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def _connect(url: URL) -> Iterator[psycopg.Connection]:
    try:
        connection = psycopg.connect(conninfo(url), autocommit=True, connect_timeout=5)
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotRun(f"DATABASE_URL: the database cannot be reached: {reason}") from error
    with connection:
        yield connection


def _welcome(config: Config, logins: list[str]) -> str:
    site = config.site_base_url
    mails = (
        f"are sent through {config.mail_server}"
        if config.mail_server
        else f"are not sent, MAIL_SERVER is not set: read them in {site}/admin/, under Mails"
    )
    lines = [
        "",
        "AzioneLab is running; Ctrl-C stops it.",
        "",
        f"  Visitors     {site}/",
        f"  Staff        {site}/admin/",
        f"  Door staff   {site}/checkin/",
        "",
        f"  Log in at    {site}/staff/login",
        *(f"    {login}" for login in logins or ["(one of your accounts)"]),
        "",
        f"  Mails        {mails}",
        "",
    ]
    return "\n".join(lines)


def _database(settings: dict[str, str]) -> URL:
    """The URL of the configured database, or of the embedded one if it runs."""
    if settings.get("DATABASE_URL") or settings.get("DATABASE_URL_FILE"):
        given = {
            k: v for k, v in settings.items() if k.startswith(("DATABASE_URL", "DATABASE_PASSWORD"))
        }
        return load_config({"FLASK_DEBUG": "true", "SECRET_KEY": "unused"} | given).database_url
    if running := embedded_postgres.find_running(ROOT / "instance" / "postgres"):
        return make_url(running)
    raise CannotRun("no database is running here: start it with `make run`")


def _exec_psql(options: list[str]) -> None:
    settings = _settings()
    url = _database(settings)
    # The password is passed by the environment: other users can read command lines.
    password = {"PGPASSWORD": url.password} if url.password else {}
    program = postgres_programs.programs() / "psql"
    arguments = ["psql", conninfo(url.set(password=None)), *options]
    os.execve(program, arguments, settings | password)  # noqa: S606


def _exec_flask(options: list[str]) -> None:
    """Replace this process by a flask command with the environment of the running site."""
    settings = _settings()
    url = _database(settings).render_as_string(hide_password=False)
    instance = ROOT / "instance"
    environment = _environment(settings, _port_in_use(settings, instance), instance)
    if environment.get("DATABASE_URL") == _NOT_STARTED_URL:
        environment |= _embedded_urls(url)
    arguments = [sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"), *options]
    os.execve(sys.executable, arguments, environment)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
