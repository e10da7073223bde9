"""Reservations and the scan log in the back office, as staff see and change them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from azionelab.admin.rows.base import breakable_address
from azionelab.bookings.mails.messages import read_draft
from azionelab.bookings.models import Reservation
from azionelab.checkin.scanning.scans import admit
from azionelab.checkin.scanning.undoing import undo
from azionelab.mail.delivery import deliver
from azionelab.shows.models import Performance
from tests.factories import DOOR_A, a_party, a_performance, fresh, let_lapse, ticket_token
from tests.support.people import press
from tests.support.reservations import entries, saving

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


@pytest.fixture
def performance() -> Performance:
    """An evening with seats to spare."""
    return a_performance(capacity=20)


def act(staff: FlaskClient, what: str, party: Reservation, **typed: Any) -> str:
    """Press one of the reservation's buttons."""
    sent = {"id": party.id, "seen": fresh(party.id).changed_in} | typed
    return press(staff, f"/admin/reservations/{what}/", **sent).text


def save(staff: FlaskClient, what: str, party: Reservation, **typed: Any) -> str:
    """Save a change of the reservation, as after its preview."""
    return press(staff, f"/admin/reservations/{what}/", **saving(party, **typed)).text


def mails_about(database: Database, party: Reservation) -> list[str]:
    """The kinds of the mails to a party, in their order."""
    query = "SELECT kind FROM mail WHERE reservation_id = %s ORDER BY created_at"
    return [kind for (kind,) in database.execute(query, [party.id])]


def test_a_party_is_found_by_name_address_or_reference(
    staff: FlaskClient, performance: Performance
) -> None:
    ada = a_party(performance, name="Ada Rossi", email="ada@example.org")
    a_party(performance, name="Bruno Neri", email="bruno@example.org")
    for sought in ("rossi", "ada@example", ada.reference.lower()):
        page = press(staff, "/admin/reservations/find/", search=sought).text
        assert "Ada Rossi" in page
        assert "Bruno Neri" not in page
        assert f"search={sought}" not in page
    nobody = press(staff, "/admin/reservations/find/", search="%'\"_\0")
    assert "No results" in nobody.text
    assert "Bruno Neri" in staff.get("/admin/reservations/?search=ada").text


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("%", set()),
        ("100% ada", {"100% Ada"}),
        ("_", set()),
        ("u_n", set()),
        ("bruno_n", {"Bruno_N"}),
        ("\\", set()),
        ("rla\\", {"Carla\\"}),
    ],
)
def test_signs_part_words_and_are_no_wildcards(
    staff: FlaskClient, performance: Performance, sought: str, found: set[str]
) -> None:
    names = ("100% Ada", "Bruno_N", "Carla\\")
    for number, name in enumerate(names):
        a_party(performance, 1, name=name, email=f"{number}@example.org")
    page = press(staff, "/admin/reservations/find/", search=sought).text
    assert {name for name in names if name in page} == found
    assert f'name="search" value="{sought}"' in page


def test_reservations_are_filtered_by_state_and_performance(
    staff: FlaskClient, performance: Performance
) -> None:
    a_party(performance, name="Ada Rossi")
    a_party(performance, name="Bruno Neri", confirmed=False)
    a_party(a_performance(), name="Carla Verdi")
    page = staff.get(f"/admin/reservations/?flt0_0=confirmed&flt1_1={performance.id}").text
    assert "Ada Rossi" in page
    assert "Bruno Neri" not in page
    assert "Carla Verdi" not in page
    everybody = staff.get("/admin/reservations/?flt0_0=&flt1_1=").text
    assert all(name in everybody for name in ("Ada Rossi", "Bruno Neri", "Carla Verdi"))


def test_long_lists_have_pages(staff: FlaskClient) -> None:
    performance = a_performance(capacity=100)
    for _ in range(51):
        a_party(performance, 1, confirmed=False)
    first = staff.get("/admin/reservations/?flt0_0=pending").text
    assert "Page 1 of 2" in first
    assert "flt0_0=pending" in first[first.index('rel="next"') :]
    assert "Page 2 of 2" in staff.get("/admin/reservations/?flt0_0=pending&page=1").text
    found = press(staff, "/admin/reservations/find/", search="rossi")
    assert "Page 1 of 2" in found.text
    assert "Page 2 of 2" in staff.get(f"{found.request.full_path}&page=1").text


def test_staff_confirm_for_a_visitor(
    staff: FlaskClient, performance: Performance, database: Database
) -> None:
    party = a_party(performance, confirmed=False)
    assert (
        "/admin/reservations/confirm/"
        in staff.get(f"/admin/reservations/details/?id={party.id}").text
    )
    assert "The ticket is on its way" in act(staff, "confirm", party)
    assert fresh(party.id).state == "confirmed"
    assert mails_about(database, party) == ["confirm", "ticket"]


def test_a_lapsed_hold_cannot_be_confirmed(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance, confirmed=False)
    let_lapse(party)
    page = staff.get(f"/admin/reservations/details/?id={party.id}").text
    assert "expired" in page
    assert "/admin/reservations/confirm/" not in page
    assert "its seats have been released" in act(staff, "confirm", party)
    assert fresh(party.id).state == "pending"


def test_staff_cancel_and_the_party_is_written_to(
    staff: FlaskClient, performance: Performance, database: Database
) -> None:
    party = a_party(performance)
    told = save(staff, "cancel", party)
    assert f"An e-mail is on its way to {party.email}" in told
    assert fresh(party.id).state == "cancelled"
    assert mails_about(database, party)[-1] == "cancelled"
    again = save(staff, "cancel", party)
    assert "no e-mail was sent" in again
    assert mails_about(database, party).count("cancelled") == 1
    assert "no longer active" in save(staff, "change", party, **entries(party, seats="1"))


def test_who_is_in_stays_in(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance, 3)
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A, people=2)
    assert "2 of the party are already in" in save(staff, "cancel", party)
    told = save(staff, "change", party, **entries(party, seats="1"))
    assert "2 of the party are already in" in told
    assert (fresh(party.id).state, fresh(party.id).seats) == ("confirmed", 3)


def test_the_newest_mail_is_sent_again(
    staff: FlaskClient, performance: Performance, database: Database
) -> None:
    party = a_party(performance)
    database.execute("UPDATE mail SET delivery = 'sent', sent_at = now()")
    assert "sent again" in act(staff, "resend", party)
    states = "SELECT kind, delivery FROM mail ORDER BY created_at"
    assert database.execute(states).fetchall() == [("confirm", "sent"), ("ticket", "queued")]


def test_unknown_reservations_are_told_so(staff: FlaskClient) -> None:
    for what in ("confirm", "cancel", "resend", "change", "move", "reinstate"):
        page = press(staff, f"/admin/reservations/{what}/", id=uuid4())
        assert "Reservation not found" in page.text
        assert page.status_code == 200


def test_nothing_of_a_reservation_can_be_typed_over(
    staff: FlaskClient, performance: Performance, database: Database
) -> None:
    party = a_party(performance, 2)
    query = "SELECT * FROM reservation"
    before = database.execute(query).fetchall()
    for what in ("edit", "new", "delete", "action", "ajax/update"):
        press(
            staff,
            f"/admin/reservations/{what}/?id={party.id}",
            id=party.id,
            rowid=party.id,
            action="delete",
            state="cancelled",
            seats="9",
        )
    assert database.execute(query).fetchall() == before


def test_every_attempt_at_the_door_is_listed(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance, 2)
    scan = uuid4()
    admit(performance.id, ticket_token(party), scan, DOOR_A)
    admit(performance.id, ticket_token(party), uuid4(), DOOR_A)
    admit(performance.id, "no code at all", uuid4(), DOOR_A)
    undo(performance.id, scan, DOOR_A)
    page = staff.get("/admin/scans/").text
    body = page[page.index("<tbody>") :]
    assert [w in body for w in ("admitted", "already in", "unknown code", "Door A")] == [True] * 4
    assert party.reference in body
    only = staff.get("/admin/scans/?flt0_0=already_in").text
    assert "unknown code" not in only[only.index("<tbody>") :]
    admissions = staff.get("/admin/admissions/").text
    assert party.reference in admissions
    assert "Anna" in admissions


def test_a_list_costs_few_statements_however_long_it_is(
    staff: FlaskClient, database: Database, performance: Performance
) -> None:
    """Each line shows its performance, whose show is another row."""
    from sqlalchemy import event

    from azionelab.database import db

    for _ in range(10):
        party = a_party(a_performance(), 1)
        admit(party.performance_id, ticket_token(party), uuid4(), DOOR_A)
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for address in ("reservations", "mails", "scans", "admissions", "performances"):
        statements.clear()
        assert staff.get(f"/admin/{address}/").status_code == 200
        assert len(statements) <= 8, address


def test_an_address_is_told_as_text_whatever_it_holds() -> None:
    assert breakable_address('"<b>"@example.org') == "&#34;&lt;b&gt;&#34;@<wbr>example.<wbr>org"


def test_a_visitor_is_erased_who_asks_for_it(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance, name="Ada Rossi", email="ada@example.org")
    page = f"/admin/reservations/details/?id={party.id}"
    offer = "Erase name and address …"
    assert offer in staff.get(page).text
    done = act(staff, "erase", party)
    assert "Name and address have been erased" in done
    for gone in ("Ada Rossi", "ada@", offer):
        assert gone not in done
    assert "had already been erased" in act(staff, "erase", party)


def test_staff_write_a_note_for_the_door(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance)
    page = f"/admin/reservations/details/?id={party.id}"
    opened = fresh(party.id).changed_in
    told = save(staff, "change", party, **entries(party, note=" Row 1 & 2 "))
    assert "Saved. Nobody was written to." in told
    assert 'value="Row 1 &amp; 2"' in staff.get(page).text
    # From a page that was open before: what was typed is kept, and one press more writes it.
    told = save(staff, "change", party, **entries(party, note="Row 3", seen=opened))
    assert "Somebody else has changed this reservation" in told
    assert 'value="Row 3"' in told
    assert fresh(party.id).note == "Row 1 & 2"
    save(staff, "change", party, **entries(party, note="Row 3"))
    assert fresh(party.id).note == "Row 3"
    act(staff, "erase", party)
    assert 'name="note"' not in staff.get(page).text
    told = save(staff, "change", party, **entries(party, note="Row 4"))
    assert "nothing about the visitor can be kept" in told


@pytest.mark.parametrize("note", ["Row\n1", "Row \u202e1", "Row \0", "x" * 201])
def test_a_note_that_no_door_can_show_is_refused_and_kept_as_typed(
    staff: FlaskClient, performance: Performance, note: str
) -> None:
    party = a_party(performance)
    told = save(staff, "change", party, **entries(party, note=note))
    assert "text-danger" in told
    assert note.splitlines()[0][:40].strip("\0") in told
    assert fresh(party.id).note == ""


def test_staff_tell_the_door_who_comes_late(staff: FlaskClient, performance: Performance) -> None:
    party = a_party(performance)
    assert "The door can now see it" in act(staff, "late", party, minutes="20")
    assert fresh(party.id).late_at == performance.starts_at + timedelta(minutes=20)
    assert "already knew this" in act(staff, "late", party, minutes="20")
    assert "Please choose" in act(staff, "late", party, minutes="7")
    act(staff, "late", party, minutes="0")
    assert fresh(party.id).late_at is None


def test_a_mail_to_an_erased_address_stays_as_it_is(
    staff: FlaskClient, performance: Performance, database: Database
) -> None:
    party = a_party(performance)
    database.execute("UPDATE mail SET delivery = 'sent', sent_at = now()")
    act(staff, "erase", party)
    # From pages that were open before.
    mail = database.execute("SELECT id FROM mail WHERE kind = 'ticket'").fetchone()
    for told in (
        act(staff, "resend", party),
        press(staff, "/admin/mails/resend/", id=mail and mail[0]).text,
    ):
        assert "The address has been erased" in told
        assert "sent again" not in told
    states = "SELECT DISTINCT delivery FROM mail"
    assert database.execute(states).fetchall() == [("sent",)]


def test_a_mail_that_is_queued_while_its_address_is_erased_is_no_failure(
    staff: FlaskClient, performance: Performance, database: Database
) -> None:
    act(staff, "erase", a_party(performance))
    database.execute("UPDATE mail SET delivery = 'queued' WHERE kind = 'ticket'")
    mail = database.execute("SELECT id FROM mail WHERE kind = 'ticket'").fetchone()
    assert mail is not None
    deliver(mail.id, read_draft, sending="1", last_try=True)
    states = "SELECT delivery, last_error FROM mail WHERE kind = 'ticket'"
    assert database.execute(states).fetchall() == [("not_sent", "")]


def test_nobody_is_counted_whose_address_is_erased(
    staff: FlaskClient, performance: Performance
) -> None:
    a_party(performance)
    act(staff, "erase", a_party(performance))
    change = staff.get(f"/admin/performances/edit/?id={performance.id}").text
    assert "1 party is notified by e-mail." in change
    ask = f"/admin/performances/cancel/?id={performance.id}"
    assert "1 party gets this mail" in staff.get(ask).text
    assert "1 party will be notified by e-mail." in press(staff, ask, ask).text


def test_erasing_what_is_not_there_is_told(staff: FlaskClient) -> None:
    assert "Reservation not found" in press(staff, "/admin/reservations/erase/", id=uuid4()).text


@pytest.mark.parametrize(
    ("name", "sought"),
    [
        ("Nicolò Rossi", "Rossi Nicolo"),
        ("Ada D'Amico", "D’Amico"),
        ("Ada D’Amico", "D'Amico"),
        ("Zoë Però", "zoe pero"),
        ("Jürgen Groß", "jurgen gross"),
        ("Jürgen Groß", "juergen"),
    ],
)
def test_a_name_is_found_as_at_the_door(
    staff: FlaskClient, performance: Performance, name: str, sought: str
) -> None:
    found = a_party(performance, 1, name=name, email="found@example.org")
    a_party(performance, 1, name="Bruno Neri", email="bruno@example.org")
    page = press(staff, "/admin/reservations/find/", search=sought).text
    assert found.reference in page
    assert "Bruno Neri" not in page
