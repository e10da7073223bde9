"""The table of what was tried on the cluster, in Markdown."""

from collections.abc import Iterator
from dataclasses import dataclass

from ha.writers import Writing
from tests.faults.harness.storm import Tried

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


def write_table(rows: list[Row]) -> str:
    """One row for each fault and way."""
    lines = [
        _HEAD,
        ["---", "---", *["--:"] * (len(_HEAD) - 3), "---"],
        *map(list, map(_cells, rows)),
    ]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _cells(row: Row) -> Iterator[object]:
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
