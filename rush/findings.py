"""What a rush has to show, from what visitors saw and what the database has in the end."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from azionelab.queue.lines import MOST_SEATS
from rush.people import Kind
from rush.stories import NO_SEATS, Story

# Standard deviations from what a lot gives by chance: once in some ten thousand runs.
_CHANCE = 4.0
MOST_CPU = 0.8  # share of the cores that the application may need while people wait


@dataclass(frozen=True)
class Place:
    """A row of the line in the end. `by_lot` is whether it was there before the opening."""

    number: int
    by_lot: bool
    joined_at: float
    let_in_at: float | None


@dataclass(frozen=True)
class Facts:
    """What the checks look at."""

    stories: Sequence[Story]
    places: Sequence[Place]
    seats: int
    taken: int  # seats in the end
    most_taken: int  # seats at any moment that was looked at
    failed: int  # answers with 5xx, or none
    # The application's share of the cores while people waited: after the lot, to the last seat. None when that was too short.
    cpu: float | None
    share: float = 0.0  # of the seats, that scripts got
    most_seats: int = MOST_SEATS  # of a booking
    errors: Sequence[str] = ()  # of the visitors' own program


def problems(facts: Facts) -> Iterator[str]:
    """A sentence for each promise that was not kept."""
    yield from (f"A visitor's program failed: {error}." for error in facts.errors)
    if facts.taken < facts.seats:
        yield f"{facts.seats - facts.taken} of {facts.seats} seats were not sold."
    if facts.most_taken > facts.seats:
        yield f"{facts.most_taken} seats were sold, and there are {facts.seats}."
    if facts.failed:
        yield f"{facts.failed} requests failed (5xx, or no answer)."
    if facts.cpu is not None and facts.cpu > MOST_CPU:
        yield f"The application needed {facts.cpu:.0%} of the cores while people waited."
    yield from _problems_of_seats(facts)
    yield from _problems_of_order(facts.places)
    yield from _problems_of_arrival(facts.stories, facts.places)
    yield from _problems_of_the_lot(facts.stories, facts.places)
    grew = [story for story in facts.stories if story.said.grew]
    if grew:
        most = max(story.said.most for story in grew)
        yield f"Position or minutes grew for {len(grew)} visitors, by up to {most}."


def _problems_of_seats(facts: Facts) -> Iterator[str]:
    """Whoever is let in finds seats, and scripts get no more of them than their places explain."""
    if unlucky := sum(story.end == NO_SEATS for story in facts.stories):
        yield f"{unlucky} were let in and found no seats."
    fair, deviation = fair_share(facts)
    if facts.share > fair + _CHANCE * deviation:
        yield f"Scripts got {facts.share:.0%} of the seats, and their places explain {fair:.0%}."


def fair_share(facts: Facts) -> tuple[float, float]:
    """The share of the seats that scripts of the lot get by their places and what each wants, and its standard deviation.

    The deviation is that of a ratio of sums over as many draws as bookings fill the house.
    """
    drawn = {place.number for place in facts.places if place.by_lot}
    wishes = [
        (story.person.kind is Kind.SCRIPT, story.person.wishes(facts.most_seats))
        for story in facts.stories
        if story.number in drawn
    ]
    total = sum(seats for _, seats in wishes)
    if not total:
        return 0.0, 0.0
    share = sum(seats for is_script, seats in wishes if is_script) / total
    mean = total / len(wishes)
    spread = fmean((seats * (is_script - share)) ** 2 for is_script, seats in wishes)
    return share, math.sqrt(spread * mean / facts.seats) / mean


def _problems_of_order(places: Sequence[Place]) -> Iterator[str]:
    """Numbers have no gaps, the lot's come first, and nobody is let in before a smaller number."""
    ordered = sorted(places, key=lambda place: place.number)
    if [place.number for place in ordered] != list(range(1, len(ordered) + 1)):
        yield "Numbers have gaps, or were given twice."
    if any(a.by_lot < b.by_lot for a, b in itertools.pairwise(ordered)):
        yield "Somebody who came after the opening stands before somebody of the lot."
    moments = [math.inf if p.let_in_at is None else p.let_in_at for p in ordered]
    if passed := sum(a > b for a, b in itertools.pairwise(moments)):
        yield f"{passed} were let in before the number before theirs."


def _problems_of_arrival(stories: Sequence[Story], places: Sequence[Place]) -> Iterator[str]:
    """After the lot, who asked when somebody else had their answer already stands behind them."""
    by_lot = {place.number for place in places if place.by_lot}
    late = [
        (story.number, story.asked_at, story.joined_at)
        for story in stories
        if story.number and story.number not in by_lot and story.asked_at and story.joined_at
    ]
    latest, passed = -math.inf, 0
    for _, asked_at, joined_at in sorted(late):
        passed += joined_at < latest
        latest = max(latest, asked_at)
    if passed:
        yield f"{passed} stand behind somebody who joined after them."


def _problems_of_the_lot(stories: Sequence[Story], places: Sequence[Place]) -> Iterator[str]:
    lot = sorted((place for place in places if place.by_lot), key=lambda place: place.joined_at)
    numbers = [place.number for place in lot]
    if len(numbers) > 2 and abs(z := rank_correlation(numbers) * math.sqrt(len(lot) - 1)) > _CHANCE:
        yield f"The lot depends on when people came ({z:+.1f} standard deviations)."
    drawn = set(numbers)
    scripts = [s.number for s in stories if s.person.kind is Kind.SCRIPT and s.number in drawn]
    z = rank_sum_deviations([number for number in scripts if number], len(drawn))
    if abs(z) > _CHANCE:
        yield f"The lot prefers {'people' if z > 0 else 'scripts'} ({z:+.1f} standard deviations)."


def rank_correlation(numbers: Sequence[int]) -> float:
    """Spearman's correlation of the order in which distinct numbers stand and their size; 0 for one and for none."""
    count = len(numbers)
    if count < 2:
        return 0.0
    ranks = {number: rank for rank, number in enumerate(sorted(numbers))}
    apart = sum((place - ranks[number]) ** 2 for place, number in enumerate(numbers))
    return 1 - 6 * apart / (count * (count**2 - 1))


def rank_sum_deviations(numbers: Sequence[int], total: int) -> float:
    """How far the sum of some of the numbers 1 to `total` is from a fair draw's, in standard deviations (Wilcoxon)."""
    some = len(numbers)
    variance = some * (total - some) * (total + 1) / 12
    return (sum(numbers) - some * (total + 1) / 2) / math.sqrt(variance) if variance > 0 else 0.0
