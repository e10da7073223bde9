"""The door's verdict: decided from facts alone, by one table of rules."""

from dataclasses import dataclass
from enum import StrEnum

from azionelab.bookings.models import State


class Kind(StrEnum):
    """What the door says to a scan."""

    ADMITTED = "admitted"
    ALREADY_IN = "already_in"
    WRONG_PERFORMANCE = "wrong_performance"
    NOT_CONFIRMED = "not_confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PERFORMANCE_CANCELLED = "performance_cancelled"
    UNKNOWN = "unknown"
    TOO_MANY = "too_many"  # more people than the party has still to come
    CHANGED = "changed"  # others of the party came in since the device looked


# In the books beside the kinds: the device sent an earlier scan's identity, and was told of its error.
REUSED = "reused"


@dataclass(frozen=True)
class Party:
    """What is known of the party a code names. `seats` and `admitted` count people."""

    performance_id: int
    state: str
    seats: int
    admitted: int

    @property
    def remaining(self) -> int:
        """People still to come."""
        return self.seats - self.admitted


def decide(  # noqa: PLR0911 (the rules in the order they are asked)
    party: Party | None,
    door_performance_id: int,
    performance_cancelled: bool,
    people: int | None = None,
    seen: int | None = None,
) -> tuple[Kind, int]:
    """The verdict and how many people it lets in (0 unless ADMITTED).

    `people` None means all who are still to come. `seen` is how many of the party the device
    showed as in when its user pressed; None when it showed none.
    """
    if party is None:
        return Kind.UNKNOWN, 0
    if party.performance_id != door_performance_id:
        return Kind.WRONG_PERFORMANCE, 0
    if performance_cancelled:
        return Kind.PERFORMANCE_CANCELLED, 0
    if party.state != State.CONFIRMED:
        return _NOT_CONFIRMED[State(party.state)], 0
    if party.remaining == 0:
        return Kind.ALREADY_IN, 0
    if seen is not None and seen != party.admitted:
        return Kind.CHANGED, 0
    wanted = party.remaining if people is None else people
    if not 1 <= wanted <= party.remaining:
        return Kind.TOO_MANY, 0
    return Kind.ADMITTED, wanted


_NOT_CONFIRMED = {
    State.PENDING: Kind.NOT_CONFIRMED,
    State.CANCELLED: Kind.CANCELLED,
    State.EXPIRED: Kind.EXPIRED,
}
