"""What the acts of an evening share: its people, its plans, and what has become of it so far."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from azionelab.bookings.errors import BookingError
from azionelab.bookings.rules import Visitor
from simulate.habits import Habits, Theatre
from simulate.loop import Loop
from simulate.outcome import Outcome
from simulate.people import Party
from simulate.world import World

DAY = 24 * 60  # minutes


@dataclass
class Scene:
    """An evening that is being played. Minutes count from the curtain, and are negative before it.

    Parties are known by their addresses. `stays_away` has those that confirmed, `unseated` those that wanted seats and have
    none. Of these the `unaware` lost theirs by silence, and come nevertheless.
    """

    world: World
    theatre: Theatre
    habits: Habits
    loop: Loop
    no_show_rate: float
    minute: float
    outcome: Outcome
    parties: dict[str, Party] = field(default_factory=dict)
    stays_away: dict[str, bool] = field(default_factory=dict)
    unseated: dict[str, Party] = field(default_factory=dict)
    unaware: dict[str, Party] = field(default_factory=dict)
    _plans: list[tuple[float, int, Callable[[], Any]]] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def plan(self, minute: float, act: Callable[..., Any], *arguments: Any) -> None:
        """Let somebody act when a minute has come."""
        heapq.heappush(self._plans, (minute, next(self._numbers), lambda: act(*arguments)))

    def next_plan(self) -> tuple[float, Callable[[], Any]] | None:
        """The next act, with its minute; None when all is over."""
        if not self._plans:
            return None
        minute, _number, act = heapq.heappop(self._plans)
        return minute, act


def attempt(rule: Callable[..., Any], *arguments: Any) -> bool:
    """Do what a visitor's page would; it may be too late."""
    try:
        rule(*arguments)
    except BookingError:
        return False
    return True


def visitor_of(party: Party) -> Visitor:
    """What a party enters in a form."""
    # Each books from a network of its own, as visitors at home do.
    number = int(party.name.rpartition("-")[2])
    return Visitor(party.name, address(party), "it", f"10.{number // 256}.{number % 256}.0")


def address(party: Party) -> str:
    """The address of a party."""
    return f"{party.name}@example.org"
