"""Who books which evening, and when: drawn from a seeded generator, so that each run gives the same people."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from azionelab.demo.programme import CLOSES_BEFORE, OPENS_BEFORE, Evening

PARTY_LIMIT = 6
_SIZES = (1, 1, 2, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6)
_FIRST = """
Ada Agnese Alba Alessio Anna Bruno Carla Cecilia Chiara Dario Davide Diego Elena Elia Elisa Enea Fabio Federica
Filippo Fiorenza Gaia Giacomo Gianni Giulia Ilaria Irene Jacopo Lara Lea Leonardo Lidia Livia Lorenzo Luca Lucia
Maddalena Marco Margherita Marta Matteo Mirella Nadia Nicola Nives Olga Ottavio Paolo Pietro Rita Rocco Sara
Silvio Sofia Teresa Tommaso Ugo Valeria Viola Vittorio Zeno
"""
_LAST = """
Albertini Amadori Baldi Barbieri Bassi Benassi Bertelli Bonetti Brandi Caselli Cattani Cesari Conti Corsini Costa
D'Amico De_Angelis Donati Fabbri Farnè Ferri Fontana Galli Gandolfi Ghedini Giordano Grandi Landi Lodi Magnani
Malaguti Mancini Marchesi Melloni Monti Morandi Nanni Neri Orsini Pagani Parisi Pellegrini Pirazzoli Raimondi
Righi Rinaldi Rossetti Sabbatini Salvi Santi Serra Tassinari Testa Toschi Valli Ventura Villani Zanetti Zucchini
"""
_FOREIGN = (
    "Emma Clarke",
    "Jonas Weber",
    "Zoë Martin",
    "Siobhán Kelly",
    "Łukasz Nowak",
    "Noor Haddad",
)
_REGULARS = 70  # people who come again and again
_REGULAR_SHARE = 0.35
_NOTES = (
    "Stampelle: posto a fine fila",
    "Compleanno di Nonna Alba, 80 anni",
    "Arrivano con un passeggino",
    "Scuola media Da Vinci, prof.ssa Neri",
    "Cane guida",
)


class Fate(StrEnum):
    """What becomes of a booking."""

    CONFIRMED = "confirmed"
    REDUCED = "reduced"  # confirmed, later with fewer people
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PENDING = "pending"
    WAITING = "waiting"  # pending without seats


@dataclass(frozen=True)
class Person:
    """Who books."""

    name: str
    email: str
    locale: str


@dataclass(frozen=True)
class Booking:
    """One booking of one evening. `decided_at` is when it was confirmed or ended."""

    person: Person
    seats: int
    booked_at: datetime
    decided_at: datetime
    fate: Fate
    note: str = ""
    wheelchair_places: int = 0

    @property
    def seats_kept(self) -> int:
        """The seats after a reduction."""
        return self.seats - 1 if self.fate is Fate.REDUCED else self.seats


class Audience:
    """The people of the town, who book in the order of a seed."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._first_names = _FIRST.split()
        self._last_names = [name.replace("_", " ") for name in _LAST.split()]
        self._regulars = [self._somebody() for _ in range(_REGULARS)]

    def bookings(self, evening: Evening, at: datetime) -> list[Booking]:
        """The bookings of an evening that were made until `at`, in order of time; they fit its places."""
        random, venue = self._random, evening.venue
        left = venue.capacity - venue.wheelchair_places + evening.wheelchair_parties
        wanted = evening.show.appeal * evening.appeal * venue.capacity
        made: list[Booking] = []
        for person in self._guests():
            if wanted <= 0:
                break
            seats = random.choice(_SIZES)
            wanted -= seats
            booking = self._booking(person, seats, evening, at)
            ended = booking.fate in (Fate.CANCELLED, Fate.EXPIRED)
            if booking.booked_at < at and (ended or seats <= left):
                made.append(booking)
                left -= 0 if ended else booking.seats_kept
        coming = [place for place, each in enumerate(made) if each.fate is Fate.CONFIRMED]
        for place in coming[: evening.wheelchair_parties]:
            made[place] = replace(made[place], wheelchair_places=1)
        return sorted(made, key=lambda booking: booking.booked_at)

    def fresh_bookings(self, at: datetime, taken: set[str], left: int) -> list[Booking]:
        """Bookings of the last minutes that nobody has confirmed yet, and one that found no seats to hold."""
        random = self._random
        made = []
        for fate, seats in ((Fate.PENDING, 2), (Fate.PENDING, 4), (Fate.WAITING, 2)):
            person = next(each for each in self._guests() if each.email not in taken)
            taken.add(person.email)
            moment = at - timedelta(minutes=random.uniform(1, 20))
            if fate is Fate.WAITING or seats <= left:
                made.append(Booking(person, seats, moment, moment, fate))
                left -= seats
        return made

    def _booking(self, person: Person, seats: int, evening: Evening, at: datetime) -> Booking:
        random = self._random
        # Half of the people book in the last week, some on the first day.
        longest = (OPENS_BEFORE - CLOSES_BEFORE) / timedelta(hours=1)
        lead = (
            longest - random.uniform(0, 30)
            if random.random() < 0.12
            else random.expovariate(1 / 150)
        )
        booked_at = evening.starts_at - CLOSES_BEFORE - timedelta(hours=min(lead, longest))
        booked_at = _by_day(booked_at, random)
        fate = random.choices(
            (Fate.CONFIRMED, Fate.REDUCED, Fate.CANCELLED, Fate.EXPIRED), (82, 3, 8, 7)
        )[0]
        if fate is Fate.REDUCED and seats == 1:
            fate = Fate.CONFIRMED
        decided_at = booked_at + timedelta(minutes=random.expovariate(1 / 6))
        if fate is Fate.CANCELLED:
            decided_at = booked_at + (evening.starts_at - booked_at) * random.uniform(0.3, 0.95)
        elif fate is Fate.EXPIRED:
            decided_at = booked_at + timedelta(minutes=31)
        if decided_at > at:
            decided_at, fate = booked_at + timedelta(seconds=20), Fate.CONFIRMED
        note = random.choice(_NOTES) if random.random() < 0.04 else ""
        return Booking(person, seats, booked_at, decided_at, fate, note)

    def _guests(self) -> Iterator[Person]:
        """People without end, nobody twice."""
        seen: set[str] = set()
        while True:
            regular = self._random.random() < _REGULAR_SHARE
            person = self._random.choice(self._regulars) if regular else self._somebody()
            if person.email not in seen:
                seen.add(person.email)
                yield person

    def _somebody(self) -> Person:
        random = self._random
        if random.random() < 0.06:
            name, locale = random.choice(_FOREIGN), "en"
        else:
            name = f"{random.choice(self._first_names)} {random.choice(self._last_names)}"
            locale = "it"
        plain = name.lower().translate(str.maketrans("èëáł' ", "eeal-."))
        return Person(name, f"{plain}{random.randrange(10, 99)}@example.org", locale)


def _by_day(moment: datetime, random: Random) -> datetime:
    """The moment, moved from the small hours to the day before."""
    return moment - timedelta(hours=random.uniform(6, 12)) if moment.hour in range(7) else moment
