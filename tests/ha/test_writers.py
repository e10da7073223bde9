"""`make ha-test` itself needs root and minutes; here only what its verdict rests on."""

import pytest

from ha.writers import Write, find_rivals


def written(*writes: tuple[str, int]) -> list[Write]:
    """Acknowledged writes in their order, of (node, timeline)."""
    return [
        Write(node, number, timeline, at=float(number))
        for number, (node, timeline) in enumerate(writes)
    ]


def test_nodes_that_follow_one_another_are_no_rivals() -> None:
    there_and_back = written(("node1", 1), ("node1", 1), ("node2", 2), ("node1", 3), ("node3", 4))
    assert find_rivals(there_and_back) == []


@pytest.mark.parametrize(
    ("writes", "rivals"),
    [
        # The one that was cut off goes on, and so does the new one.
        ([("node1", 1), ("node2", 2), ("node1", 1), ("node2", 2)], 1),
        # Two that both write in one timeline.
        ([("node1", 1), ("node2", 1)], 1),
    ],
)
def test_two_who_write_are_found(writes: list[tuple[str, int]], rivals: int) -> None:
    found = find_rivals(list(reversed(written(*writes))))
    assert len(found) == rivals
