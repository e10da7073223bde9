"""The people of an evening: who wants seats, when, and what they would do. Drawn before anything happens.

What a party would do depends on nothing that others do, and each has numbers of its own. So the same people meet every
variant of the loop, and a difference between two variants is the loop's.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from azionelab.waitlist.near import MINUTES
from simulate.habits import Habits, Theatre

_DAY = timedelta(days=1)
_DOORS = -30.0  # minutes from the curtain; nobody is let in earlier
_LATEST = 15.0
_LOOKS_AGAIN = (90.0, 24 * 60.0)  # before the curtain
_NEAR_LATEST = 10.0  # before the curtain; later nobody says that they are near


@dataclass(frozen=True)
class Party:
    """A party that wants seats `before` the curtain. The other numbers, from 0 to 1, decide what it does when asked."""

    name: str
    seats: int
    before: timedelta
    confirms: float
    withdraws: float
    withdraws_at: float  # share of the time from the booking to the curtain
    stays_away: float
    first_reminder: float
    second_reminder: float
    joins_line: float
    takes_offer: float
    refuses_offer: float
    patience: tuple[float, ...]  # how long each answer takes, in averages
    arrives: float  # minutes from the curtain
    says_late: float
    waits_at_door: float  # how much somebody wants a seat at the last moment
    answers: float
    gives_back_asked: float
    reads_loss: float
    looks_again: float
    looks_again_at: float  # minutes from the curtain
    says_near_at: float  # minutes from the curtain
    minutes_away: int
    comes_close: float


def draw_parties(theatre: Theatre, habits: Habits, seed: str) -> list[Party]:
    """The parties that want seats of one evening, until the wished seats are reached."""
    parties: list[Party] = []
    wanted = theatre.wishes * theatre.capacity
    while sum(party.seats for party in parties) < wanted:
        name = f"{seed}-{len(parties)}"
        parties.append(_draw_party(name, theatre, habits, Random(name)))
    return parties


def draw_walk_ins(theatre: Theatre, habits: Habits, seed: str) -> list[int]:
    """The parties that come by chance, each with its people."""
    random = Random(f"{seed}-walk-ins")
    people = theatre.capacity * habits.walks_in
    return [random.choice((1, 2)) for _party in range(round(people / 1.5))]


def _draw_party(name: str, theatre: Theatre, habits: Habits, random: Random) -> Party:
    sizes = range(1, len(habits.party_sizes) + 1)
    seats = random.choices(sizes, habits.party_sizes)[0]
    before = timedelta(days=theatre.opens_days)
    while before >= timedelta(days=theatre.opens_days) - timedelta(hours=1):
        # Booking closes an hour before the curtain.
        before = timedelta(hours=1.5) + random.expovariate(1 / habits.books_before) * _DAY
    return Party(
        name=name,
        seats=seats,
        before=before,
        confirms=random.random(),
        withdraws=random.random(),
        withdraws_at=random.random(),
        stays_away=random.random(),
        first_reminder=random.random(),
        second_reminder=random.random(),
        joins_line=random.random(),
        takes_offer=random.random(),
        refuses_offer=random.random(),
        patience=tuple(random.expovariate(1) for _answer in range(6)),
        arrives=min(
            _LATEST, max(_DOORS, random.gauss(-habits.arrives_before, habits.arrives_spread))
        ),
        says_late=random.random(),
        waits_at_door=random.random(),
        answers=random.random(),
        gives_back_asked=random.random(),
        reads_loss=random.random(),
        looks_again=random.random(),
        looks_again_at=-random.uniform(*_LOOKS_AGAIN),
        says_near_at=-random.uniform(_NEAR_LATEST, habits.says_near_before),
        minutes_away=random.choices(MINUTES, habits.near_minutes)[0],
        comes_close=random.random(),
    )
