"""Who comes to the sale, and how they behave. All of it is assumed; the same seed gives the same people."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

IMPATIENT_SHARE, SCRIPT_SHARE = 0.1, 0.2
NETWORKS, PLACES_PER_NETWORK = (
    40,
    10,
)  # of scripts: at most so many networks, at least so many places each
EARLY = 0.85  # of the people come before the opening, and so take part in the lot
HIDDEN = 1 / 3  # of the people look at another tab while they wait
GIVES_UP, FORGETS = 0.15, 0.1  # of those let in do not book; of those who booked do not confirm
PARTIES = (1, 2, 2, 2, 3, 4)  # seats
SCRIPT_WANTS = 6  # seats: as many as the performance allows; it takes what the form offers
RELOADS_EVERY = 10.0  # seconds from one reload of an impatient visitor to the next, on average


class Kind(StrEnum):
    """How somebody behaves."""

    PATIENT = "people who wait"
    IMPATIENT = "impatient people"
    SCRIPT = "scripts"


@dataclass(frozen=True)
class Person:
    """A mailbox, and what is done with it. Times are in seconds.

    `arrives` counts from the opening, negative before it. `decides` passes between being let in and pressing the button,
    `types` on each form, `reads_mail` between the booking and the confirmation; None means never.
    """

    kind: Kind
    number: int
    address: str
    arrives: float
    seats: int
    types: float
    decides: float | None
    reads_mail: float | None
    hidden: bool = False

    def wishes(self, most: int) -> int:
        """How many seats they book when a booking has `most` at most; 0 of who gives up."""
        return 0 if self.decides is None else min(self.seats, most)

    @property
    def mailbox(self) -> str:
        """The e-mail address."""
        return f"{self.kind.name.lower()}-{self.number}@example.org"


def draw_people(visitors: int, before: float, after: float, seed: int) -> list[Person]:
    """So many visitors, who come from `before` seconds before the opening to `after` seconds after it."""
    chance = random.Random(seed)
    scripts, impatient = round(visitors * SCRIPT_SHARE), round(visitors * IMPATIENT_SHARE)
    kinds = [Kind.IMPATIENT] * impatient + [Kind.PATIENT] * (visitors - scripts - impatient)
    people = [_draw_person(chance, kind, n, before, after) for n, kind in enumerate(kinds)]
    return [*people, *_draw_scripts(chance, scripts, before)]


def _draw_person(
    chance: random.Random, kind: Kind, number: int, before: float, after: float
) -> Person:
    arrives = -chance.random() * before if chance.random() < EARLY else chance.random() * after
    decides = chance.lognormvariate(2.3, 0.8)  # median 10 seconds, some take minutes
    reads_mail = chance.lognormvariate(2.7, 0.7)
    return Person(
        kind,
        number,
        address=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        arrives=arrives,
        seats=chance.choice(PARTIES),
        types=chance.uniform(3, 12),
        decides=None if chance.random() < GIVES_UP else decides,
        reads_mail=None if chance.random() < FORGETS else reads_mail,
        hidden=kind is Kind.PATIENT and chance.random() < HIDDEN,
    )


def _draw_scripts(chance: random.Random, places: int, before: float) -> Iterator[Person]:
    networks = max(1, min(NETWORKS, places // PLACES_PER_NETWORK))
    for number in range(places):
        yield Person(
            Kind.SCRIPT,
            number,
            address=f"198.18.{number % networks}.1",
            arrives=-before * chance.uniform(0.8, 1),
            seats=SCRIPT_WANTS,
            types=2.5,  # what a form must take at least (FORM_MIN_SECONDS)
            decides=0,
            reads_mail=1,
        )
