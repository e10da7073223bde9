"""What is simulated, and the tables that come out of it, in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simulate.evening import Outcome
from simulate.habits import Habits, Theatre, assumptions
from simulate.loop import ALL, PARTS, steps
from simulate.season import Season

RATES = (0.1, 0.2, 0.4, 0.6)
AIMED = 0.4  # the no-show rate of the aim
_HABITS = Habits()
# What people might do otherwise, each at the aimed rate with all parts.
_OTHERWISE = {
    "as assumed": _HABITS,
    "half as many would wait at the door": replace(
        _HABITS, waits_at_door=_HABITS.waits_at_door / 2
    ),
    "who took an offer stays away as often as the others": replace(_HABITS, stays_away_less=1),
    "reminders move half as many": replace(
        _HABITS,
        comes_after_all=_HABITS.comes_after_all / 2,
        gives_back_first=_HABITS.gives_back_first / 2,
        gives_back_second=_HABITS.gives_back_second / 2,
    ),
    "people come 10 minutes later": replace(_HABITS, arrives_before=_HABITS.arrives_before - 10),
}
_LESS_WISHED = 1.2  # seats wished for, for each seat


@dataclass(frozen=True)
class Plan:
    """The seasons of each table."""

    steps: Sequence[Season]
    without: Sequence[Season]
    otherwise: Sequence[Season]

    @property
    def all(self) -> list[Season]:
        """Every season, the longest first: the processes end together then."""
        found = [*self.steps, *self.without, *self.otherwise]
        return sorted(found, key=lambda season: not season.loop.standby)


def make_plan(theatre: Theatre, seed: int) -> Plan:
    """All seasons that are simulated."""

    def season(name: str, **facts: object) -> Season:
        made = Season(name, ALL, AIMED, theatre, _HABITS, seed)
        return replace(made, **facts)  # type: ignore[arg-type]  # names of its fields

    less_sure = replace(theatre, sureness=0.5)
    less_wished = replace(theatre, wishes=_LESS_WISHED)
    return Plan(
        [season(name, loop=loop, no_show_rate=rate) for name, loop in steps() for rate in RATES],
        [season(f"without {name}", loop=ALL.without(part)) for part, name in PARTS.items()],
        [
            *(season(name, habits=habits) for name, habits in _OTHERWISE.items()),
            season("as many may wait as all get a seat on half of the evenings", theatre=less_sure),
            season(
                "the same, and twice as many would",
                theatre=less_sure,
                habits=replace(_HABITS, waits_at_door=_HABITS.waits_at_door * 2),
            ),
            season(f"{_LESS_WISHED:g} seats wished for each seat", theatre=less_wished),
        ],
    )


def write_tables(plan: Plan, found: Mapping[Season, Outcome]) -> str:
    """All tables, with what they were made of."""
    theatre = plan.steps[0].theatre
    everything = found[plan.otherwise[0]]
    house = (
        f"A house of {theatre.capacity} seats, {theatre.evenings} evenings in each season, {theatre.wishes:g} seats"
        " wished for each seat, every setting as shipped."
    )
    return "\n".join(
        [
            house,
            "",
            "![Seats filled, by no-show rate and parts of the loop](full-house.svg)",
            "",
            "Seats filled, in percent, by the share of booked people who would stay away without the loop:",
            "",
            *_table(
                ["", *(f"{rate:.0%}" for rate in RATES)],
                [
                    [name, *(_percent(found[each].filled, found[each].seats) for each in row)]
                    for name, row in by_loop(plan).items()
                ],
            ),
            "",
            f"At {AIMED:.0%}, for each evening (mails of all kinds):",
            "",
            *_outcomes([each for each in plan.steps if each.no_show_rate == AIMED], found),
            "",
            "With all parts but one:",
            "",
            *_outcomes(plan.without, found),
            "",
            "With all parts, if people behave otherwise than assumed:",
            "",
            *_outcomes(plan.otherwise, found),
            "",
            f"{_verdict(everything)} {_calibration(everything)}",
            "",
            "What is assumed of people:",
            "",
            *_table(
                ["habit", "value", "meaning", "source"], [list(row) for row in assumptions(_HABITS)]
            ),
        ]
    )


def by_loop(plan: Plan) -> dict[str, list[Season]]:
    """The seasons of each step of the loop, by their no-show rates."""
    return {name: [each for each in plan.steps if each.name == name] for name, _loop in steps()}


def _outcomes(seasons: Sequence[Season], found: Mapping[Season, Outcome]) -> list[str]:
    head = [
        "", "seats filled", "booked people who came, turned away", "came after the release, turned away",
        "waited without a seat", "of these turned away", "mails",
    ]  # fmt: skip
    rows = []
    for season in seasons:
        outcome, evenings = found[season], season.theatre.evenings
        people = (
            outcome.kept_turned_away,
            outcome.late_turned_away,
            outcome.waited,
            outcome.waiting_turned_away,
            outcome.mails.total(),
        )
        share = _percent(outcome.filled, outcome.seats)
        rows.append([season.name, f"{share}%", *(f"{each / evenings:.1f}" for each in people)])
    return _table(head, rows)


def _verdict(outcome: Outcome) -> str:
    reached = outcome.filled >= 0.95 * outcome.seats and outcome.kept_turned_away == 0
    share = _percent(outcome.filled, outcome.seats)
    return (
        f"The aim, at {AIMED:.0%}: 95% of the seats filled and nobody turned away who confirmed and kept their seats."
        f" **{'Reached' if reached else 'Not reached'}**: {share}% filled, {outcome.kept_turned_away} turned away."
    )


def _calibration(outcome: Outcome) -> str:
    return (
        f"Of {outcome.waited} people who waited at the door {outcome.waiting_turned_away} got no seat; on"
        f" {outcome.evenings_all_waiting_seated} of {outcome.evenings} evenings all of them got one (the advice aims"
        " at 9 of 10)."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    marks = ["---", *("--:" if rows and rows[0][place][:1].isdigit() else "---" for place in range(1, len(head)))]  # fmt: skip
    return [_line(head), f"|{'|'.join(marks)}|", *(_line(row) for row in rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "–"
