"""A whole evening by script, with faults drawn from a seed: afterwards all that was said is in the books."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import expect

from azionelab.checkin.house import house_counts
from azionelab.database import db
from tests.support.door import Phone, tonight
from tests.support.evening import Evening
from tests.support.script_door import Door

pytestmark = pytest.mark.usefixtures("in_app")

_BOOKS = """
    SELECT scan.door,
           CASE WHEN reservation.performance_id = scan.performance_id AND NOT scan.walk_in
                THEN reservation.reference ELSE '' END AS party,
           -- Who was taken back is claimed no more.
           CASE WHEN undone_at IS NULL AND claim_undone_at IS NULL
                THEN coalesce(claimed, scan.people) END AS people,
           undone_at IS NOT NULL OR claim_undone_at IS NOT NULL AS undone
    FROM scan LEFT JOIN reservation ON reservation.id = reservation_id
    LEFT JOIN admission ON admission.scan_id = scan.id
    WHERE scan.performance_id = %s
"""
# Of each party: how many count as in, and as how many that must be.
_COUNTED = """
    SELECT reference, admitted, coalesce(sum(admission.people) FILTER (WHERE undone_at IS NULL), 0)
    FROM reservation LEFT JOIN admission ON admission.reservation_id = reservation.id
    WHERE performance_id = %s
    GROUP BY reservation.id
"""


def test_all_that_was_said_at_the_doors_is_in_the_books(
    make_phone: Callable[..., Phone],
    database: psycopg.Connection[Any],
    pytestconfig: pytest.Config,
) -> None:
    parties, doors, seed = (pytestconfig.getoption(name) for name in ("parties", "doors", "seed"))
    performance = tonight(capacity=5 * parties)
    evening = Evening(performance, tonight(), parties, seed)
    for number in range(doors):
        name = f"Door {number + 1}"
        phone = make_phone().joins(performance, name)
        phone.works_alone()
        evening.doors.append(Door(phone, name, evening.log))
    evening.goes_on()
    said = Counter(
        (one.door, one.reference, None if one.undone else one.people, one.undone)
        for one in evening.log
    )
    books = Counter(map(tuple, database.execute(_BOOKS, [performance.id]).fetchall()))
    assert (said - books, books - said) == (Counter(), Counter()), f"--seed {seed}"
    for reference, admitted, counted in database.execute(_COUNTED, [performance.id]).fetchall():
        assert (reference, admitted) == (reference, counted)
    db.session.rollback()
    house = house_counts([performance.id])[performance.id]
    # By the word of those who let them in, whatever the books could count.
    inside = sum(one.people for one in evening.log if not one.undone)
    for window in (window for door in evening.doors for window in door.windows):
        expect(window.count("in_building")).to_have_text(str(inside))
        for name in ("expected", "inside", "to_come", "free"):
            expect(window.count(name)).to_have_text(str(getattr(house, name)))
