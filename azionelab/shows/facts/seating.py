"""Places of a house: ordinary seats, and wheelchair places beside them."""

from dataclasses import dataclass
from typing import Self

from flask_babel import ngettext


@dataclass(frozen=True, slots=True)
class Places:
    """So many ordinary `seats` and so many `wheelchair` places: free, held or wanted.

    The two are counted apart: an ordinary seat is no wheelchair place, nor the other way round.
    """

    seats: int = 0
    wheelchair: int = 0

    @classmethod
    def of_party(cls, people: int, wheelchair: int) -> Self:
        """The places of a party of so many `people`, of whom `wheelchair` need a wheelchair place."""
        return cls(people - wheelchair, wheelchair)

    def __str__(self) -> str:
        """For keys: without wheelchair places as the previous release wrote them."""
        return f"{self.total}+{self.wheelchair}" if self.wheelchair else str(self.total)

    @property
    def total(self) -> int:
        """How many people they are for."""
        return self.seats + self.wheelchair

    @property
    def words(self) -> str:
        """For people: "3 seats, 1 of them a wheelchair place"."""
        if not self.seats and self.wheelchair:
            return describe_wheelchair_places(self.wheelchair)
        seats = ngettext("%(num)s seat", "%(num)s seats", self.total)
        if not self.wheelchair:
            return seats
        return ngettext(
            "%(seats)s, %(num)s of them a wheelchair place",
            "%(seats)s, %(num)s of them wheelchair places",
            self.wheelchair,
            seats=seats,
        )

    def hold(self, wanted: Self) -> bool:
        """Whether the places `wanted` are among them."""
        return not (wanted - self).missing_none.total

    @property
    def missing_none(self) -> Self:
        """The same without negative numbers."""
        return type(self)(max(0, self.seats), max(0, self.wheelchair))

    def of_fewer(self, people: int) -> Self:
        """The places of a party that gets smaller: whoever stays keeps a wheelchair place, ordinary seats go first."""
        return self.of_party(people, min(self.wheelchair, people))

    def __add__(self, other: Self) -> Self:
        return type(self)(self.seats + other.seats, self.wheelchair + other.wheelchair)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.seats - other.seats, self.wheelchair - other.wheelchair)


def describe_wheelchair_places(count: int) -> str:
    """So many wheelchair places, in words."""
    return ngettext("%(num)s wheelchair place", "%(num)s wheelchair places", count)
