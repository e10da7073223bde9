"""What the edit of one performance does, for whoever makes it to see first: seats that come or go, and mails."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from azionelab.bookings.evenings.effects import Effect, facts_of, read_held
from azionelab.bookings.performance_changes import change_performance
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.shows.runs.evenings import Fault


class EffectUnseen(Exception):
    """The person has not seen what the edit does; nothing was changed."""

    def __init__(self, effect: Effect) -> None:
        super().__init__("unseen")
        self.effect = effect


@dataclass(frozen=True)
class _Edit:
    """An edit within its transaction."""

    change: Callable[[Performance], object]
    seen: str

    def __call__(self, performance: Performance) -> None:
        before = facts_of(performance)
        held = read_held(db.session(), [performance], now())[performance.id]
        self.change(performance)
        after = facts_of(performance)
        least = held.least_capacity(performance.wheelchair_places)
        fault = Fault.BELOW_HELD if after.capacity < least else None
        effect = Effect(performance, before, after, held, cancels=False, fault=fault, least=least)
        if fault or (_matters(effect) and digest_of(effect) != self.seen):
            raise EffectUnseen(effect)


def change_seen(
    performance_id: int,
    change: Callable[[Performance], object],
    seen: str,
    *,
    notify: bool = True,
) -> int:
    """`change_performance` once the person has seen what it does; `seen` is the digest of that.

    An edit that takes or gives no seats of a booked performance, and writes to nobody, need not be seen. One below
    the seats that are taken raises EffectUnseen in any case, with its `fault`. Raises what `change_performance`
    raises.
    """
    return change_performance(performance_id, _Edit(change, seen), notify=notify)


def digest_of(effect: Effect) -> str:
    """What the person saw, in short. Without the parties: one that books meanwhile is no reason to look again."""
    before, after = effect.before, effect.after
    told = after.starts_at, after.venue_id, after.is_moved_from(before)
    return sha256(repr((before.capacity, after.capacity, told)).encode()).hexdigest()


def _matters(effect: Effect) -> bool:
    other_seats = effect.after.capacity != effect.before.capacity and effect.held.seats > 0
    to_come = max(effect.before.starts_at, effect.after.starts_at) > now()
    return to_come and effect.before.cancelled_at is None and (other_seats or effect.mails > 0)
