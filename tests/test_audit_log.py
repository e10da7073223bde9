"""The log of changes: who is recorded, what is kept, and that nobody rewrites it (migration 0036)."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text

from azionelab.admin.log.labels import OBJECT_TYPES
from azionelab.bookings import erasure, rules
from azionelab.bookings.door_notes import write_note
from azionelab.bookings.models import Reservation
from azionelab.bookings.seats.holds import expire_lapsed_holds
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now, transaction
from azionelab.database.audit import forget_addresses
from azionelab.database.row_versions import changes_since, forget_names
from azionelab.shows.models import Performance
from azionelab.staff.accounts import create_account
from azionelab.staff.models import User
from azionelab.staff.tokens import Scope, issue_token
from azionelab.web.actors import act_with_token
from tests.bookings.test_no_overbooking import INSERT, psql
from tests.bookings.test_pages import fields, filled, open_form
from tests.factories import (
    DOOR_A,
    a_party,
    a_performance,
    a_visitor,
    change_capacity,
    let_lapse,
    ticket_token,
    visitor_token,
)
from tests.support.people import PASSWORD, logged_in, press, token_of

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


def log(database: Database, object_type: str, action: str = "changed") -> list[Any]:
    """The entries about one type of object, the oldest first."""
    query = "SELECT * FROM audit_entry WHERE object_type = %s AND action = %s ORDER BY id"
    return database.execute(query, (object_type, action)).fetchall()


def everything(database: Database) -> str:
    """All that the log says."""
    return " ".join(row[0] for row in database.execute("SELECT e::text FROM audit_entry e"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'visitor'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "INSERT INTO audit_entry OVERRIDING SYSTEM VALUE SELECT * FROM audit_entry",
    ],
)
def test_the_application_cannot_rewrite_the_log(settings: dict[str, str], statement: str) -> None:
    change_capacity(a_performance().id, 7)
    with (
        psycopg.connect(settings["DATABASE_URL"]) as connection,
        pytest.raises(InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_a_change_of_staff_has_who_when_where_and_what(app: Flask, database: Database) -> None:
    performance = a_performance(capacity=10)
    staff = logged_in(app, "staff")
    staff.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    address = f"/admin/performances/edit/?id={performance.id}"
    before = now()
    press(staff, address, **as_sent(staff, address) | {"capacity": "12"})
    (entry,) = log(database, "performance")
    (account,) = database.execute("SELECT id FROM user_account").fetchone() or ()
    assert (entry.actor, entry.account_id, entry.address) == ("staff", account, "192.0.2.7")
    assert (entry.object_id, entry.performance_id) == (str(performance.id), performance.id)
    assert entry.label == performance.show.title
    assert entry.changes == {"capacity": [10, 12]}
    assert before < entry.at < now()


def as_sent(client: FlaskClient, address: str) -> dict[str, Any]:
    """The performance's form as it is shown."""
    page = client.get(address).text
    typed = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', page))
    typed |= {n: v for v, n in re.findall(r'value="([^"]*)"[^>]*name="(\w+)"', page)}
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', page, re.S):
        typed[name] = re.findall(r'<option selected value="(\d+)"', options)[0]
    return typed


def test_a_visitors_booking_is_in_its_row_and_what_follows_in_the_log(
    client: FlaskClient, database: Database
) -> None:
    performance = a_performance()
    client.environ_base["REMOTE_ADDR"] = "192.0.2.9"
    form = filled(open_form(client, performance.id))
    assert client.post(f"/performances/{performance.id}/book", data=form).status_code == 303
    assert log(database, "reservation", "created") == []
    (booked,) = db.session.scalars(db.select(Reservation))
    page = f"/bookings/confirm/{visitor_token(booked)}"
    client.post(page, data=fields(client.get(page).text) | {"coming": "y"})
    (entry,) = log(database, "reservation")
    assert (entry.actor, entry.account_id, entry.address) == ("visitor", None, "")
    assert entry.changes["state"] == ["pending", "confirmed"]
    assert "192.0.2.9" not in everything(database)


@pytest.mark.parametrize("own", [True, False], ids=["phone", "turnstile"])
def test_a_device_at_the_door_is_named(client: FlaskClient, database: Database, own: bool) -> None:
    curtain = now() + timedelta(minutes=20)
    performance = a_performance(starts_at=curtain, booking_closes_at=curtain)
    a_party(performance, 2)
    phone, secret = issue_token("Phone", Scope.DOOR, 12, performance.id if own else None)
    client.environ_base["REMOTE_ADDR"] = "192.0.2.8"
    answer = client.post(
        f"/api/v1/checkin/performances/{performance.id}/release",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 200
    entry = log(database, "reservation")[-1]
    assert (entry.actor, entry.token_id, entry.address) == ("door", phone.id, "192.0.2.8")
    assert entry.changes == {"released": [0, 2]}
    assert [entry.actor for entry in log(database, "performance")] == ["door"]


def test_a_program_is_named(app: Flask, database: Database) -> None:
    performance = a_performance(capacity=10)
    with app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.6"}):
        act_with_token(7, is_device=False)
        change_capacity(performance.id, 12)
    (entry,) = log(database, "performance")
    assert (entry.actor, entry.token_id, entry.address) == ("api", 7, "192.0.2.6")


def test_a_phone_that_joins_is_recorded_as_itself(
    database: Database, settings: dict[str, str]
) -> None:
    performance = a_performance(starts_at=now() + timedelta(hours=1))
    with psycopg.connect(settings["DATABASE_URL"]) as connection:
        connection.execute(
            "INSERT INTO api_token (label, scope, digest, created_at, expires_at, performance_id,"
            " invitation, invitation_place)"
            " VALUES ('Marta', 'door', 'x', now(), now(), %s, 1, 1)",
            [performance.id],
        )
    (entry,) = log(database, "api_token", "created")
    assert (entry.actor, entry.label) == ("door", "Marta")
    assert str(entry.token_id) == entry.object_id


def test_the_worker_and_commands_are_the_system(database: Database) -> None:
    performance = a_performance()
    let_lapse(a_party(performance, 2, confirmed=False))
    expire_lapsed_holds()
    entry = log(database, "reservation")[-1]
    assert (entry.actor, entry.source) == ("system", "program")
    assert entry.changes["state"] == ["pending", "expired"]


def test_a_hold_that_lapses_while_a_visitor_books_is_the_systems(
    client: FlaskClient, database: Database
) -> None:
    performance = a_performance(capacity=2)
    let_lapse(a_party(performance, 2, confirmed=False))
    form = filled(open_form(client, performance.id))
    assert client.post(f"/performances/{performance.id}/book", data=form).status_code == 303
    entry = log(database, "reservation")[-1]
    assert (entry.actor, entry.changes["state"]) == ("system", ["pending", "expired"])


def test_what_is_typed_into_psql_is_named(database_url: str, database: Database) -> None:
    performance = a_performance()
    psql(database_url, INSERT.format(performance=performance.id, seats=1))
    (entry,) = log(database, "reservation", "created")
    assert (entry.actor, entry.source) == ("system", "psql")


def test_a_password_is_recorded_without_its_digest(app: Flask, database: Database) -> None:
    client = logged_in(app, "admin")
    form = {"password": PASSWORD, "new_password": "another good one", "submit": "Change"}
    form |= {"new_password_confirm": "another good one"}
    client.post("/staff/change", data=dict(token_of(client, "/staff/change")) | form)
    (entry,) = log(database, "user_account")[1:]  # the first one is the role
    assert (entry.actor, entry.account_id) == ("staff", 1)
    assert entry.changes == {"password": [None, None]}
    assert "argon" not in everything(database)


def test_a_role_is_recorded_at_the_account(app: Flask, database: Database) -> None:
    admin = logged_in(app, "admin")
    logged_in(app, "door")
    (doors,) = database.execute("SELECT id FROM user_account ORDER BY id DESC").fetchone() or ()
    press(admin, f"/admin/accounts/edit/?id={doors}", name="Door", role="staff", active="y")
    ids = dict(database.execute("SELECT name, id FROM role").fetchall())
    changes = [entry.changes for entry in log(database, "user_account") if entry.actor == "staff"]
    assert {"role_id": [ids["door"], None]} in changes or {
        "role_id": [ids["door"], ids["staff"]]
    } in changes


def test_admissions_cost_the_log_nothing(database: Database) -> None:
    """The scan log has them."""
    performance = a_performance()
    party = a_party(performance, 2)
    entries = len(log(database, "reservation"))
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A)
    assert len(log(database, "reservation")) == entries


def test_a_visitors_booking_does_not_even_call_the_log(database: Database) -> None:
    """While it holds the performance's lock, for which others wait."""
    performance = a_performance()
    with database.transaction():
        database.execute("SET LOCAL track_functions = 'pl'")
        database.execute(INSERT.format(performance=performance.id, seats=3))
        called = database.execute("SELECT funcname FROM pg_stat_xact_user_functions").fetchall()
    assert ("reservation_holds_seats",) in called
    assert ("audit_recorded",) not in called


def test_an_erased_party_leaves_facts_and_no_person(database: Database) -> None:
    party = booked_by_staff()
    write_note(party.id, "wheelchair", "")
    rules.reduce_seats(party.id, 2)
    assert "Carla Verdi" in everything(database)
    assert "wheelchair" in everything(database)
    erasure.erase_on_request(party.id)
    for personal in ("Carla", "carla@example.org", "wheelchair"):
        assert personal not in everything(database)
    (made,) = log(database, "reservation", "created")
    assert made.changes["seats"] == [None, 3]
    assert made.changes["name"] == [None, None]
    changed = [entry.changes for entry in log(database, "reservation")]
    assert {"note": [None, None]} in changed
    assert any(changes.get("seats") == [3, 2] for changes in changed)
    assert changed[-1]["name"] == [None, None]


def test_retention_erases_the_same(database: Database) -> None:
    party = booked_by_staff()
    others = booked_by_staff("Dario Neri", "dario@example.org")
    with transaction() as session:
        session.execute(
            text("UPDATE performance SET starts_at = :past WHERE id = :id"),
            {"past": now() - timedelta(days=31), "id": party.performance_id},
        )
    erasure.erase_personal_data()
    assert "Carla" not in everything(database)
    assert "Dario Neri" in everything(database)
    assert others.performance_id != party.performance_id


def test_a_deleted_party_leaves_no_person(database: Database) -> None:
    party = booked_by_staff()
    with transaction() as session:
        session.execute(text("DELETE FROM mail"))
        session.execute(text("DELETE FROM reservation WHERE id = :id"), {"id": party.id})
    assert "Carla" not in everything(database)
    (gone,) = log(database, "reservation", "deleted")
    assert (gone.label, gone.changes["seats"]) == (party.reference, [3, None])


def booked_by_staff(name: str = "Carla Verdi", email: str = "carla@example.org") -> Reservation:
    """A party of three, booked by a program: by nobody whom the row does not name."""
    return rules.reserve(a_performance().id, a_visitor(email, name), 3, uuid4())


def test_former_names_of_accounts_are_forgotten_and_what_changed_stays(
    app: Flask, database: Database
) -> None:
    anna, gone = (
        create_account(f"{name}@theatre.org", "staff", PASSWORD, name=name)
        for name in ("anna", "gone")
    )
    database.execute("UPDATE user_account SET name = 'Else', email = 'else-' || id")
    database.execute("UPDATE user_account SET active = false WHERE id = %s", [anna.id])
    changes = "SELECT row_id, changes FROM row_change WHERE table_name = 'user_account' ORDER BY 1, version"
    assert forget_names(now()) == 0  # an edit may have been begun with them
    database.execute("DELETE FROM user_account WHERE id = %s", [gone.id])
    told = database.execute(changes).fetchall()
    assert "gone" not in str([each for identity, each in told if identity == gone.id])
    assert "anna" in str(told)
    database.execute("UPDATE row_change SET changed_at = now() - interval '2 days'")
    assert forget_names(now()) == 1
    assert forget_names(now()) == 0
    left = [each for identity, each in database.execute(changes) if identity == anna.id]
    assert left[1:] == [{"name": [None, None], "email": [None, None]}, {"active": [True, False]}]
    # An edit that was begun before counts as one in conflict.
    with transaction() as session:
        row = session.get_one(User, anna.id, populate_existing=True)
        since = changes_since(session, row, 1)
    assert since is not None
    assert {"name", "email", "active"} <= since.keys()


def test_network_addresses_are_forgotten_and_not_too_early(app: Flask, database: Database) -> None:
    staff = logged_in(app, "staff")
    staff.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    for name in ("Old", "New"):
        press(staff, "/admin/venues/new/", name=name, address="")
    database.execute("UPDATE audit_entry SET at = at - interval '2 days' WHERE label = 'Old'")
    forget_addresses(now() + timedelta(days=1))
    addresses = {entry.label: entry.address for entry in log(database, "venue", "created")}
    assert addresses == {"Old": "", "New": "192.0.2.7"}


def test_an_actor_lasts_no_longer_than_its_transaction(
    app: Flask,
) -> None:
    """So that a pooler's next client, or the next request on the connection, is not taken for it."""
    press(logged_in(app, "staff"), "/admin/venues/new/", name="Hall", address="")
    with app.app_context(), db.engine.connect() as connection:
        left = connection.execute(text("SELECT current_setting('azionelab.account', true)"))
        assert not left.scalar()


def test_an_unchanged_row_is_not_recorded(database: Database) -> None:
    performance = a_performance(capacity=10)
    with transaction() as session:
        session.execute(text("UPDATE performance SET capacity = 10"))
    assert log(database, "performance") == []
    assert db.session.get_one(Performance, performance.id).capacity == 10


# Tables whose changes the log leaves out, and why.
NOT_RECORDED = {
    # Records of their own, which nobody edits.
    "audit_entry", "row_change", "scan", "admission", "passage", "reservation_move", "undo_offer", "backup_report",
    "webhook_delivery", "program_key", "coming_answer", "unsubscribed", "export_file", "export_chunk", "season_import",
    # The system's own.
    "alembic_version", "rate_count", "role", "signing_key",
    # Logins: who is logged in, and codes that are used up.
    "ended_session", "staff_session", "recovery_code", "authenticator",
    "used_challenge",
    # A visitor's offer to a friend: what comes of it is the reservations' (their entries name nobody).
    "hand_over",
    # What was found out about the site itself, and who was told.
    "alert", "alert_mail", "status_report",
    # The texts of mails go with the visitor's name.
    "mail_text",
    # Who waits for the booking form, for an hour or two.
    "queue_place",
}  # fmt: skip


def test_every_table_is_recorded_or_left_out_for_a_reason(database: Database) -> None:
    """A new table whose rows staff change needs a trigger (docs/contributing.md)."""
    rows = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    tables = {name for (name,) in rows if not name.startswith("procrastinate_")}
    assert tables - recorded(database).keys() - NOT_RECORDED == set()


def test_every_recorded_type_has_a_name(database: Database) -> None:
    assert set(recorded(database).values()) <= OBJECT_TYPES.keys()


def recorded(database: Database) -> dict[str, str]:
    """The tables with the log's triggers, and the type of object that each records."""
    rows = database.execute(
        "SELECT relname, encode(tgargs, 'escape') AS arguments"
        " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid"
        " WHERE proname = 'audit_recorded'"
    )
    return {table: arguments.partition(".")[0] for table, arguments in rows}
