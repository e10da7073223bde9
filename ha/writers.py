"""Writes through each node all the time, and whether ever two of them took writes."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import psycopg

from ha.cluster import Cluster

_BETWEEN = 0.2  # seconds between two writes through a node
_DATABASE = "probe"
# A promotion begins a new timeline, whose number is the first part of each WAL file's name.
_WRITE = """
    INSERT INTO written (node, number) VALUES (%s, %s)
    RETURNING ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int
"""


@dataclass(frozen=True)
class Write:
    """A write that a node acknowledged, `at` seconds of this machine's monotonic clock."""

    node: str
    number: int
    timeline: int
    at: float


@dataclass(frozen=True)
class Writing:
    """What all nodes together did: their acknowledged writes, those that are not there any more, and two writers."""

    acknowledged: int
    lost: int
    rivals: list[str]


def find_rivals(writes: Iterable[Write]) -> list[str]:
    """Writes that a node acknowledged after another one had begun to, in words.

    Each promotion begins a timeline of its own. So nobody acknowledges a write of a timeline after one of a later
    timeline was acknowledged, and no two nodes write in one timeline.
    """
    rivals, writer_of, newest = [], dict[int, str](), 0
    for write in sorted(writes, key=lambda write: write.at):
        newest = max(newest, write.timeline)
        writer = writer_of.setdefault(write.timeline, write.node)
        if write.timeline < newest or write.node != writer:
            rivals.append(
                f"{write.node} wrote in timeline {write.timeline} after {writer_of[newest]} in {newest}"
            )
    return rivals


class Writers:
    """A thread for each node, which writes to it whether it is the primary or not."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._stop = threading.Event()
        self._writes: list[Write] = []
        with psycopg.connect(cluster.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_DATABASE}")
            connection.execute(f"CREATE DATABASE {_DATABASE}")
        with psycopg.connect(cluster.url(database=_DATABASE), autocommit=True) as connection:
            connection.execute("CREATE TABLE written (node text, number int)")
        self._threads = [
            threading.Thread(
                target=self._write_through, args=[node.name, node.address("clients")], daemon=True
            )
            for node in cluster.nodes.values()
        ]

    @contextmanager
    def writing(self) -> Iterator[Self]:
        """Write until the block ends."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def judge(self) -> Writing:
        """Compare what was acknowledged with what is there, once all threads have ended."""
        with psycopg.connect(self._cluster.url(database=_DATABASE)) as connection:
            there = set(connection.execute("SELECT node, number FROM written").fetchall())
        acknowledged = {(write.node, write.number) for write in self._writes}
        return Writing(len(acknowledged), len(acknowledged - there), find_rivals(self._writes))

    def _write_through(self, node: str, address: str) -> None:
        # Only this node, whatever it is. One that vanished is given up soon.
        url = self._cluster.url(address, _DATABASE).partition("?")[0]
        url += "?connect_timeout=2&tcp_user_timeout=3000&keepalives_idle=2&keepalives_interval=1&keepalives_count=2"
        number = 0
        while not self._stop.is_set():
            try:
                with psycopg.connect(url, autocommit=True) as connection:
                    while not self._stop.wait(_BETWEEN):
                        number += 1
                        with suppress(psycopg.errors.ReadOnlySqlTransaction):
                            row: Any = connection.execute(_WRITE, [node, number]).fetchone()
                            self._writes.append(Write(node, number, row[0], time.monotonic()))
            except psycopg.Error:
                self._stop.wait(_BETWEEN)
