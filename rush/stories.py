"""What became of each visitor, and what the page told them while they waited."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from rush.people import Person

NO_SEATS = "let in, and no seats were left"  # how it may end for nobody


@dataclass
class Said:
    """The two numbers of a place's page, as somebody sees them: the page writes only smaller ones, until it is reloaded."""

    ahead: int | None = None
    minutes: int | None = None
    grew: int = 0  # how often a reload showed a greater number
    most: int = 0  # by how much at most

    def reload(self, ahead: int | None, minutes: int | None) -> None:
        """Note what a new page says; nothing before the lot."""
        for before, after in ((self.ahead, ahead), (self.minutes, minutes)):
            if before is not None and after is not None and after > before:
                self.grew += 1
                self.most = max(self.most, after - before)
        self.ahead, self.minutes = ahead, minutes

    def tell(self, number: int, state: Mapping[str, Any]) -> None:
        """Note what the page computes from the line's state (static_frontend/src/booking/line.ts)."""
        if self.ahead is not None:
            self.ahead = min(self.ahead, number - state["let_in"] - 1)
        if not state["names_minutes"]:
            self.minutes = None
        elif self.minutes is not None:
            self.minutes = min(self.minutes, _minutes_at_most(number, state))


def _minutes_at_most(number: int, state: Mapping[str, Any]) -> int:
    ahead, inside = number - state["let_in"], state["inside_limit"]
    turns = min(ceil(ahead / inside), ceil(number / inside) - 1)
    return int(turns * state["stay_minutes"] + ceil(ahead / state["per_minute"]))


@dataclass
class Story:
    """A visitor's. Moments are of the machine's monotonic clock, as all processes have it; None for what never was."""

    person: Person
    asked_at: float | None = None  # when the form of the line was sent that was taken
    joined_at: float | None = None  # when it was answered
    number: int | None = None
    let_in_at: float | None = None
    booked_at: float | None = None
    confirmed_at: float | None = None
    said: Said = field(default_factory=Said)
    end: str = "the run ended"
