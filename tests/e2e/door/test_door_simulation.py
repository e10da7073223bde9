"""Simulates the doors of a performance with random faults; afterwards log, database and phones must agree."""

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
from tests.support.door_log import People, Report, people_of
from tests.support.door_simulation import DoorSimulation
from tests.support.people import logged_in
from tests.support.simulated_door import SimulatedDoor

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
_SCANS = f"""
    SELECT scan.door, {_PARTY} AS party, scan.way, undone,
           -- Undone people are no longer claimed.
           CASE WHEN NOT undone THEN coalesce(claimed, people) END AS people
    FROM (
        SELECT scan.*,
               coalesce(admission.undone_at, passage.undone_at, claim_undone_at) IS NOT NULL AS undone
        {_THROUGH}
    ) AS scan LEFT JOIN reservation ON reservation.id = reservation_id
"""
# Each party's counters of people in and out, and the sums that they must equal.
_COUNTED = """
    SELECT reference, admitted, outside,
           (SELECT coalesce(sum(people), 0) FROM admission
            WHERE reservation_id = reservation.id AND undone_at IS NULL) AS entered,
           (SELECT coalesce(sum(people), 0) FROM passage
            WHERE reservation_id = reservation.id AND undone_at IS NULL) AS gone
    FROM reservation WHERE performance_id = %s
"""
# For each party, and for all people without a ticket: who is out, who is inside by the phones' claims, and how many were
# let out that could not be counted.
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
# People let out but not counted, by the phones that are not revoked.
_NOT_COUNTED = """
    SELECT scan.id::text AS scan, claimed, people FROM scan JOIN api_token ON api_token.id = token_id
    WHERE scan.performance_id = %s AND way = 'out' AND revoked_at IS NULL
    AND claimed > people AND claim_undone_at IS NULL
"""


def test_everything_reported_at_the_doors_is_in_the_database(
    app: Flask,
    make_phone: Callable[..., Phone],
    database: Database,
    pytestconfig: pytest.Config,
) -> None:
    parties, doors, seed = (pytestconfig.getoption(name) for name in ("parties", "doors", "seed"))
    performance, staff = tonight(capacity=5 * parties), logged_in(app, "staff")
    simulation = DoorSimulation(performance, tonight(), parties, seed, staff)
    for number in range(doors):
        name = f"SimulatedDoor {number + 1}"
        phone = make_phone().join(performance, name)
        phone.wait_until_installed()
        simulation.doors.append(SimulatedDoor(phone, name, simulation.log))
    simulation.run()
    assert_scans_match_log(simulation, database)
    for party in database.execute(_COUNTED, [performance.id]).fetchall():
        assert (party.admitted, party.outside) == (party.entered, party.gone), party.reference
        assert 0 <= party.outside <= party.admitted
    inside, outside = assert_totals_match_log(simulation, database)
    assert_phones_show_uncounted(simulation, database)
    assert_totals_are_shown(simulation, app, staff, inside, outside)


def assert_scans_match_log(simulation: DoorSimulation, database: Database) -> None:
    """Each report is a scan in the database, and each scan a report.

    Two differences are allowed. A phone with an old list does not know that people were out, so its "in" is recorded
    as "in again". An undo also undoes passages at other doors that depended on it (`is_ambiguous`): for those parties
    only the number of scans must match.
    """
    is_ambiguous = {
        reference: simulation.log.is_ambiguous(reference) for reference in _parties(simulation)
    }
    scans = database.execute(_SCANS, [simulation.performance.id]).fetchall()
    plain = Counter(tuple(row) for row in scans if not is_ambiguous.get(row.party))
    reports = [report for report in simulation.log.reports if not is_ambiguous[report.reference]]
    said = Counter(_facts(report) for report in reports)
    unknown = _by_old_lists(reports, said - plain)
    assert (said - plain, plain - said) == (unknown, _as_in_again(unknown))
    ambiguous = [
        (report.door, report.reference)
        for report in simulation.log.reports
        if is_ambiguous[report.reference]
    ]
    assert Counter(ambiguous) == Counter(
        (row.door, row.party) for row in scans if is_ambiguous.get(row.party)
    )


def _parties(simulation: DoorSimulation) -> set[str]:
    return {report.reference for report in simulation.log.reports}


def _facts(report: Report) -> tuple[str, str, str, bool, int | None]:
    people = None if report.undone else report.people
    return report.door, report.reference, report.way, report.undone, people


def _by_old_lists(reports: list[Report], differing: Counter[Any]) -> Counter[Any]:
    """Of the reports that differ from the database, those of unsynced phones about people coming in."""
    alone = Counter(_facts(report) for report in reports if report.alone and report.way != "out")
    return differing & alone


def _as_in_again(reports: Counter[Any]) -> Counter[Any]:
    """The same with "in" and "in again" exchanged."""
    other = {"in": "again", "again": "in"}
    return Counter(
        {(door, party, other[way], *rest): n for (door, party, way, *rest), n in reports.items()}
    )


def assert_totals_match_log(simulation: DoorSimulation, database: Database) -> tuple[int, int]:
    """The people inside and outside by the database, which must follow from the log.

    Everybody whom a door reported as let in counts as inside, even if the database could not count them, and so do
    people let out who could not be counted. The effect of an undo on others is bounded by what was undone.
    """
    figures = database.execute(_INSIDE, [simulation.performance.id]).fetchall()
    for party in figures:
        reports = simulation.log.of(party.party)
        said, undone = people_of(reports), people_of(reports, undone=True)
        may_differ = undone if simulation.log.is_ambiguous(party.party) else People(0, 0, 0)
        least = said.inside + party.not_counted - may_differ.left
        most = said.inside + party.not_counted + may_differ.returned + may_differ.entered
        assert least <= party.inside <= most, (party, reports)
    return sum(party.inside for party in figures), sum(party.outside for party in figures)


def assert_phones_show_uncounted(simulation: DoorSimulation, database: Database) -> None:
    """Each phone shows the people that it let out and that the database could not count."""
    for scan, claimed, counted in database.execute(
        _NOT_COUNTED, [simulation.performance.id]
    ).fetchall():
        shown = [
            aside for door in simulation.doors for aside in door.phone.read_databases()["aside"]
        ]
        assert (scan, claimed, counted) in [
            (aside["scanId"], aside["people"], aside["counted"]) for aside in shown
        ]


def assert_totals_are_shown(
    simulation: DoorSimulation, app: Flask, staff: FlaskClient, inside: int, outside: int
) -> None:
    """The staff's page, the API and every window of every phone show the same totals."""
    db.session.rollback()
    page = staff.get(f"/admin/evenings/{simulation.performance.id}").text
    assert f'<p class="figure">{inside}</p>' in page
    assert re.findall(r"Out during the interval: (\d+)\.", page) == [str(outside)] * (outside > 0)
    _, token = issue_token("Board", Scope.SCAN, 1)
    address = f"/api/v1/checkin/performances/{simulation.performance.id}"
    headers = {"Authorization": f"Bearer {token}"}
    counts = app.test_client().get(address, headers=headers).json
    assert (counts["in_building"], counts["outside"]) == (inside, outside)
    house = house_counts([simulation.performance.id])[simulation.performance.id]
    notice = f"out during the interval: {outside}" if outside else ""
    for window in (window for door in simulation.doors for window in door.windows):
        expect(window.count("in_building")).to_have_text(str(inside))
        expect(window.page.locator("[data-outside]")).to_have_text(notice)
        for name in ("expected", "inside", "to_come", "free"):
            expect(window.count(name)).to_have_text(str(getattr(house, name)))
