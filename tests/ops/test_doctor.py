"""`flask doctor`: finds every inconsistency made here, names its row, and sets the exit status."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask

from azionelab.bookings import erasure, rules
from azionelab.bookings.models import Reservation
from azionelab.bookings.seats import holds
from azionelab.checkin.scanning.scans import admit
from azionelab.mail.refusals import IN_A_ROW
from azionelab.shows.models import Performance
from tests.factories import DOOR_A, a_party, a_performance, let_lapse, ticket_token

Database = psycopg.Connection[Any]

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def evening() -> Performance:
    """A performance with reservations in every state."""
    performance = a_performance(capacity=20)
    inside = a_party(performance, 3, email="ada@example.org")
    admit(performance.id, ticket_token(inside), uuid4(), DOOR_A, people=2)
    rules.reduce_seats(a_party(performance, 4).id, 2)
    rules.cancel(a_party(performance, 2).id)
    lapsed = a_party(performance, 1, confirmed=False)
    let_lapse(lapsed)
    holds.expire_lapsed_holds()
    a_party(performance, 5, confirmed=False)
    return performance


@pytest.fixture
def doctor(app: Flask) -> Callable[[], tuple[int, list[str]]]:
    """Run `flask doctor`: its exit status, and the lines that are not ok."""

    def run() -> tuple[int, list[str]]:
        done = app.test_cli_runner().invoke(args=["doctor"])
        lines = done.stdout.splitlines()
        assert len(lines) == 16, done.output
        return done.exit_code, [line for line in lines if not line.startswith("ok")]

    return run


Doctor = Callable[[], tuple[int, list[str]]]


def by_force(database: Database, statement: str, *values: object) -> None:
    """Write without triggers, as a failed restore or a superuser might."""
    with database.transaction():
        database.execute("SET LOCAL session_replication_role = replica")
        assert database.execute(statement, values).rowcount > 0


def a_reservation(database: Database, state: str = "confirmed") -> Any:
    query = "SELECT id, reference FROM reservation WHERE state = %s ORDER BY created_at"
    row = database.execute(query, (state,)).fetchone()
    assert row is not None
    return row


def test_a_whole_performance_leaves_no_problem(evening: Performance, doctor: Doctor) -> None:
    assert doctor() == (0, [])


def test_a_booking_without_a_hold_is_no_problem(
    evening: Performance, doctor: Doctor, database: Database
) -> None:
    waits = a_reservation(database, "pending")
    database.execute("UPDATE reservation SET holds_seats = false WHERE id = %s", [waits.id])
    assert doctor() == (0, [])


def test_an_empty_database_is_no_problem(doctor: Doctor) -> None:
    assert doctor() == (0, [])


def test_a_wrong_count_of_seats(evening: Performance, doctor: Doctor, database: Database) -> None:
    by_force(database, "UPDATE performance SET seats_held = 7 WHERE id = %s", evening.id)
    status, found = doctor()
    assert status == 1
    assert len(found) == 1
    assert found[0].startswith("FAIL      1  each performance holds the seats")
    assert f"{evening.id} (holds 7, reserved 10)" in found[0]


def test_more_seats_than_there_are(
    evening: Performance, doctor: Doctor, database: Database
) -> None:
    by_force(database, "UPDATE reservation SET seats = 30 WHERE state = 'pending'")
    status, found = doctor()
    assert status == 1
    assert any(f"{evening.id} (35 of 20)" in line for line in found)


def test_a_wrong_count_of_people(evening: Performance, doctor: Doctor, database: Database) -> None:
    party = a_reservation(database)
    by_force(database, "UPDATE reservation SET admitted = 1 WHERE id = %s", party.id)
    status, found = doctor()
    assert status == 1
    claim = "FAIL      1  each party's people inside equal its admissions:"
    assert found == [f"{claim} {party.reference} (in 1, let in 2)"]


@pytest.mark.parametrize("kind", ["confirm", "ticket"])
def test_a_booking_without_its_mail(
    evening: Performance, doctor: Doctor, database: Database, kind: str
) -> None:
    party = a_reservation(database, "pending" if kind == "confirm" else "confirmed")
    by_force(database, "DELETE FROM mail WHERE reservation_id = %s AND kind = %s", party.id, kind)
    status, found = doctor()
    assert status == 1
    assert found == [
        f"FAIL      1  each reservation has a mail, each confirmed one a ticket: {party.reference}"
    ]


@pytest.mark.parametrize("ended", ["gone", "failed", "cancelled"])
def test_a_mail_without_its_job(
    evening: Performance, doctor: Doctor, database: Database, ended: str
) -> None:
    query = "SELECT id::text FROM mail WHERE delivery = 'queued' ORDER BY created_at DESC LIMIT 1"
    row = database.execute(query).fetchone()
    assert row is not None
    if ended == "gone":
        by_force(database, "DELETE FROM procrastinate_jobs WHERE args ->> 'mail_id' = %s", row.id)
    else:
        by_force(
            database,
            "UPDATE procrastinate_jobs SET status = %s WHERE args ->> 'mail_id' = %s",
            ended,
            row.id,
        )
    assert doctor() == (1, [f"FAIL      1  no mail waits without a job that sends it: {row.id}"])


def take_a_job(database: Database, heartbeat: str | None) -> int:
    """Assign the oldest job to a worker with a heartbeat that long ago; None: the worker is gone."""
    worker = None
    if heartbeat is not None:
        row = database.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s::interval)"
            " RETURNING id",
            (heartbeat,),
        ).fetchone()
        assert row is not None
        worker = row.id
    row = database.execute(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s"
        " WHERE id = (SELECT min(id) FROM procrastinate_jobs) RETURNING id",
        (worker,),
    ).fetchone()
    assert row is not None
    return int(row.id)


@pytest.mark.parametrize("heartbeat", [None, "61 seconds"])
def test_a_job_of_a_dead_worker(
    evening: Performance, doctor: Doctor, database: Database, heartbeat: str | None
) -> None:
    job = take_a_job(database, heartbeat)
    assert doctor() == (
        1,
        [f"FAIL      1  no job is running on a worker without heartbeat: {job} (mail.send)"],
    )


def test_a_job_of_a_live_worker(evening: Performance, doctor: Doctor, database: Database) -> None:
    take_a_job(database, "40 seconds")
    assert doctor() == (0, [])


@pytest.mark.parametrize("retried", [False, True])
@pytest.mark.parametrize(("late_by", "is_overdue"), [("9 minutes", False), ("601 seconds", True)])
def test_an_overdue_job(
    doctor: Doctor, database: Database, retried: bool, late_by: str, is_overdue: bool
) -> None:
    a_party(a_performance())
    late = "(SELECT max(id) FROM procrastinate_jobs)"
    if retried:
        statement = (
            f"UPDATE procrastinate_jobs SET scheduled_at = now() - interval '{late_by}'"
            f" WHERE id = {late} RETURNING id"
        )
    else:
        statement = (
            f"UPDATE procrastinate_events SET at = now() - interval '{late_by}'"
            f" WHERE job_id = {late} RETURNING job_id AS id"
        )
    row = database.execute(statement).fetchone()
    assert row is not None
    reported = f"FAIL      1  no job is overdue by ten minutes: {row.id} (mail.send)"
    assert doctor() == ((1, [reported]) if is_overdue else (0, []))


def test_a_scheduled_job_is_not_overdue(
    evening: Performance, doctor: Doctor, database: Database
) -> None:
    database.execute("UPDATE procrastinate_events SET at = now() - interval '1 day'")
    database.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour'")
    assert doctor() == (0, [])


def a_job(database: Database, task: str, status: str) -> int:
    row = database.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
        " VALUES ('bookings', %s, %s) RETURNING id",
        (task, status),
    ).fetchone()
    assert row is not None
    return int(row.id)


def test_a_failed_job_until_a_later_one_succeeds(doctor: Doctor, database: Database) -> None:
    a_job(database, "bookings.expire", "succeeded")
    job = a_job(database, "bookings.expire", "failed")
    a_job(database, "queue.clean", "succeeded")
    assert doctor() == (
        1,
        [f"FAIL      1  no job failed without a later success: {job} (bookings.expire)"],
    )
    a_job(database, "bookings.expire", "succeeded")
    assert doctor() == (0, [])


def test_a_mail_that_was_given_up_is_a_warning(
    evening: Performance, doctor: Doctor, database: Database
) -> None:
    row = database.execute(
        "UPDATE mail SET delivery = 'failed' WHERE id = (SELECT id FROM mail LIMIT 1)"
        " RETURNING id::text"
    ).fetchone()
    assert row is not None
    database.execute(
        "UPDATE procrastinate_jobs SET status = 'failed' WHERE args ->> 'mail_id' = %s", (row.id,)
    )
    assert doctor() == (0, [f"warn      1  no mail was given up (staff may resend it): {row.id}"])
    # Nobody can write to an address that was erased meanwhile.
    database.execute(
        "UPDATE reservation SET name = '', email = '', email_key = NULL,"
        " erased_at = now(), erasure_requested_at = now()"
    )
    assert doctor() == (0, [])


def test_an_unexpired_lapsed_hold_is_a_warning(doctor: Doctor, database: Database) -> None:
    reservation: Reservation = a_party(a_performance(), confirmed=False)
    let_lapse(reservation)
    for past, found in (("9 minutes", False), ("601 seconds", True)):
        database.execute("UPDATE reservation SET hold_expires_at = now() - %s::interval", (past,))
        assert bool(doctor()[1]) is found
    status, found = doctor()
    assert status == 0
    assert len(found) == 1
    assert found[0].startswith("warn      1  no hold that lapsed")
    assert reservation.reference in found[0]


@pytest.mark.parametrize(
    ("played", "ended", "too_early"),
    [
        ("1 day", None, True),
        ("-29 days", None, True),
        ("-31 days", None, False),
        ("1 day", "-29 days", True),
        ("1 day", "-31 days", False),
        ("-31 days", "-29 days", False),
    ],
)
def test_a_name_that_was_erased_too_early(
    doctor: Doctor, database: Database, played: str, ended: str | None, too_early: bool
) -> None:
    reservation: Reservation = a_party(a_performance())
    database.execute(
        "UPDATE reservation SET name = '', email = '', email_key = NULL, erased_at = now(),"
        " ended_at = now() + %s::interval",
        (ended,),
    )
    database.execute("UPDATE performance SET starts_at = now() + %s::interval", (played,))
    reported = (
        f"FAIL      1  no name was erased before RETENTION_DAYS passed: {reservation.reference}"
    )
    assert doctor() == ((1, [reported]) if too_early else (0, []))


def test_a_name_that_was_erased_on_request(doctor: Doctor) -> None:
    performance = a_performance()
    asked, unconfirmed = a_party(performance), a_party(performance, confirmed=False)
    for party in (asked, unconfirmed):
        erasure.erase_on_request(party.id)
    rules.confirm(unconfirmed.id)
    assert doctor() == (0, [])


@pytest.mark.parametrize(("rows", "ends"), [(10, ""), (11, ", ...")])
def test_ten_rows_are_named_and_more_are_counted(
    doctor: Doctor, database: Database, rows: int, ends: str
) -> None:
    performance = a_performance(capacity=100)
    references = [a_party(performance, 1, confirmed=False).reference for _ in range(rows)]
    by_force(database, "DELETE FROM mail")
    claim = "each reservation has a mail, each confirmed one a ticket"
    named = ", ".join(sorted(references)[:10])
    assert doctor() == (1, [f"FAIL     {rows}  {claim}: {named}{ends}"])


@pytest.mark.parametrize(("people", "is_told"), [(IN_A_ROW - 1, False), (IN_A_ROW, True)])
def test_a_provider_that_refuses_everybody_is_a_warning(
    doctor: Doctor, database: Database, people: int, is_told: bool
) -> None:
    performance = a_performance()
    for _ in range(people):
        a_party(performance, 1, confirmed=False)
    database.execute("UPDATE mail SET refusal = 'unclear', tried_at = now()")
    claim = "the mail provider accepts mails (docs/runbook.md)"
    reported = f"warn      1  {claim}: {people} people refused in a row"
    assert doctor() == (0, [reported] if is_told else [])


# PostgreSQL adds some bytes to each kilobyte.
@pytest.mark.parametrize(("megabytes", "is_full"), [(0, True), (32, True), (33, False)])
def test_a_disk_without_room_for_two_wal_segments(
    make_app: Callable[..., Flask],
    leave_room: Callable[[int], None],
    megabytes: int,
    is_full: bool,
) -> None:
    leave_room(megabytes)
    other = make_app()
    with other.app_context():
        done = other.test_cli_runner().invoke(args=["doctor"])
    assert done.exit_code == int(is_full)
    reported = "FAIL      1  the database's disk has room: ConfigurationLimitExceeded 53400"
    found = [line for line in done.stdout.splitlines() if not line.startswith("ok")]
    assert found == ([reported] if is_full else [])


def test_no_personal_data_is_printed(evening: Performance, app: Flask, database: Database) -> None:
    by_force(database, "DELETE FROM mail")
    by_force(database, "UPDATE reservation SET admitted = 0 WHERE admitted > 0")
    done = app.test_cli_runner().invoke(args=["doctor"])
    assert done.exit_code == 1
    assert "ada@example.org" not in done.output
    assert "Rossi" not in done.output


def test_an_unreachable_database_gets_a_one_line_message(
    make_app: Callable[..., Flask], empty_database: str
) -> None:
    for url, reported in (
        (empty_database, "run `flask db upgrade`"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be reached"),
    ):
        other = make_app(DATABASE_URL=url)
        with other.app_context():
            done = other.test_cli_runner().invoke(args=["doctor"])
        assert done.exit_code == 1
        assert reported in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert done.stdout == ""
