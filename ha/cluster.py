"""Three nodes together: who is the primary, whether all is well, and what an operator does to them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bare_machine.embedded_postgres import create_application_role
from ha.node import NUMBERS, Node
from ha.programs import Programs
from tests.support.processes import eventually

DATABASE = "azionelab"
_APPLICATION = "azionelab"


class Cluster:
    """The three nodes and their passwords, which are new for each run."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self._password, self._application_password = (secrets.token_hex(16) for _ in range(2))
        passwords = {
            "PATRONI_SUPERUSER_USERNAME": "postgres",
            "PATRONI_SUPERUSER_PASSWORD": self._password,
            "PATRONI_REPLICATION_USERNAME": "replicator",
            "PATRONI_REPLICATION_PASSWORD": secrets.token_hex(16),
            "PATRONI_RESTAPI_USERNAME": "patroni",
            "PATRONI_RESTAPI_PASSWORD": secrets.token_hex(16),
        }
        (folder / "logs").mkdir()
        self.nodes = {name: Node(name, folder, programs, passwords) for name in NUMBERS}

    @contextmanager
    def running(self) -> Iterator["Cluster"]:
        """Found the cluster with the application's empty database, and switch it off in the end."""
        try:
            for node in self.nodes.values():
                node.start()
            self.wait_until_whole()
            self._create_database()
            yield self
        finally:
            for node in self.nodes.values():
                node.switch_off()

    def url(self, hosts: str = "", database: str = DATABASE) -> str:
        """The superuser's address of a database: by default on all nodes, wherever can be written."""
        return self._url("postgres", self._password, hosts, database)

    def application_url(self, hosts: str = "") -> str:
        """The application's address of its database."""
        return self._url(_APPLICATION, self._application_password, hosts, DATABASE)

    def primary(self, *, other_than: Node | None = None) -> Node | None:
        """The node, another than that, whose Patroni says that it is the primary; None if there is none."""
        others = (node for node in self.nodes.values() if node is not other_than)
        return next((node for node in others if node.ask("/primary")[0] == 200), None)

    def wait_for_primary(self, *, other_than: Node | None = None) -> Node:
        """As `primary`, as soon as there is one."""
        found = eventually(lambda: self.primary(other_than=other_than), "a primary")
        assert found
        return found

    def wait_until_whole(self) -> None:
        """Until a primary, a synchronous standby and another replica run, both up to date."""
        eventually(self._is_whole, "a whole cluster")

    def standby(self, *, synchronous: bool) -> Node:
        """The synchronous standby, or the other replica."""
        role = "sync_standby" if synchronous else "replica"

        def find() -> Node | None:
            names = (each["name"] for each in self._members() if each["role"] == role)
            return self.nodes.get(next(names, ""))

        found = eventually(find, f"a {role}")
        assert found
        return found

    def switch_over(self) -> None:
        """Make the synchronous standby the primary, by an operator's command."""
        before, after = self.wait_for_primary(), self.standby(synchronous=True)
        arguments = ["--leader", before.name, "--candidate", after.name, "--force"]
        said = after.patronictl("switchover", *arguments)
        # patronictl ends well also when the nodes refuse.
        assert self.wait_for_primary(other_than=before) is after, said

    def _members(self) -> list[dict[str, Any]]:
        for node in self.nodes.values():
            status, answer = node.ask("/cluster")
            if status == 200:
                members: list[dict[str, Any]] = answer["members"]
                return members
        return []

    def _is_whole(self) -> bool:
        states = sorted((each["role"], each["state"]) for each in self._members())
        return self.primary() is not None and states == [
            ("leader", "running"),
            ("replica", "streaming"),
            ("sync_standby", "streaming"),
        ]

    def _create_database(self) -> None:
        with psycopg.connect(self.url(database="postgres"), autocommit=True) as connection:
            create_application_role(connection)
            role, name = sql.Identifier(_APPLICATION), sql.Identifier(DATABASE)
            password = sql.Literal(self._application_password)
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, password))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))

    def _url(self, user: str, password: str, hosts: str, database: str) -> str:
        everywhere = ",".join(node.address("clients") for node in self.nodes.values())
        return (
            f"postgresql://{user}:{password}@{hosts or everywhere}/{database}"
            "?target_session_attrs=read-write&connect_timeout=5"
        )
