"""The table of what was tried, in Markdown."""

from collections.abc import Iterator

from tests.faults.harness.storm import Tried

_HEAD = (
    "what was done", "times", "acknowledged", "lost", "double", "over capacity", "mails", "of them twice",
    "booked again after, s", "last mail after, s", "reached",
)  # fmt: skip


def write_table(tried: list[Tried]) -> str:
    """One row for each fault."""
    rows = [_HEAD, ["---", *["--:"] * (len(_HEAD) - 2), "---"], *map(list, map(_row, tried))]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def _row(tried: Tried) -> Iterator[object]:
    found = tried.findings
    yield tried.fault.what
    yield tried.fault.times
    yield found.acknowledged.total()
    yield from (len(found.lost), len(found.double), len(found.over))
    yield from (found.mails, found.twice)
    yield f"{max(tried.recovery):.1f}"
    yield f"{tried.mails_after:.0f}"
    yield "yes" if found.is_clean else _why(tried)


def _why(tried: Tried) -> str:
    found = tried.findings
    reasons = [name for name in ("lost", "double", "over", "unsent") if getattr(found, name)]
    return f"no: {', '.join([*reasons, *(['doctor'] if found.doctor else [])])}"
