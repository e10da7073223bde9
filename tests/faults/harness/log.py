"""What clients write down: each press before it is sent, and its answer before the next step."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Deed(StrEnum):
    """What a client does."""

    BOOK = "book"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    ADMIT = "admit"


class Outcome(StrEnum):
    """What became of a press. What stays SENT may have had its effect or not."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Entry:
    """One line. `sent_at` and `at` are seconds of this machine's monotonic clock."""

    deed: Deed
    outcome: Outcome
    email: str
    performance: int
    key: str  # of a booking its Idempotency-Key, of an admission its scan
    sent_at: float
    at: float


class Log:
    """One client's file, which is only appended to."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def write(self, entry: Entry) -> None:
        """Append a line; it is with the system when this returns."""
        self._file.write(json.dumps(asdict(entry)) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def read(folder: Path) -> Iterator[Entry]:
    """The lines of all clients."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            yield Entry(
                **entry | {"deed": Deed(entry["deed"]), "outcome": Outcome(entry["outcome"])}
            )


class Tally:
    """What happened so far, for whoever waits for it: answers by status, and what was acknowledged when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[int, int] = {}
        self._done: dict[Deed, int] = dict.fromkeys(Deed, 0)
        self._booked: list[tuple[float, float]] = []
        self._acknowledged: list[float] = []

    def count(self, status: int) -> None:
        """Count an answer; 0 is none."""
        with self._lock:
            self._answers[status] = self._answers.get(status, 0) + 1

    def note(self, deed: Deed, sent_at: float) -> None:
        """Note that a deed was acknowledged, whose last press was sent at `sent_at`."""
        with self._lock:
            self._done[deed] += 1
            self._acknowledged.append(time.monotonic())
            if deed is Deed.BOOK:
                self._booked.append((sent_at, time.monotonic()))

    def answers(self, *statuses: int) -> int:
        """How many answers of these came."""
        with self._lock:
            return sum(self._answers.get(status, 0) for status in statuses)

    def done(self) -> dict[Deed, int]:
        """How many of each deed were acknowledged."""
        with self._lock:
            return dict(self._done)

    def seconds_until_booked(self, moment: float) -> float | None:
        """From `moment` until the first booking was acknowledged whose press was sent after it."""
        with self._lock:
            times = [at for sent_at, at in self._booked if sent_at >= moment]
        return min(times) - moment if times else None

    def longest_silence(self, since: float) -> float:
        """The longest time, in seconds, in which nothing was acknowledged after `since`."""
        with self._lock:
            moments = [since, *(at for at in self._acknowledged if at > since)]
        return max((after - before for before, after in itertools.pairwise(moments)), default=0.0)
