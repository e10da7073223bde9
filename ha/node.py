"""A node of the cluster: etcd, Patroni and PostgreSQL on a simulated machine, set up by the files in docker/ha/."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bare_machine.postgres_programs import give
from ha.namespaces import NETWORKS, Machine
from ha.programs import Programs
from tests.support.processes import Program, clean_environment

NUMBERS = {"node1": 11, "node2": 12, "node3": 13}  # the last parts of their addresses
_SECONDS = 5  # that a Patroni may take to answer
_OWN = """\
postgresql:
  parameters:
    unix_socket_directories: {folder}
"""


class Node(Machine):
    """One of the three. Its data is in `folder`, which survives that it is switched off."""

    def __init__(
        self, name: str, folder: Path, programs: Programs, passwords: dict[str, str]
    ) -> None:
        super().__init__(NUMBERS[name])
        self.name, self.folder, self._logs = name, folder / name, folder / "logs"
        self._programs, self._passwords = programs, passwords
        self._starts = 0

    def start(self) -> None:
        """Switch the machine on, and start etcd and Patroni on it. Without data it founds or joins the cluster."""
        configuration = self.folder / "patroni"
        configuration.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._programs.templates / "patroni" / "cluster.yml", configuration)
        own = _OWN.format(folder=self.folder)
        (configuration / "node.yml").write_text(own, encoding="utf-8")
        give(self.folder, self._programs.owner)
        self.switch_on()
        self._launch("etcd", self._etcd_settings(), self._programs.templates / "etcd")
        # As docker/ha/as-node: process numbers begin anew on a machine that starts, so the number of a server that was
        # killed may be another process' here.
        for stale in (self.folder / "data" / "postmaster.pid", *self.folder.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        self.start_patroni()

    def start_patroni(self) -> None:
        """Start Patroni, which starts PostgreSQL."""
        configuration = self.folder / "patroni"
        settings = self._patroni_settings()
        self._launch("patroni", settings, *self._programs.patroni, configuration)

    def lose_data(self) -> None:
        """Lose the disk of a machine that is off: PostgreSQL's data and etcd's."""
        shutil.rmtree(self.folder)

    def kill_database(self) -> None:
        """`kill -9` of Patroni and of all of PostgreSQL."""
        self.kill(["-m patroni", "postgres"])

    def ask(self, path: str) -> tuple[int, Any]:
        """Ask its Patroni; the status is 0 when it does not answer."""
        try:
            with urllib.request.urlopen(
                f"http://{self.address('clients')}:8008{path}", timeout=_SECONDS
            ) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, None
        except OSError:
            return 0, None

    def patronictl(self, *arguments: str) -> str:
        """Run patronictl on it; fails with its output."""
        configuration = self._programs.templates / "patroni" / "cluster.yml"
        command = [*self._programs.patronictl, "-c", str(configuration), *arguments]
        done = subprocess.run(
            self.command(*command), check=False, capture_output=True, text=True,
            env=clean_environment(self._patroni_settings()),
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return str(done.stdout)

    def _launch(self, what: str, settings: Mapping[str, str], *command: str | Path) -> None:
        self._starts += 1
        log = self._logs / f"{self.name}-{self._starts}-{what}.log"
        Program(self.command(*command, user=self._programs.owner), settings, log, cwd="/")

    def _etcd_settings(self) -> dict[str, str]:
        return self._programs.etcd_settings | {
            "NODE_NAME": self.name,
            "NODE_ADDRESS": self.address("nodes"),
            "ETCD_NODES": " ".join(
                f"{name}={_on_nodes(number)}" for name, number in NUMBERS.items()
            ),
            "ETCD_DATA_DIR": str(self.folder / "etcd"),
        }

    def _patroni_settings(self) -> dict[str, str]:
        return (
            self._programs.patroni_settings
            | self._passwords
            | {
                "PATRONI_NAME": self.name,
                "PATRONI_ETCD3_HOSTS": ",".join(
                    f"{_on_nodes(number)}:2379" for number in NUMBERS.values()
                ),
                "PATRONI_RESTAPI_CONNECT_ADDRESS": f"{self.address('nodes')}:8008",
                "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"{self.address('nodes')}:5432",
                "PATRONI_POSTGRESQL_DATA_DIR": str(self.folder / "data"),
                "PATRONI_POSTGRESQL_PGPASS": str(self.folder / "pgpass"),
            }
        )


def _on_nodes(number: int) -> str:
    return f"{NETWORKS['nodes']}.{number}"
