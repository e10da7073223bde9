"""Visitors of one client process, and several such processes."""

import asyncio
import time
from collections import Counter, defaultdict
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import psycopg

from rush.networks import Network
from rush.people import Person
from rush.stories import Story
from rush.visit import Sale, Visit
from rush.web import Web


@dataclass
class Gathered:
    """What the visitors saw: their stories, the answers by status, and the seconds of answers by what was asked."""

    stories: list[Story] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    def add(self, other: "Gathered") -> None:
        """Take in another process's."""
        self.stories += other.stories
        self.statuses += other.statuses
        self.errors += other.errors
        for what, seconds in other.seconds.items():
            self.seconds[what] += seconds


class Clients:
    """Client processes, each with a share of the people. A network's places are in one process."""

    def __init__(self, people: list[Person], sale: Sale, processes: int) -> None:
        addresses = {person.address: None for person in people}
        share_of = {address: place % processes for place, address in enumerate(addresses)}
        shares: list[list[Person]] = [[] for _ in range(processes)]
        for person in people:
            shares[share_of[person.address]].append(person)
        # Forked, so that they sign with the site's key.
        self._pool = ProcessPoolExecutor(processes, get_context("fork"))
        self._shares = [self._pool.submit(visit_all, share, sale) for share in shares]

    @property
    def pids(self) -> list[int]:
        """The processes."""
        return list(self._pool._processes)

    def are_done(self) -> bool:
        """Whether the last visitor has gone."""
        return all(each.done() for each in self._shares)

    def gather(self) -> Gathered:
        """Wait for the last one; what all of them saw."""
        found = Gathered()
        shares: list[Future[Gathered]] = self._shares
        for share in shares:
            found.add(share.result())
        self._pool.shutdown()
        return found


def visit_all(people: list[Person], sale: Sale) -> Gathered:
    """Let people come, in this process, until the sale ends."""
    return asyncio.run(_visit_all(people, sale))


async def _visit_all(people: list[Person], sale: Sale) -> Gathered:
    web = Web(sale.port)
    networks: defaultdict[str, Network] = defaultdict(Network)
    with psycopg.connect(sale.database_url, autocommit=True) as database:
        visits = [Visit(person, web, networks[person.address], sale, database) for person in people]
        tasks = [asyncio.create_task(visit.run()) for visit in visits]
        _, late = await asyncio.wait(tasks, timeout=max(0.0, sale.ends - time.monotonic()))
        for task in late:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        web.close()
    errors = [repr(each) for each in ended if isinstance(each, Exception)]
    return Gathered([visit.story for visit in visits], web.statuses, dict(web.seconds), errors)
