"""A real PgBouncer in transaction mode before a database, with fewer connections than the site asks for."""

import contextlib
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bare_machine.embedded_postgres import as_application
from tests.support.processes import Program, free_port

SERVER_CONNECTIONS = 4
_SETTINGS = """
[databases]
azionelab = {server}
owned = {owner}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
server_login_retry = 1
"""


@contextmanager
def pooling(database_url: str) -> Iterator[str]:
    """The address of a database, which is given as its owner's, through PgBouncer as the application.

    The database `owned` there is the same as its owner.
    """
    folder = Path(tempfile.mkdtemp(prefix="azionelab-pgbouncer-"))
    port = free_port()
    parts = psycopg.conninfo.conninfo_to_dict(as_application(database_url))
    server = " ".join(f"{name}={parts[name]}" for name in ("host", "dbname", "user"))
    owner = server.replace(f"user={parts['user']}", "user=postgres")
    (folder / "pgbouncer.ini").write_text(
        _SETTINGS.format(server=server, owner=owner, port=port, connections=SERVER_CONNECTIONS)
    )
    how: dict[str, object] = {}
    if os.geteuid() == 0:  # which it refuses to run as; the server's socket is its own user's
        account = pwd.getpwuid(Path(str(parts["host"])).stat().st_uid)
        how = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        for path in (folder, folder / "pgbouncer.ini"):
            os.chown(path, account.pw_uid, account.pw_gid)
    url = f"postgresql://{parts['user']}@127.0.0.1:{port}/azionelab"
    with Program(["pgbouncer", folder / "pgbouncer.ini"], {}, folder / "log", **how) as program:
        program.wait_until(lambda: _answers(url), "PgBouncer to answer")
        yield url
        program.stop()
    shutil.rmtree(folder)


def _answers(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
        return True
    return False
