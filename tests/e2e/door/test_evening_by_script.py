"""A whole evening by script, with faults drawn from a seed: afterwards all that was said is in the books."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import expect

from azionelab.checkin.house.counts import house_counts
from azionelab.database import db
from azionelab.staff.tokens import Scope, issue_token
from tests.support.door import Phone, tonight
from tests.support.evening import Evening
from tests.support.people import logged_in
from tests.support.script_door import Door
from tests.support.spoken import People, Word, people_of

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]

_PARTY = """
    CASE WHEN reservation.performance_id = scan.performance_id AND NOT scan.walk_in
         THEN reservation.reference ELSE '' END
"""
_THROUGH = """
    FROM scan LEFT JOIN reservation ON reservation.id = reservation_id
    LEFT JOIN admission ON admission.scan_id = scan.id
    LEFT JOIN passage ON passage.scan_id = scan.id
    WHERE scan.performance_id = %s
"""
_BOOKS = f"""
    SELECT scan.door, {_PARTY} AS party, scan.way, undone,
           -- Who was taken back is claimed no more.
           CASE WHEN NOT undone THEN coalesce(claimed, people) END AS people
    FROM (
        SELECT scan.*,
               coalesce(admission.undone_at, passage.undone_at, claim_undone_at) IS NOT NULL AS undone
        {_THROUGH}
    ) AS scan LEFT JOIN reservation ON reservation.id = reservation_id
"""
# Of each party: how many count as in, as how many that must be, and so of those who are out.
_COUNTED = """
    SELECT reference, admitted, outside,
           (SELECT coalesce(sum(people), 0) FROM admission
            WHERE reservation_id = reservation.id AND undone_at IS NULL) AS entered,
           (SELECT coalesce(sum(people), 0) FROM passage
            WHERE reservation_id = reservation.id AND undone_at IS NULL) AS gone
    FROM reservation WHERE performance_id = %s
"""
# Of each party, and of all who have no ticket: who is out, who is inside as far as phones told, and how many were let
# out whom the books could not count as in.
_INSIDE = f"""
    SELECT party, sum(gone) AS outside,
           sum(entered - gone + CASE WHEN way = 'out' THEN 0
                                ELSE greatest(claimed - entered + gone, 0) END) AS inside,
           sum(CASE WHEN way = 'out' THEN greatest(claimed - people, 0) ELSE 0 END) AS not_counted
    FROM (
        SELECT {_PARTY} AS party, scan.way, coalesce(claimed, 0) AS claimed, scan.people,
               CASE WHEN admission.undone_at IS NULL THEN coalesce(admission.people, 0) ELSE 0 END AS entered,
               CASE WHEN passage.undone_at IS NULL THEN coalesce(passage.people, 0) ELSE 0 END AS gone
        {_THROUGH}
    ) AS attempt GROUP BY party
"""
# Who was let out and not counted, by the phones that are still doors.
_NOT_COUNTED = """
    SELECT scan.id::text AS scan, claimed, people FROM scan JOIN api_token ON api_token.id = token_id
    WHERE scan.performance_id = %s AND way = 'out' AND revoked_at IS NULL
    AND claimed > people AND claim_undone_at IS NULL
"""


def test_all_that_was_said_at_the_doors_is_in_the_books(
    app: Flask,
    make_phone: Callable[..., Phone],
    database: Database,
    pytestconfig: pytest.Config,
) -> None:
    parties, doors, seed = (pytestconfig.getoption(name) for name in ("parties", "doors", "seed"))
    performance, staff = tonight(capacity=5 * parties), logged_in(app, "staff")
    evening = Evening(performance, tonight(), parties, seed, staff)
    for number in range(doors):
        name = f"Door {number + 1}"
        phone = make_phone().joins(performance, name)
        phone.works_alone()
        evening.doors.append(Door(phone, name, evening.log))
    evening.goes_on()
    is_equal_to_the_log(evening, database)
    for party in database.execute(_COUNTED, [performance.id]).fetchall():
        assert (party.admitted, party.outside) == (party.entered, party.gone), party.reference
        assert 0 <= party.outside <= party.admitted
    inside, outside = is_as_many_as_was_said(evening, database)
    phones_tell_of_who_was_not_counted(evening, database)
    is_told(evening, app, staff, inside, outside)


def is_equal_to_the_log(evening: Evening, database: Database) -> None:
    """Each word is an attempt in the books, and each attempt a word.

    Two things may differ. A phone that lets people in by an old list does not know that they were out: in the books
    they are in again. And an undo takes back with it who went through other doors by what is undone (`is_tangled`):
    there as many attempts were made as words said.
    """
    is_tangled = {reference: evening.log.is_tangled(reference) for reference in _parties(evening)}
    books = database.execute(_BOOKS, [evening.performance.id]).fetchall()
    plain = Counter(tuple(row) for row in books if not is_tangled.get(row.party))
    words = [word for word in evening.log.words if not is_tangled[word.reference]]
    said = Counter(_facts(word) for word in words)
    unknown = _by_old_lists(words, said - plain)
    assert (said - plain, plain - said) == (unknown, _as_in_again(unknown))
    tangled = [
        (word.door, word.reference) for word in evening.log.words if is_tangled[word.reference]
    ]
    assert Counter(tangled) == Counter(
        (row.door, row.party) for row in books if is_tangled.get(row.party)
    )


def _parties(evening: Evening) -> set[str]:
    return {word.reference for word in evening.log.words}


def _facts(word: Word) -> tuple[str, str, str, bool, int | None]:
    people = None if word.undone else word.people
    return word.door, word.reference, word.way, word.undone, people


def _by_old_lists(words: list[Word], differing: Counter[Any]) -> Counter[Any]:
    """Of words that are not in the books as they were said, those of a phone alone about who comes in."""
    alone = Counter(_facts(word) for word in words if word.alone and word.way != "out")
    return differing & alone


def _as_in_again(words: Counter[Any]) -> Counter[Any]:
    """The same, with the other way of coming in."""
    other = {"in": "again", "again": "in"}
    return Counter(
        {(door, party, other[way], *rest): n for (door, party, way, *rest), n in words.items()}
    )


def is_as_many_as_was_said(evening: Evening, database: Database) -> tuple[int, int]:
    """How many are inside by the books, and out, as it follows from the log.

    By the word of those who let them in everybody is in, whatever the books could count. Who was let out and could
    not be counted is in as well. What an undo took with it is bounded by what was undone.
    """
    figures = database.execute(_INSIDE, [evening.performance.id]).fetchall()
    for party in figures:
        words = evening.log.of(party.party)
        said, undone = people_of(words), people_of(words, undone=True)
        may_differ = undone if evening.log.is_tangled(party.party) else People(0, 0, 0)
        least = said.inside + party.not_counted - may_differ.left
        most = said.inside + party.not_counted + may_differ.returned + may_differ.entered
        assert least <= party.inside <= most, (party, words)
    return sum(party.inside for party in figures), sum(party.outside for party in figures)


def phones_tell_of_who_was_not_counted(evening: Evening, database: Database) -> None:
    """Each phone shows whom it let out beyond the books, who are still on the figure."""
    for scan, claimed, counted in database.execute(
        _NOT_COUNTED, [evening.performance.id]
    ).fetchall():
        told = [aside for door in evening.doors for aside in door.phone.keeps()["aside"]]
        assert (scan, claimed, counted) in [
            (aside["scanId"], aside["people"], aside["counted"]) for aside in told
        ]


def is_told(evening: Evening, app: Flask, staff: FlaskClient, inside: int, outside: int) -> None:
    """The page of staff, the API and every window of every phone tell the same."""
    db.session.rollback()
    page = staff.get(f"/admin/evenings/{evening.performance.id}").text
    assert f'<p class="figure">{inside}</p>' in page
    assert re.findall(r"Out during the interval: (\d+)\.", page) == [str(outside)] * (outside > 0)
    _, token = issue_token("Board", Scope.SCAN, 1)
    address = f"/api/v1/checkin/performances/{evening.performance.id}"
    headers = {"Authorization": f"Bearer {token}"}
    counts = app.test_client().get(address, headers=headers).json
    assert (counts["in_building"], counts["outside"]) == (inside, outside)
    house = house_counts([evening.performance.id])[evening.performance.id]
    told = f"out during the interval: {outside}" if outside else ""
    for window in (window for door in evening.doors for window in door.windows):
        expect(window.count("in_building")).to_have_text(str(inside))
        expect(window.page.locator("[data-outside]")).to_have_text(told)
        for name in ("expected", "inside", "to_come", "free"):
            expect(window.count(name)).to_have_text(str(getattr(house, name)))
