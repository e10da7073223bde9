"""How many people stay away: a beta-binomial model over the record of comparable evenings, without a database.

Of an evening's expected people each stays away with the same chance, and that chance differs from evening to evening
(weather, strikes, parties that come or stay together): it has a beta distribution, whose mean and spread are unknown.
Both are averaged over a grid, weighted by how well they explain the record (Bayes' rule). The prior and what the model
leaves out: docs/full-house.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

# The prior of the mean share is beta with these: 29 % on average, from 4 to 64 % in 19 of 20 cases.
PRIOR_AWAY, PRIOR_COMES = 2, 5
# How alike evenings are, as people whose coming would tell as much; each as likely as the others.
LIKENESS = (4, 8, 16, 32, 64, 128, 256)
_SHARES = [(place + 0.5) / 60 for place in range(60)]  # possible means
_NEGLIGIBLE = 1e-7  # a weight or chance that changes no figure


@dataclass(frozen=True)
class Record:
    """One evening: people who were expected, and how many of them stayed away."""

    expected: int
    absent: int


@dataclass(frozen=True)
class Forecast:
    """How likely it is that 0, 1, 2 ... of the expected people stay away; the chances add up to 1.

    Standby people are those who wait at the door for the seats of people who stay away. All of them come.
    """

    chances: Sequence[float]

    @property
    def mean(self) -> float:
        """How many stay away on average."""
        return sum(people * chance for people, chance in enumerate(self.chances))

    def interval(self, level: float) -> tuple[int, int]:
        """The fewest and the most that stay away with a chance of at least `level`, as much left out on each side."""
        tail = (1 - level) / 2
        return self._quantile(tail), self._quantile(1 - tail)

    def all_seated(self, standby: int) -> float:
        """The chance that each of so many standby people gets a seat."""
        return min(1.0, sum(self.chances[max(0, standby) :]))

    def turned_away(self, standby: int) -> float:
        """How many of so many standby people get no seat, on average."""
        return sum(
            (standby - people) * chance for people, chance in enumerate(self.chances[:standby])
        )

    def left_empty(self, standby: int) -> float:
        """How many seats of people who stay away remain empty with so many standby people, on average."""
        return self.mean - standby + self.turned_away(standby)

    def supported(self, chance: float) -> int:
        """The most standby people of whom each gets a seat with a chance of at least `chance`."""
        standby = 0
        left = 1.0
        for here in self.chances[:-1]:
            left -= here
            if left < chance:
                break
            standby += 1
        return standby

    def thinned(self, share: float) -> "Forecast":
        """The forecast of an evening on which only this share of them stays away, the others come after all."""
        kept = [0.0] * len(self.chances)
        for people, chance in enumerate(self.chances):
            if chance < _NEGLIGIBLE:
                continue
            for away in range(people + 1):
                kept[away] += chance * _binomial(away, people, share)
        return Forecast(kept)

    def _quantile(self, level: float) -> int:
        reached = 0.0
        for people, chance in enumerate(self.chances):
            reached += chance
            if reached >= level:
                return people
        return len(self.chances) - 1


def forecast(record: Sequence[Record], expected: int) -> Forecast:
    """How many of `expected` people stay away, as the record of comparable evenings tells."""
    chances = [0.0] * (expected + 1)
    for away, comes, weight in _weights(record):
        for people in range(expected + 1):
            chances[people] += weight * exp(_log_chance(people, expected, away, comes))
    return Forecast(chances)


def _weights(record: Sequence[Record]) -> Iterator[tuple[float, float, float]]:
    """The two numbers of each beta distribution of the grid, and its weight after the record."""
    logs = {
        (share * likeness, (1 - share) * likeness): _log_prior(share)
        + sum(
            _log_chance(each.absent, each.expected, share * likeness, (1 - share) * likeness)
            for each in record
        )
        for share in _SHARES
        for likeness in LIKENESS
    }
    most = max(logs.values())
    weights = {beta: exp(weight - most) for beta, weight in logs.items()}
    kept = {beta: weight for beta, weight in weights.items() if weight > _NEGLIGIBLE}
    total = sum(kept.values())
    for (away, comes), weight in kept.items():
        yield away, comes, weight / total


def _log_prior(share: float) -> float:
    return (PRIOR_AWAY - 1) * log(share) + (PRIOR_COMES - 1) * log(1 - share)


def _log_chance(absent: int, expected: int, away: float, comes: float) -> float:
    """The logarithm of the beta-binomial chance that `absent` of `expected` stay away."""
    return (
        _log_choose(expected, absent)
        + _log_beta(absent + away, expected - absent + comes)
        - _log_beta(away, comes)
    )


def _log_choose(of: int, chosen: int) -> float:
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)


def _log_beta(one: float, other: float) -> float:
    return lgamma(one) + lgamma(other) - lgamma(one + other)


def _binomial(hits: int, trials: int, chance: float) -> float:
    return exp(_log_choose(trials, hits) + hits * log(chance) + (trials - hits) * log(1 - chance))
