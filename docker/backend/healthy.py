"""The containers' health check: `healthy.py web` asks gunicorn, `healthy.py worker` the database.

Exit status 0 when healthy, else 1 with a line that says why.
"""

import os
import socket
import sys

# In seconds; the container's health check (backend/Dockerfile) gives up a second later.
WEB_TIMEOUT = 9
WORKER_SILENT_AFTER = 60  # seconds; the worker sends a heartbeat every ten


def web() -> str | None:
    """What is wrong with gunicorn or the database; None when nothing is."""
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip() or "localhost"
    # Without a library for HTTP: to load one costs as much as the rest, each second while several containers start.
    request = f"GET /api/health HTTP/1.0\r\nHost: {host}\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", 8000), WEB_TIMEOUT) as connection:
            connection.sendall(request.encode())
            with connection.makefile("rb") as answer:
                status = answer.readline(100).decode(errors="replace").partition(" ")[2].strip()
                body = answer.read(2000).rpartition(b"\r\n\r\n")[2]
    except OSError as error:
        return f"gunicorn does not answer ({error})"
    if status.startswith("200 "):
        return None
    return f"/api/health answers {status}: {body[:500].decode(errors='replace')}"


def worker() -> str | None:
    """What is wrong with the workers; None when one of them has sent a heartbeat."""
    # Imported here, since they load SQLAlchemy: `web` runs every ten seconds without them.
    import psycopg

    from azionelab.ops.processes.conninfo import conninfo
    from azionelab.settings.environment import SettingsReader

    reader = SettingsReader(os.environ)
    try:
        with psycopg.connect(conninfo(reader.database_url()), connect_timeout=3) as connection:
            row = connection.execute(
                "SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers"
            ).fetchone()
    except psycopg.errors.UndefinedTable:
        # Imported here, since it takes as long to load as all the rest.
        from azionelab.ops.checks.schema import NOT_MIGRATED

        return NOT_MIGRATED
    except psycopg.Error as error:
        return f"the database does not answer ({type(error).__name__})"
    seconds = row[0] if row else None
    if seconds is None or seconds > WORKER_SILENT_AFTER:
        return "no worker's heart has beaten for a minute"
    return None


if __name__ == "__main__":
    problem = {"web": web, "worker": worker}[sys.argv[1]]()
    if problem:
        sys.exit(problem)
