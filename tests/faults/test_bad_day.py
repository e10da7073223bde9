"""Bookings, confirmations, cancellations and admissions while parts of the real site die: the short form of `make faults`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.harness import postgres, processes
from tests.faults.harness.audit import audit
from tests.faults.harness.log import Deed
from tests.faults.harness.stack import Stack
from tests.faults.harness.storm import Storm, try_fault

DEEDS = 2


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """The site's programs."""
    with Stack(tmp_path).running() as stack:
        yield stack


def test_nothing_acknowledged_is_lost_or_done_twice(stack: Stack) -> None:
    for fault in (processes.WEB_PROCESS, processes.JOB_WORKER, postgres.POSTMASTER):
        tried = try_fault(stack, replace(fault, times=1), deeds=DEEDS, hurry=True)
        assert tried.findings.is_clean, f"{fault.name}: {tried.findings}"
        assert set(tried.findings.acknowledged) == set(Deed)


_ANOTHER_OF_A_PARTY = """
    INSERT INTO reservation SELECT (jsonb_populate_record(r, jsonb_build_object(
        'id', gen_random_uuid(), 'reference', '00000000'))).* FROM reservation AS r
    WHERE performance_id = %s AND state = 'confirmed' LIMIT 1
"""


def test_negative_control_what_is_lost_double_or_too_many_is_found(stack: Stack) -> None:
    storm = Storm(stack)
    storm.run(postgres.NOT_DURABLE.strike)
    assert audit(stack, storm.logs, storm.performances).lost

    storm = Storm(stack)
    storm.run(lambda storm: storm.wait_for_deeds(1))
    _, tonight = storm.performances
    with stack.database() as database:
        # Without what refuses it.
        database.execute("SET session_replication_role = replica")
        database.execute("ALTER TABLE performance DROP CONSTRAINT ck_performance_capacity_held")
        database.execute("DROP INDEX uq_reservation_live_email, uq_reservation_live_request")
        database.execute(_ANOTHER_OF_A_PARTY, [tonight])
        database.execute("UPDATE performance SET capacity = 1 WHERE id = %s", [tonight])
    found = audit(stack, storm.logs, storm.performances)
    assert (len(found.lost), len(found.double), len(found.over)) == (0, 1, 1)
    assert "FAIL" in found.doctor
