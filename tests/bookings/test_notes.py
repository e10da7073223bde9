"""Notes for the door: written by staff, told to nobody else, and gone with the name."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from azionelab.bookings import erasure
from azionelab.bookings.door_notes import write_note
from azionelab.bookings.errors import NoteChanged, VisitorErased
from azionelab.bookings.models import MAX_NOTE
from azionelab.bookings.transitions.walk_ins import seat_walk_ins
from azionelab.checkin.devices.offline_list import changes_since
from azionelab.database import transaction
from tests.factories import a_party, a_performance, fresh

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


def test_a_changed_note_comes_with_the_next_sync() -> None:
    party = a_party(a_performance())
    before = changes_since(party.performance_id, None).cursor
    write_note(party.id, "Wheelchair, row 1", seen="")
    (listed,) = changes_since(party.performance_id, before).parties
    assert (listed.note, listed.has_note) == ("Wheelchair, row 1", True)
    assert write_note(party.id, "Wheelchair, row 1", seen="").is_unchanged
    write_note(party.id, "", seen="Wheelchair, row 1")
    assert fresh(party.id).note == ""


def test_nobody_overwrites_a_note_unseen() -> None:
    party = a_party(a_performance())
    write_note(party.id, "Wheelchair, row 1", seen="")
    with pytest.raises(NoteChanged) as refused:
        write_note(party.id, "Guest of the stage", seen="")
    assert refused.value.note == "Wheelchair, row 1"
    assert fresh(party.id).note == "Wheelchair, row 1"


def test_a_note_is_erased_with_the_name(database: Database) -> None:
    performance = a_performance()
    asked, due, by_hand = (a_party(performance) for _ in range(3))
    for party in (asked, due, by_hand):
        write_note(party.id, "Wheelchair, row 1", seen="")
    erasure.erase_on_request(asked.id)
    assert fresh(asked.id).note == ""
    with pytest.raises(VisitorErased):
        write_note(asked.id, "Wheelchair, row 1", seen="")
    # As the release before this one erases, which knows no notes.
    database.execute(
        "UPDATE reservation SET name = '', email = '', email_key = NULL, erased_at = now() WHERE id = %s",
        [by_hand.id],
    )
    assert fresh(by_hand.id).note == ""
    database.execute(
        "UPDATE performance SET starts_at = %s, booking_opens_at = %s, booking_closes_at = %s",
        [performance.starts_at - timedelta(days=days) for days in (90, 100, 91)],
    )
    assert erasure.erase_personal_data() == 1
    assert fresh(due.id).note == ""


def test_nobody_keeps_a_note_on_walk_ins(database: Database) -> None:
    performance = a_performance()
    with transaction() as session:
        party = seat_walk_ins(session, performance.id, 1, uuid4())
        identity = party.id
    with pytest.raises(VisitorErased):
        write_note(identity, "Wheelchair, row 1", seen="")
    database.execute("UPDATE reservation SET note = 'Row 1' WHERE id = %s", [identity])
    assert fresh(identity).note == ""


def test_the_database_bounds_a_note(database: Database) -> None:
    party = a_party(a_performance())
    with pytest.raises(psycopg.errors.CheckViolation, match="ck_reservation_note_length"):
        database.execute(
            "UPDATE reservation SET note = %s WHERE id = %s", ["x" * (MAX_NOTE + 1), party.id]
        )
