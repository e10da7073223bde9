"""A season: evenings one after the other, each advised by the record of those before it."""

from dataclasses import dataclass

from azionelab.reports.no_show_model import Record, forecast
from azionelab.reports.standby import FEWEST
from simulate.evening import Evening
from simulate.habits import Habits, Theatre
from simulate.loop import Loop
from simulate.outcome import Outcome
from simulate.people import draw_parties, draw_walk_ins
from simulate.world import World


@dataclass(frozen=True)
class Season:
    """What is simulated: a `name` for the tables, the theatre, its visitors, the loop, the no-show rate and a seed."""

    name: str
    loop: Loop
    no_show_rate: float
    theatre: Theatre
    habits: Habits
    seed: int


def play_season(world: World, season: Season) -> Outcome:
    """Play all evenings; the sums. Where the record is asked, as many as it needs are played before and not counted."""
    record: list[Record] = []
    total = Outcome()
    for number in range(-FEWEST if season.loop.standby else 0, season.theatre.evenings):
        seed = f"{season.seed}-{number}"
        evening = Evening(world, season.theatre, season.habits, season.loop, season.no_show_rate)
        outcome = evening.play(
            draw_parties(season.theatre, season.habits, seed),
            draw_walk_ins(season.theatre, season.habits, seed),
            lambda booked: _advise(record, booked, season.theatre.sureness),
        )
        record.append(outcome.record)
        if number >= 0:
            total += outcome
    return total


def _advise(record: list[Record], booked: int, sureness: float) -> int:
    """The standby places that the evenings before support; none while they are too few."""
    return forecast(record, booked).supported(sureness) if len(record) >= FEWEST else 0
