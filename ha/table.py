"""The table of what was tried on the cluster, in Markdown."""

from collections.abc import Iterator
from dataclasses import dataclass

from ha.writers import Writing
from tests.faults.harness.storm import Fault, Tried

_HEAD = (
    "what was done", "reached by", "times", "nothing acknowledged for at most, s", "acknowledged", "lost", "double",
    "over capacity", "writes through each node: acknowledged", "lost", "two writers", "kept",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A fault that was tried, the way by which the site reached the cluster, and what the writers saw."""

    tried: Tried
    way: str
    writing: Writing

    @property
    def is_clean(self) -> bool:
        """Whether everything that was promised holds."""
        return self.tried.findings.is_clean and not self.writing.lost and not self.writing.rivals


@dataclass(frozen=True)
class Unfinished:
    """A fault after which the cluster or the site did not come back in time."""

    fault: Fault
    way: str
    is_clean = False


def write_table(rows: list[Row | Unfinished]) -> str:
    """One row for each fault and way."""
    lines = [
        _HEAD,
        ["---", "---", *["--:"] * (len(_HEAD) - 3), "---"],
        *map(list, map(_cells, rows)),
    ]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _cells(row: Row | Unfinished) -> Iterator[object]:
    if isinstance(row, Unfinished):
        yield from (row.fault.what, row.way, row.fault.times)
        yield from ["?"] * (len(_HEAD) - 4)
        yield "no: did not come back"
        return
    found = row.tried.findings
    yield row.tried.fault.what
    yield row.way
    yield row.tried.fault.times
    yield ", ".join(f"{seconds:.0f}" for seconds in row.tried.silence)
    yield found.acknowledged.total()
    yield from (len(found.lost), len(found.double), len(found.over))
    yield from (row.writing.acknowledged, row.writing.lost, len(row.writing.rivals))
    yield "yes" if row.is_clean else f"no: {_why(row)}"


def _why(row: Row) -> str:
    found = row.tried.findings
    reasons = [
        name for name in ("lost", "double", "over", "unsent", "doctor") if getattr(found, name)
    ]
    writers = ["writes lost"] * bool(row.writing.lost) + ["two writers"] * bool(row.writing.rivals)
    return ", ".join(reasons + writers)
