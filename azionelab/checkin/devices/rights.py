"""Rights of door devices, by the scope of their token."""

from collections.abc import Mapping
from enum import StrEnum

from azionelab.staff.tokens import Scope


class Right(StrEnum):
    """A right of a door device. The values are part of the protocol (docs/door.md)."""

    SCAN = "scan"  # let parties in by ticket or reference, undo own scans, see the counts
    NAMES = "names"  # see names and notes
    SEARCH = "search"  # find parties by name or address
    WALK_IN = "walk-in"  # let in people without a booking
    UNDO_OTHERS = "undo-others"  # undo scans of other devices
    RELEASE = "release"  # release the seats of no-shows, and restore them


# Each scope lists its rights, so that a new right belongs to no scope until it is added here.
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
    """The device lacks the right for its request."""


def rights_of(scope: Scope) -> frozenset[Right]:
    """The rights of a token of this scope."""
    return _RIGHTS[scope]
