"""What was said at the doors of the evening by script, and by whom a door may be ignorant of it (docs/door-app.md)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(eq=False)
class Word:
    """What a door said once: how many of a party went through it, unless it took that back.

    `reference` is empty for people without a ticket and for codes that name nobody of this evening. `way` is that of
    a scan: "in", "out" or "again". `alone` was a door that had no network, or something to tell.
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
    def may_take_others_back(self) -> bool:
        """Whether others may have gone through a door by it until the server knew that it was undone."""
        return self.undone and (self.alone or self.undone_later)


class People(NamedTuple):
    """How many came, went out and came back, by what the doors said."""

    entered: int
    left: int
    returned: int

    @property
    def outside(self) -> int:
        return self.left - self.returned

    @property
    def inside(self) -> int:
        return self.entered - self.outside


def people_of(words: Iterable[Word], *, undone: bool = False) -> People:
    """Who went through the doors by these words; or by those that were undone."""
    sums = Counter[str]()
    for word in words:
        if word.undone is undone:
            sums[word.way] += word.people
    return People(sums["in"], sums["out"], sums["again"])


@dataclass
class Log:
    """All that was said, in its order, and the doors whose word somebody may not have known."""

    words: list[Word] = field(default_factory=list)

    def of(self, reference: str) -> list[Word]:
        """What was said of a party; of people without a ticket together."""
        return [word for word in self.words if word.reference == reference]

    def is_tangled(self, reference: str) -> bool:
        """Whether an undo may have taken back with it who went through other doors since.

        With an exit those who came back, which by an old list is "in" as well; with others those who went out. People
        without a ticket who never came in take back at once whoever is out in their place.
        """
        words = [word for word in self.of(reference) if word.people]
        undone = {
            word.way
            for word in words
            if word.may_take_others_back or (word.undone and reference == "" and word.way == "in")
        }
        have_left = any(word.way == "out" for word in words)
        have_returned = any(
            word.way == "again" or (word.alone and word.way == "in") for word in words
        )
        return ("out" in undone and have_returned) or (have_left and bool(undone & {"in", "again"}))

    def contradicts(self, word: Word, seats: int) -> bool:
        """Whether a door says of a party what cannot be, by all that was said of it before.

        Nothing is said of a party of which more went through the doors than can have: there the doors have
        contradicted each other already.
        """
        earlier = self.words[: self.words.index(word)]
        before = people_of(one for one in earlier if one.reference == word.reference)
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
        return word.people > able.get(word.kind, word.people) or denied.get(word.kind, 0) > 0

    def speakers(self, reference: str) -> set[str]:
        """The doors that said something of a party."""
        return {word.door for word in self.of(reference)}
