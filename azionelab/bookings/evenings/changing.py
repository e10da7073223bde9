"""Changes or cancels many evenings in one transaction, exactly as previewed: all of them, or none."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import partial

from azionelab.bookings.evenings.effects import Effect, Effects, facts_of, read_effects
from azionelab.bookings.locks import lock_performance
from azionelab.bookings.performance_changes import cancel_locked, change_locked
from azionelab.bookings.seats.holds import expire_holds
from azionelab.database import now, transaction
from azionelab.database.row_versions import record_author
from azionelab.shows.models import Performance
from azionelab.shows.runs.changes import EveningFacts, RunChange
from azionelab.shows.window import check_window


class EffectsChanged(Exception):
    """The change would do something else than the preview said, or cannot be; nothing was changed."""

    def __init__(self, effects: Effects) -> None:
        super().__init__("other effects")
        self.effects = effects


@dataclass(frozen=True)
class Changed:
    """The numbers of evenings changed and of mails to their parties."""

    evenings: int
    mails: int


def change_evenings(
    ids: Collection[int], change: RunChange, seen: str, by: int | None, *, notify: bool = True
) -> Changed:
    """Change or cancel performances, and write to their parties if `notify`.

    `seen` is the digest of the effects that the person saw. Raises EffectsChanged when they are others now, or
    one evening cannot be changed so, and PerformanceUnknown when one was deleted.
    """
    with transaction() as session:
        record_author(session, by)
        performances = [lock_performance(session, one) for one in sorted(set(ids))]
        at = now()
        for performance in performances:
            expire_holds(session, performance, at)
        effects = read_effects(session, performances, change, at)
        if effects.digest != seen or effects.has_faults:
            raise EffectsChanged(effects)
        mails = 0
        # An evening may move to where another one of the show was: that one has to move first.
        forward = change.days * 1440 + change.minutes > 0
        for effect in reversed(effects.evenings) if forward else effects.evenings:
            performance = effect.performance
            if effect.cancels:
                mails += cancel_locked(session, performance, at, notify=notify)
            elif effect.changes:
                write = partial(_write, effect)
                mails += change_locked(session, performance, write, at, notify=notify)
                _write(effect, performance)
                _check(performance)
            session.flush()
        return Changed(effects.changed, mails)


def _write(effect: Effect, performance: Performance) -> None:
    for field in fields(EveningFacts):
        setattr(performance, field.name, getattr(effect.after, field.name))


def _check(performance: Performance) -> None:
    facts = facts_of(performance)
    check_window(facts.booking_opens_at, facts.booking_closes_at, facts.starts_at)
