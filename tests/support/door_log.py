"""The simulation's log: the doors' verdicts, and which of them may contradict others (docs/door-app.md)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(eq=False)
class Report:
    """One verdict of a door: how many of a party went through it, unless it was undone.

    `reference` is empty for people without a ticket and for codes of no party of this performance. `way` is the scan's:
    "in", "out" or "again". `alone`: the door was offline or had unsent reports.
    """

    door: str
    reference: str
    people: int
    way: str = "in"
    kind: str = ""
    alone: bool = False
    undone: bool = False
    undone_later: bool = False

    @property
    def may_undo_others(self) -> bool:
        """Whether other doors may have acted on it before the server knew that it was undone."""
        return self.undone and (self.alone or self.undone_later)


class People(NamedTuple):
    """How many people came, went out and came back."""

    entered: int
    left: int
    returned: int

    @property
    def outside(self) -> int:
        return self.left - self.returned

    @property
    def inside(self) -> int:
        return self.entered - self.outside


def people_of(reports: Iterable[Report], *, undone: bool = False) -> People:
    """Sum the reports that were not undone, or only the undone ones."""
    sums = Counter[str]()
    for report in reports:
        if report.undone is undone:
            sums[report.way] += report.people
    return People(sums["in"], sums["out"], sums["again"])


@dataclass
class Log:
    """All reports in order."""

    reports: list[Report] = field(default_factory=list)

    def of(self, reference: str) -> list[Report]:
        """The reports about a party; "" for all people without a ticket."""
        return [report for report in self.reports if report.reference == reference]

    def is_ambiguous(self, reference: str) -> bool:
        """Whether an undo may also have undone later passages at other doors.

        Undoing an exit undoes the return, which with an old list is an "in"; undoing an entry undoes the exit. Undoing
        an entry of people without a ticket also undoes an exit of others without a ticket.
        """
        reports = [report for report in self.of(reference) if report.people]
        undone = {
            report.way
            for report in reports
            if report.may_undo_others or (report.undone and reference == "" and report.way == "in")
        }
        have_left = any(report.way == "out" for report in reports)
        have_returned = any(
            report.way == "again" or (report.alone and report.way == "in") for report in reports
        )
        return ("out" in undone and have_returned) or (have_left and bool(undone & {"in", "again"}))

    def contradicts(self, report: Report, seats: int) -> bool:
        """Whether a report is impossible after all earlier reports about the party.

        Always False when the earlier reports are impossible together: then the doors have contradicted each other
        already.
        """
        earlier = self.reports[: self.reports.index(report)]
        before = people_of(one for one in earlier if one.reference == report.reference)
        if not 0 <= before.outside <= before.entered <= seats:
            return False
        able = {
            "admitted": seats - before.entered,
            "let_out": before.inside,
            "in_again": before.outside,
        }
        denied = {
            "already_in": before.outside,
            "none_in": before.inside,
            "none_out": before.outside,
        }
        return (
            report.people > able.get(report.kind, report.people) or denied.get(report.kind, 0) > 0
        )

    def reporting_doors(self, reference: str) -> set[str]:
        """The doors with a report about a party."""
        return {report.door for report in self.of(reference)}
