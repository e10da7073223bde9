"""Namespaces of Linux: one set for the whole command, and one for each machine that it simulates.

Interfaces, bridges and processes are in the command's own namespaces, so nothing collides with others of the
machine, and the kernel ends and removes all of them with the command, however that ends.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.support.processes import eventually

# Two networks: what clients reach, and what the nodes speak to one another on.
NETWORKS = {"clients": "10.81.1", "nodes": "10.81.2"}
_UNSHARE = ["unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"]
# Ends nothing by itself. The kernel reaps its children, those too that lost their parents.
_FIRST_PROCESS = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); print(flush=True)\nwhile True: signal.pause()"


def is_inside() -> bool:
    """Whether this is the first process of the command's namespaces."""
    return os.getpid() == 1


def run_inside(module: str) -> int:
    """Start the running command again in new namespaces and return its exit status.

    However this process ends, the kernel ends the other one and all that it started. Raises SystemExit without root's
    rights.
    """
    if os.geteuid() != 0:
        raise SystemExit(f"{module}: namespaces and bridges need root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    command = [*_UNSHARE, "--", sys.executable, "-m", module, *sys.argv[1:]]
    return subprocess.run(command, check=False).returncode


def make_networks() -> None:
    """Make the networks inside. Ctrl-C is left to the process outside."""
    signal.signal(signal.SIGINT, lambda *_: None)
    _ip("link", "set", "lo", "up")
    for name, network in NETWORKS.items():
        _ip("link", "add", name, "type", "bridge")
        _ip("address", "add", f"{network}.1/24", "dev", name)
        _ip("link", "set", name, "up")


class Machine:
    """A simulated machine: its own processes and, on both networks, an interface with the address `.number`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._first: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def address(self, network: str) -> str:
        """Its address on a network."""
        return f"{NETWORKS[network]}.{self.number}"

    def switch_on(self) -> None:
        """Make the namespaces and plug in both networks."""
        self._first = subprocess.Popen(
            [*_UNSHARE, "--", sys.executable, "-c", _FIRST_PROCESS],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._first.stdout
        assert self._first.stdout.readline() == b"\n"
        (child,) = psutil.Process(self._first.pid).children()
        self._pid = child.pid
        for network in NETWORKS:
            ours = self._plug(network)
            _ip(
                "link",
                "add",
                ours,
                "type",
                "veth",
                "peer",
                "name",
                network,
                "netns",
                str(child.pid),
            )
            _ip("link", "set", ours, "master", network, "up")
            self._run("ip", "address", "add", f"{self.address(network)}/24", "dev", network)
            self._run("ip", "link", "set", network, "up")
        self._run("ip", "link", "set", "lo", "up")

    def switch_off(self) -> None:
        """Kill every process at once. Their connections are closed by the kernel, which says so to the others."""
        if self._first:
            psutil.Process(self._pid).kill()
            self._first.wait()
            self._first = None
            # The kernel removes both ends of the cables, a moment later.
            eventually(lambda: not any(map(self._is_there, NETWORKS)), "the cables to go")

    def pull(self, *networks: str) -> None:
        """Unplug it from networks: nobody there hears anything of it any more."""
        for network in networks:
            _ip("link", "set", self._plug(network), "down")

    def plug_in(self, *networks: str) -> None:
        """Plug it in again."""
        for network in networks:
            _ip("link", "set", self._plug(network), "up")

    def command(self, *command: str | Path, user: str | None = None) -> list[str]:
        """The command line that runs a command on it."""
        how = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] if user else []
        inside = ["nsenter", "--target", str(self._pid), "--net", "--pid", "--mount", "--"]
        return [*inside, *how, *map(str, command)]

    def kill(self, is_meant: Sequence[str]) -> None:
        """`kill -9` of its processes whose command line has one of these words."""
        namespace = Path(f"/proc/{self._pid}/ns/pid").readlink()
        for process in psutil.process_iter(["pid", "cmdline"]):
            try:
                is_ours = Path(f"/proc/{process.pid}/ns/pid").readlink() == namespace
                words = " ".join(process.info["cmdline"] or ())
                if is_ours and any(word in words for word in is_meant):
                    process.kill()
            except (OSError, psutil.NoSuchProcess):
                continue

    def _run(self, *command: str) -> None:
        subprocess.run(self.command(*command), check=True)

    def _is_there(self, network: str) -> bool:
        ask = ["ip", "link", "show", self._plug(network)]
        return subprocess.run(ask, check=False, capture_output=True).returncode == 0

    def _plug(self, network: str) -> str:
        """Our end of its cable."""
        return f"{network}{self.number}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
