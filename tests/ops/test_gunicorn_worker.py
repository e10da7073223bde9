"""gunicorn's workers share connections: none waits for a busy worker while another is idle."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

from azionelab.ops.processes.gunicorn_worker import ACCEPT_DELAY
from tests.support.processes import PATIENCE, PYTHON, ROOT, Program, free_port

# Answers when the test lets it: until then its worker's one thread is busy.
APPLICATION = """
import os, socket
from azionelab.ops.processes import gunicorn_worker

gunicorn_worker.ACCEPT_DELAY = {delay}

def application(environ, start_response):
    if environ["PATH_INFO"] == "/held":
        with socket.create_connection(("127.0.0.1", {gate}), timeout={patience}) as gate:
            gate.sendall(str(os.getpid()).encode())
            gate.recv(1)
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""
HELD = b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n"


def ask(port: int, path: str) -> socket.socket:
    """Send a request on a connection of its own, and do not wait for its answer."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


def answers(port: int) -> bool:
    try:
        with ask(port, "/") as connection:
            return connection.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def at_the_entrance(port: int) -> int:
    """How many connections nobody has accepted yet (Linux: the receive queue of who listens)."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (waiting,) = [
        queues.split(":")[1]
        for _, local, _, state, queues, *_ in sockets
        if state == "0A" and local.endswith(f":{port:04X}")
    ]
    return int(waiting, 16)


def last_heartbeat(pid: int) -> float:
    """When a worker last told gunicorn that it lives: the time of the deleted file that it touches."""
    (file,) = [
        file for file in Path(f"/proc/{pid}/fd").iterdir() if "/wgunicorn-" in str(file.readlink())
    ]
    return file.stat().st_mtime


@contextmanager
def served(
    tmp_path: Path, workers: int, delay: float = ACCEPT_DELAY
) -> Iterator[tuple[int, socket.socket, Program]]:
    """Workers of one thread each: the port that they serve, the gate where they are held, and gunicorn."""
    with socket.create_server(("127.0.0.1", 0)) as gate:
        gate.settimeout(PATIENCE)
        (tmp_path / "held.py").write_text(
            APPLICATION.format(gate=gate.getsockname()[1], patience=PATIENCE, delay=delay)
        )
        port = free_port()
        worker = "azionelab.ops.processes.gunicorn_worker.BalancedGThreadWorker"
        command = [PYTHON, "-m", "gunicorn", "-k", worker, "-w", str(workers), "--threads", "1"]
        command += ["-b", f"127.0.0.1:{port}", "--keep-alive", "60", "held:application"]
        path = {"PYTHONPATH": str(ROOT)}
        with Program(command, path, tmp_path / "log", cwd=tmp_path) as program:
            program.wait_until(lambda: answers(port), "gunicorn")
            yield port, gate, program


def test_a_busy_worker_leaves_new_connections_to_an_idle_one(tmp_path: Path) -> None:
    # Patient, since a machine that does other things may keep the idle one waiting for a while.
    with served(tmp_path, 2, delay=PATIENCE) as (port, gate, _):
        for _ in range(10):
            with ExitStack() as held:
                for _ in range(2):
                    held.enter_context(ask(port, "/held"))
                busy = [held.enter_context(gate.accept()[0]) for _ in range(2)]
                assert len({connection.recv(20) for connection in busy}) == 2


def test_a_long_busy_worker_accepts_nothing_while_another_is_idle(tmp_path: Path) -> None:
    with served(tmp_path, 2, delay=PATIENCE) as (port, gate, _), ExitStack() as held:
        for _ in range(2):
            held.enter_context(ask(port, "/held"))
        busy = [held.enter_context(gate.accept()[0]) for _ in range(2)]
        pids = [int(connection.recv(20)) for connection in busy]
        assert len(set(pids)) == 2
        busy.pop().close()
        # The one that is held looks around for connections meanwhile, more than once.
        for _ in range(2):
            before = last_heartbeat(pids[0])
            while last_heartbeat(pids[0]) == before:
                assert answers(port), "taken by the one whose only thread is held"


def test_no_connection_waits_forever_behind_open_ones(tmp_path: Path) -> None:
    """The only worker is busy with connections that stay open: a new one comes into its queue all the same."""
    with served(tmp_path, 1) as (port, gate, program), ExitStack() as opened:
        regulars = []
        for _ in range(2):
            regulars.append(opened.enter_context(ask(port, "/")))
            assert regulars[-1].recv(1000).startswith(b"HTTP/1.1 200")
        for regular in regulars:
            regular.sendall(HELD)
        held = opened.enter_context(gate.accept()[0])
        newcomer = opened.enter_context(ask(port, "/"))
        program.wait_until(lambda: not at_the_entrance(port), "an open door")
        held.close()
        opened.enter_context(gate.accept()[0]).close()
        assert newcomer.recv(12) == b"HTTP/1.1 200"


def test_in_a_rush_newcomers_get_their_turn(tmp_path: Path) -> None:
    """Regulars that ask again at once keep nobody out: a newcomer comes in for each request that is answered."""
    number, answered, over = 40, [0] * 10, Event()

    def ask_again_and_again(which: int, connection: socket.socket) -> None:
        while not over.is_set():
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            answered[which] += 1

    with (
        served(tmp_path, 1) as (port, gate, program),
        ExitStack() as opened,
        ThreadPoolExecutor() as crowd,
    ):
        opened.callback(over.set)
        regulars = [opened.enter_context(ask(port, "/")) for _ in answered]
        holding = opened.enter_context(ask(port, "/"))
        for each in (*regulars, holding):
            assert each.recv(1000).startswith(b"HTTP/1.1 200")
        # The only thread is held until it has been busy for long enough to let one in.
        holding.sendall(HELD)
        held = opened.enter_context(gate.accept()[0])
        newcomers = [opened.enter_context(ask(port, "/")) for _ in range(number)]
        program.wait_until(lambda: at_the_entrance(port) < number, "the first one to come in")
        busy = [crowd.submit(ask_again_and_again, *each) for each in enumerate(regulars)]
        held.close()
        for newcomer in newcomers:
            assert newcomer.recv(12) == b"HTTP/1.1 200"
        meanwhile = sum(answered)
        over.set()
        for each in busy:
            each.result()
    assert meanwhile < 4 * number, "newcomers waited for the regulars"
