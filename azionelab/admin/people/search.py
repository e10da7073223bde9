"""Finds people among all reservations by the index of the migration people_search. Reads only.

A person is a mailbox; where there is none, a name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import joinedload, load_only

from azionelab.admin.people.keys import NearWords, exact_keys, near_keys, words_of
from azionelab.bookings.models import Reservation
from azionelab.bookings.people.persons import OF_PEOPLE
from azionelab.database import db
from azionelab.shows.models import Performance, Show

MAX_PEOPLE = 50  # of one result, and of those that are written alike
MAX_BOOKINGS = 4  # of each person in a result; their own page has all
_MAX_EXACT = 10_000  # reservations with a text that are grouped by person
_MAX_CANDIDATES = 5_000  # reservations whose words are compared for typing errors
_KEYS = func.public.search_keys(
    Reservation.name,
    Reservation.email,
    Reservation.reference,
    Reservation.note,
    Reservation.contact,
)
_WHO = func.coalesce(Reservation.email_key, Reservation.name)


@dataclass(frozen=True)
class Person:
    """Somebody with their newest bookings, and how many they have in all."""

    newest: Reservation
    bookings: list[Reservation]
    number: int

    @property
    def other_names(self) -> list[str]:
        """Names in their bookings besides the newest."""
        return sorted({one.name for one in self.bookings} - {self.newest.name})


@dataclass(frozen=True)
class FoundPeople:
    """People who have the text, those with the newest booking first, and people written nearly so."""

    exact: list[Person]
    near: list[Person]
    more: bool  # there are others beyond MAX_PEOPLE


def find_people(typed: str) -> FoundPeople:
    """Find people by name, address, reference or note, with at most one typing error."""
    exact = _who_has(has_text(typed))
    near: dict[str, None] = {}
    # An address or a reference that somebody has is typed right; nearly so it is that of others.
    is_code = "@" in typed or any(map(str.isdigit, typed))
    if len(exact) <= MAX_PEOPLE and not (exact and is_code):
        known = set(exact)
        others = (who for _identity, who in _near_rows(typed) if who not in known)
        while len(near) < MAX_PEOPLE and (who := next(others, None)) is not None:
            near[who] = None
    people = _people([*exact[:MAX_PEOPLE], *near])
    return FoundPeople(
        [people[who] for who in exact[:MAX_PEOPLE] if who in people],
        [people[who] for who in near if who in people],
        more=len(exact) > MAX_PEOPLE,
    )


def has_text(typed: str) -> ColumnElement[bool]:
    """The condition that a reservation has all words of a text; false for a text without letters."""
    return _has_any(exact_keys(typed))


def has_text_or_nearly(typed: str) -> ColumnElement[bool]:
    """The same; where no reservation has the text, that it has it with one typing error."""
    found = has_text(typed)
    if db.session.scalar(select(exists().where(found))):
        return found
    return Reservation.id.in_([identity for identity, _who in _near_rows(typed)])


def _has_any(alternatives: list[set[str]]) -> ColumnElement[bool]:
    return or_(
        *(_KEYS.op("@>")(cast(sorted(keys), ARRAY(Text))) for keys in alternatives or [{"\x01"}])
    )


def _who_has(found: ColumnElement[bool]) -> list[str]:
    """The mailboxes or names of the reservations that meet a condition, one more than MAX_PEOPLE."""
    # Of a text that nearly all have, such as "com", not all are looked at.
    some = (
        select(_WHO.label("who"), Reservation.created_at)
        .where(found, *OF_PEOPLE)
        .limit(_MAX_EXACT)
        .subquery()
    )
    return list(
        db.session.scalars(
            select(some.c.who)
            .group_by(some.c.who)
            .order_by(func.max(some.c.created_at).desc(), some.c.who)
            .limit(MAX_PEOPLE + 1)
        )
    )


def _near_rows(typed: str) -> Iterator[tuple[UUID, str]]:
    """The reservations that have a text with one typing error, and whose they are."""
    alternatives = near_keys(typed)
    if not alternatives:
        return
    text = func.concat_ws(
        " ",
        Reservation.name,
        Reservation.note,
        Reservation.contact,
        Reservation.email,
        Reservation.reference,
    )
    rows = db.session.execute(
        select(Reservation.id, _WHO, text)
        .where(_has_any(alternatives), *OF_PEOPLE)
        .limit(_MAX_CANDIDATES)
    )
    near = NearWords(typed)
    yield from ((identity, who) for identity, who, known in rows if near.match(words_of(known)))


def _people(wanted: list[str]) -> dict[str, Person]:
    """The people of these mailboxes or names, in one statement."""
    if not wanted:
        return {}
    who = _WHO.label("who")
    numbered = (
        select(
            Reservation.id,
            who,
            func.count().over(partition_by=_WHO).label("number"),
            func.row_number()
            .over(partition_by=_WHO, order_by=Reservation.created_at.desc())
            .label("place"),
        )
        .where(
            or_(
                Reservation.email_key.in_(wanted),
                and_(Reservation.email_key.is_(None), Reservation.name.in_(wanted)),
            ),
            *OF_PEOPLE,
        )
        .subquery()
    )
    rows = db.session.execute(
        select(Reservation, numbered.c.who, numbered.c.number)
        .join(numbered, numbered.c.id == Reservation.id)
        .where(numbered.c.place <= MAX_BOOKINGS)
        .order_by(numbered.c.place)
        .options(
            joinedload(Reservation.performance)
            .load_only(Performance.starts_at, Performance.cancelled_at)
            .joinedload(Performance.show)
            .options(load_only(Show.title))
        )
    )
    people: dict[str, Person] = {}
    for reservation, one, number in rows:
        people.setdefault(one, Person(reservation, [], number)).bookings.append(reservation)
    return people
