"""What a door device may do: the rights of each scope of tokens, every one of them listed."""

from collections.abc import Mapping
from enum import StrEnum

from azionelab.staff.tokens import Scope


class Right(StrEnum):
    """Something that a door device may do. Their words are part of the protocol (docs/door.md)."""

    SCAN = "scan"  # let parties in by their tickets and references, undo that, know the counts
    NAMES = "names"  # be told who booked
    SEARCH = "search"  # find parties by name or address
    WALK_IN = "walk-in"  # let in people without a booking
    UNDO_OTHERS = "undo-others"  # take back what other devices did
    RELEASE = "release"  # give away places of people who did not come, and hold them again


# Listed, never "all but": a right that comes later is nobody's until somebody writes it down here.
_RIGHTS: Mapping[Scope, frozenset[Right]] = {
    Scope.DOOR: frozenset(
        {
            Right.SCAN,
            Right.NAMES,
            Right.SEARCH,
            Right.WALK_IN,
            Right.UNDO_OTHERS,
            Right.RELEASE,
        }
    ),
    Scope.SCAN: frozenset({Right.SCAN}),
}


class RightMissing(Exception):
    """The device may not do what it asks for."""


def rights_of(scope: Scope) -> frozenset[Right]:
    """What a token of this scope may do at the door."""
    return _RIGHTS[scope]
