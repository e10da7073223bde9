"""What is simulated, and the tables that come out of it, in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simulate.habits import Habits, Theatre, assumptions
from simulate.loop import ALL, PARTS, steps
from simulate.outcome import Outcome
from simulate.season import Season

RATES = (0.1, 0.2, 0.4, 0.6)
AIMED = 0.4  # the no-show rate of the aim
_SEASONS_OF_AIM = 4  # each with other people: a season of few evenings says little
_HABITS = Habits()
# What people might do otherwise, each at the aimed rate with all parts.
_PEOPLE = {
    "half as many would wait at the door or near it": replace(
        _HABITS,
        waits_at_door=_HABITS.waits_at_door / 2,
        says_near=_HABITS.says_near / 2,
        says_near_lapsed=_HABITS.says_near_lapsed / 2,
        joins_near=_HABITS.joins_near / 2,
    ),
    "twice as many would wait at the door": replace(
        _HABITS, waits_at_door=_HABITS.waits_at_door * 2
    ),
    "twice as many say that they are near": replace(_HABITS, says_near=_HABITS.says_near * 2),
    "nobody joins the waitlist in the last hour": replace(_HABITS, joins_near=0),
    "nobody looks at the site again": replace(_HABITS, looks_again=0),
    "half as many take an offer": replace(
        _HABITS,
        takes_offer=_HABITS.takes_offer / 2,
        takes_late_offer=_HABITS.takes_late_offer / 2,
        takes_offer_near=_HABITS.takes_offer_near / 2,
    ),
    "who took an offer stays away as often as the others": replace(_HABITS, stays_away_less=1),
    "of those who would come, 60% confirm again": replace(_HABITS, confirms_again=0.6),
    "of those who would stay away, 40% confirm again": replace(_HABITS, says_so_and_stays_away=0.4),
    "reminders move half as many": replace(
        _HABITS,
        comes_after_all=_HABITS.comes_after_all / 2,
        gives_back_first=_HABITS.gives_back_first / 2,
        gives_back_second=_HABITS.gives_back_second / 2,
        gives_back_asked=_HABITS.gives_back_asked / 2,
    ),
    "people come 10 minutes later": replace(_HABITS, arrives_before=_HABITS.arrives_before - 10),
}


@dataclass(frozen=True)
class Plan:
    """The seasons of each table."""

    steps: Sequence[Season]
    without: Sequence[Season]
    others: Sequence[Season]  # all parts once more, with other people of the same habits
    people: Sequence[Season]  # who behave otherwise than assumed
    theatre: Sequence[Season]  # which does otherwise

    @property
    def aimed(self) -> list[Season]:
        """The steps at the rate of the aim; the last has all parts."""
        return [each for each in self.steps if each.no_show_rate == AIMED]

    @property
    def all(self) -> list[Season]:
        """Every season, the longest first: the processes end together then."""
        found = [*self.steps, *self.without, *self.others, *self.people, *self.theatre]
        return sorted(found, key=lambda season: not season.loop.standby)


def make_plan(theatre: Theatre, seed: int) -> Plan:
    """All seasons that are simulated."""

    def season(name: str, **facts: object) -> Season:
        made = Season(name, ALL, AIMED, theatre, _HABITS, seed)
        return replace(made, **facts)  # type: ignore[arg-type]  # names of its fields

    otherwise = {
        "no-shows' seats released 10 minutes before the curtain": {"release_minutes": 10},
        "released 20 minutes before": {"release_minutes": 20},
        "as many may wait as all get a seat on half of the evenings": {"sureness": 0.5},
        "as many as get one on 1 of 10": {"sureness": 0.1},
        "“confirm again” by 24 hours before the curtain": {"confirm_again_hours": 24},
        "1.2 seats wished for each seat": {"wishes": 1.2},
        "3 seats wished for each seat": {"wishes": 3.0},
    }
    return Plan(
        [season(name, loop=loop, no_show_rate=rate) for name, loop in steps() for rate in RATES],
        [season(f"without {name}", loop=ALL.without(part)) for part, name in PARTS.items()],
        [season(f"seed {each}", seed=each) for each in range(seed + 1, seed + _SEASONS_OF_AIM)],
        [season(name, habits=habits) for name, habits in _PEOPLE.items()],
        [
            season(name, theatre=replace(theatre, **facts))  # type: ignore[arg-type]
            for name, facts in otherwise.items()
        ],
    )


def write_tables(plan: Plan, found: Mapping[Season, Outcome]) -> str:
    """All tables, with what they were made of."""
    theatre = plan.steps[0].theatre
    everything = found[plan.aimed[-1]]
    as_assumed = replace(plan.aimed[-1], name="as assumed")
    found = {**found, as_assumed: everything}
    of_aim = sum((found[each] for each in plan.others), everything)
    house = (
        f"A house of {theatre.capacity} seats, {theatre.evenings} evenings in each season, {theatre.wishes:g} seats"
        " wished for each seat. Every setting is as shipped, but where “confirm again” is a part:"
        f" CONFIRM_AGAIN_HOURS is {theatre.confirm_again_hours} there. The seats of no-shows are released"
        f" {theatre.release_minutes} minutes before the curtain."
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
            (
                f"At {AIMED:.0%}, for each evening (mails of all kinds; whoever lost seats by silence would have come, and did"
                " not confirm again):"
            ),
            "",
            *_outcomes(plan.aimed, found),
            "",
            f"At {AIMED:.0%}, where the seats are, for each evening:",
            "",
            *_seats(plan.aimed, found),
            "",
            "With all parts but one:",
            "",
            *_outcomes(plan.without, found),
            "",
            "With all parts and other people of the same habits:",
            "",
            *_outcomes([as_assumed, *plan.others], found),
            "",
            "With all parts, if people behave otherwise than assumed:",
            "",
            *_outcomes([as_assumed, *plan.people], found),
            "",
            "With all parts, if the theatre does otherwise, or fewer or more people want seats:",
            "",
            *_outcomes([as_assumed, *plan.theatre], found),
            "",
            f"{_verdict(of_aim)} {_conditions(plan, found)} {_calibration(of_aim)}",
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
        "lost seats by silence", "of these came and were turned away", "near", "of these seated", "waited at the door", "of these turned away", "mails",
    ]  # fmt: skip
    rows = []
    for season in seasons:
        outcome, evenings = found[season], season.theatre.evenings
        people = (
            outcome.kept_turned_away,
            outcome.late_turned_away,
            outcome.lost_by_silence,
            outcome.lost_turned_away,
            outcome.near,
            outcome.near_seated,
            outcome.waited,
            outcome.waiting_turned_away,
            outcome.mails.total(),
        )
        share = _percent(outcome.filled, outcome.seats)
        rows.append([season.name, f"{share}%", *(f"{each / evenings:.1f}" for each in people)])
    return _table(head, rows)


def _seats(seasons: Sequence[Season], found: Mapping[Season, Outcome]) -> list[str]:
    head = [
        "", "not booked at the release", "released", "held for who did not come", "taken by people near", "by people who waited at the door",
        "by people who had lost theirs by silence or came late", "left empty",
    ]  # fmt: skip
    rows = []
    for season in seasons:
        outcome = found[season]
        waited = outcome.waited - outcome.waiting_turned_away
        empty = outcome.seats - outcome.filled
        free = outcome.unbooked + outcome.released + outcome.kept_empty
        seats = (
            outcome.unbooked,
            outcome.released,
            outcome.kept_empty,
            outcome.near_seated,
            waited,
            free - outcome.near_seated - waited - empty,
            empty,
        )
        rows.append([season.name, *(f"{each / season.theatre.evenings:.1f}" for each in seats)])
    return _table(head, rows)


def _is_reached(outcome: Outcome) -> bool:
    return outcome.filled >= 0.95 * outcome.seats and outcome.kept_turned_away == 0


def _conditions(plan: Plan, found: Mapping[Season, Outcome]) -> str:
    """Under which of the other conditions the aim is reached."""
    reached = [each.name for each in (*plan.people, *plan.theatre) if _is_reached(found[each])]
    return f"With the people of the first season, it is reached with: {'; '.join(reached) or 'none of these'}."


def _verdict(outcome: Outcome) -> str:
    reached = _is_reached(outcome)
    share = f"{100 * outcome.filled / outcome.seats:.1f}"
    return (
        f"The aim, at {AIMED:.0%}: 95% of the seats filled and nobody turned away who confirmed and kept their seats."
        f" **{'Reached' if reached else 'Not reached'}**: {share}% filled, {outcome.kept_turned_away} turned away on"
        f" {outcome.evenings} evenings with other people each (besides {outcome.late_turned_away} who came after the release)."
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
