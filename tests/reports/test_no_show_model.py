"""The model of no-shows, against fractions that know no logarithms, and for what must always hold."""

from fractions import Fraction
from math import comb, prod

import pytest

from azionelab.reports.no_show_model import LIKENESS, PRIOR_AWAY, PRIOR_COMES, Record, forecast

EVENINGS = [Record(5, 2), Record(3, 0), Record(6, 3)]


def by_fractions(record: list[Record], expected: int) -> list[float]:
    """The same chances by rising factorials: the beta-binomial without the gamma function."""

    def rising(start: Fraction, steps: int) -> Fraction:
        return prod((start + step for step in range(steps)), start=Fraction(1))

    def chance(absent: int, people: int, away: Fraction, comes: Fraction) -> Fraction:
        ways = rising(away, absent) * rising(comes, people - absent)
        return comb(people, absent) * ways / rising(away + comes, people)

    chances, total = [Fraction(0)] * (expected + 1), Fraction(0)
    for place in range(60):
        share = Fraction(2 * place + 1, 120)
        for likeness in LIKENESS:
            away, comes = share * likeness, (1 - share) * likeness
            weight = share ** (PRIOR_AWAY - 1) * (1 - share) ** (PRIOR_COMES - 1)
            weight *= prod(chance(each.absent, each.expected, away, comes) for each in record)
            total += weight
            for absent in range(expected + 1):
                chances[absent] += weight * chance(absent, expected, away, comes)
    return [float(each / total) for each in chances]


@pytest.mark.parametrize("record", [[], EVENINGS])
def test_the_chances_are_those_of_fractions(record: list[Record]) -> None:
    found = forecast(record, 4).chances
    assert found == pytest.approx(by_fractions(record, 4), rel=1e-5)


def test_without_a_record_the_prior_speaks() -> None:
    prior = PRIOR_AWAY / (PRIOR_AWAY + PRIOR_COMES)
    assert forecast([], 70).mean == pytest.approx(70 * prior, rel=0.01)
    assert forecast([], 0).chances == pytest.approx([1])
    assert forecast([], 0).supported(0.9) == 0


def test_a_long_record_of_equal_evenings_leaves_chance_alone() -> None:
    """Then the people who stay away are binomial, of the share that the record shows."""
    found = forecast([Record(100, 30)] * 200, 40)
    spread = sum(people**2 * chance for people, chance in enumerate(found.chances)) - found.mean**2
    assert found.mean == pytest.approx(40 * 0.3, rel=0.02)
    # The grid's most alike evenings have a beta of 256, which adds a little.
    assert spread == pytest.approx(40 * 0.3 * 0.7 * (1 + 39 / 257), rel=0.05)


def test_evenings_that_differ_support_fewer_standby_places() -> None:
    alike = forecast([Record(80, 24)] * 10, 80)
    unlike = forecast([Record(80, 8), Record(80, 40)] * 5, 80)
    assert alike.mean == pytest.approx(unlike.mean, rel=0.03)
    assert unlike.supported(0.9) < alike.supported(0.9) - 5
    (low, high), (lower, higher) = alike.interval(0.8), unlike.interval(0.8)
    assert (lower < low, higher > high) == (True, True)


def test_more_no_shows_support_more_places_and_more_places_turn_more_away() -> None:
    few, many = (forecast([Record(60, absent)] * 6, 60) for absent in (10, 25))
    assert few.mean < many.mean
    assert few.supported(0.9) < many.supported(0.9)
    assert few.supported(0.99) <= few.supported(0.9) <= few.supported(0.5)
    for better, worse in ((few, few), (many, few)):
        for standby in range(62):
            assert better.all_seated(standby) >= worse.all_seated(standby + 1)
            assert better.turned_away(standby) <= worse.turned_away(standby + 1)
    for standby in (0, 7, 60):
        too_few = few.left_empty(standby) - few.turned_away(standby)
        assert too_few == pytest.approx(few.mean - standby, abs=1e-6)
        assert few.left_empty(standby) >= few.left_empty(standby + 1)
    assert (few.all_seated(0), few.all_seated(61), few.turned_away(0)) == (pytest.approx(1), 0, 0)
    advised = few.supported(0.9)
    assert few.all_seated(advised) >= 0.9 > few.all_seated(advised + 1)


def test_of_half_as_many_no_shows_half_remain_on_average() -> None:
    found = forecast(EVENINGS, 20)
    half = found.thinned(0.5)
    assert half.mean == pytest.approx(found.mean / 2, rel=1e-4)
    assert sum(half.chances) == pytest.approx(1, rel=1e-4)
    assert half.turned_away(5) > found.turned_away(5)
