"""A storm of clients on a running site, a fault in the middle of it, and what was found after it."""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.data import make_devices, make_performance
from tests.faults.harness.audit import Findings, ask_doctor, audit
from tests.faults.harness.clients import Client, House
from tests.faults.harness.log import Deed, Log, Tally
from tests.faults.harness.site import Site
from tests.support.processes import eventually

CLIENTS = 6
_FEW_SEATS = 8  # of the house that is always full
_DOCTORS_PATIENCE = 150  # seconds: a job of each minute that failed has to succeed once more
_OPEN_JOBS = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
_QUEUED = "SELECT count(*) FROM mail WHERE delivery = 'queued'"


class Storm:
    """Clients that book, confirm, cancel and come, on two performances of their own."""

    def __init__(self, stack: Site) -> None:
        self.stack = stack
        self.tally = Tally()
        self._enough = threading.Event()
        self.logs = Path(tempfile.mkdtemp(prefix="logs-", dir=stack.folder))
        with stack.database() as database:
            full = make_performance(database, capacity=_FEW_SEATS)
            tonight = make_performance(database)
            (device,) = make_devices(database, tonight)
        self.performances = [full, tonight]
        self.clients = [
            Client(
                n,
                stack,
                House(full, tonight, device),
                log=Log(self.logs / f"client-{n}.jsonl"),
                tally=self.tally,
                enough=self._enough,
            )
            for n in range(CLIENTS)
        ]

    def wait_for_deeds(self, more: int) -> None:
        """Until so many more of each deed are acknowledged."""
        enough = {deed: done + more for deed, done in self.tally.done().items()}

        def are_done() -> bool:
            done = self.tally.done()
            return all(done[deed] >= number for deed, number in enough.items())

        self._eventually(are_done, f"{more} of each deed")

    def wait_for_bookings(self, more: int) -> None:
        """Until so many more are acknowledged, whatever their mails do."""
        enough = self.tally.done()[Deed.BOOK] + more
        self._eventually(lambda: self.tally.done()[Deed.BOOK] >= enough, f"{more} bookings")

    def wait_for_trouble(self, more: int = 1, *statuses: int) -> None:
        """Until so many more requests got one of these answers: by default 503, or none."""
        statuses = statuses or (0, 503)
        enough = self.tally.answers(*statuses) + more
        self._eventually(lambda: self.tally.answers(*statuses) >= enough, f"answers of {statuses}")

    def wait_until(self, ask: Callable[[], object], what: str) -> None:
        """Until something is so; fails with the clients."""
        self._eventually(ask, what)

    def seconds_until_booked(self, moment: float) -> float:
        """From `moment` until a booking was acknowledged that was sent after it; waits for it."""
        self._eventually(
            lambda: self.tally.seconds_until_booked(moment) is not None, "a booking after it"
        )
        return self.tally.seconds_until_booked(moment) or 0.0

    def run(self, disturb: Callable[["Storm"], None]) -> None:
        """Let the clients work while `disturb` does what it does, and then until each is answered."""
        for client in self.clients:
            client.start()
        try:
            disturb(self)
        finally:
            self._enough.set()
            for client in self.clients:
                client.join()
        self._check_clients()

    def _eventually(self, ask: Callable[[], object], what: str) -> None:
        def still_at_work() -> object:
            self._check_clients()
            return ask()

        eventually(still_at_work, what)

    def _check_clients(self) -> None:
        for client in self.clients:
            if client.fault:
                raise client.fault


@dataclass(frozen=True)
class Fault:
    """Something that breaks. `strike` breaks it and mends it, as a supervisor, a person or time would.

    `lasts`: recovery is counted from the moment at which the cause is gone, else from the blow.
    """

    name: str
    what: str
    strike: Callable[[Storm], None]
    times: int = 1
    lasts: bool = False


@dataclass
class Tried:
    """A fault that was tried, and what was found. Of each blow, in seconds: until the first booking that was sent after
    it, and the longest time in which nothing was acknowledged. `mails_after`: from the last blow to the last mail.
    """

    fault: Fault
    findings: Findings
    recovery: list[float] = field(default_factory=list)
    silence: list[float] = field(default_factory=list)
    mails_after: float = 0.0


def try_fault(stack: Site, fault: Fault, *, deeds: int, hurry: bool = False) -> Tried:
    """Break something under a storm, with so many of all deeds before each blow and after it.

    With `hurry` pauses of mails are over at once, and the jobs of a dead worker are taken over at once.
    """
    storm = Storm(stack)
    recovery: list[float] = []
    silence: list[float] = []
    ended = 0.0

    def disturb(storm: Storm) -> None:
        nonlocal ended
        for _ in range(fault.times):
            storm.wait_for_deeds(deeds)
            moment = time.monotonic()
            fault.strike(storm)
            ended = time.monotonic()
            recovery.append(storm.seconds_until_booked(ended if fault.lasts else moment))
            silence.append(storm.tally.longest_silence(moment))
        storm.wait_for_deeds(deeds)

    storm.run(disturb)
    eventually(lambda: _mails_left(stack, hurry=hurry), "all mails to leave")
    mails_after = time.monotonic() - ended
    tried = Tried(
        fault, audit(stack, storm.logs, storm.performances), recovery, silence, mails_after
    )
    while tried.findings.doctor and time.monotonic() - ended < _DOCTORS_PATIENCE:
        time.sleep(5)
        tried.findings.doctor = ask_doctor(stack)
    if tried.findings.is_clean:
        shutil.rmtree(storm.logs)
    return tried


def _mails_left(stack: Site, *, hurry: bool) -> bool:
    with stack.database() as database:
        if hurry:
            database.execute(
                "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'"
                " AND scheduled_at > now() AND task_name = 'mail.send'"
            )
            database.execute(
                "SELECT procrastinate_retry_job_v1(job.id, now(), NULL, NULL, NULL)"
                " FROM procrastinate_jobs AS job JOIN procrastinate_workers AS worker"
                " ON worker.id = job.worker_id WHERE job.status = 'doing'"
                " AND worker.id < (SELECT max(id) FROM procrastinate_workers)"
            )
        ((waiting,), (doing,)) = (
            database.execute(each).fetchone() for each in (_QUEUED, _OPEN_JOBS)
        )
    return waiting == doing == 0
