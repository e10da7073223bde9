"""Bidirectional control characters of older data are removed wherever it is read."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from azionelab.admin.exports.tables import csv_chunks
from azionelab.admin.performance_day.spreadsheets import guests_table
from azionelab.bookings.mails.texts import text_for
from azionelab.bookings.models import Reservation
from azionelab.bookings.tickets.files import event_ics
from azionelab.checkin.devices import invitations
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.devices.offline_list import changes_since
from azionelab.checkin.house.guests import guests
from azionelab.checkin.scanning.scan_log import Actor
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now
from azionelab.mail.models import MailKind
from azionelab.shows.models import Show, Venue
from azionelab.shows.programme import find_listing
from tests.factories import a_party, a_performance, ticket_token

pytestmark = pytest.mark.usefixtures("in_app")

WITH_CONTROL = "Ada\u202eissoR"


def test_no_export_has_bidi_controls(database: psycopg.Connection[Any]) -> None:
    performance = a_performance()
    party = a_party(performance, 2)
    invitations.enrol(invitations.make_invitation(performance.id), "Door A")
    for table, columns in {
        "show": ("title", "summary", "description"),
        "venue": ("name", "address"),
        "reservation": ("name", "note"),
        "api_token": ("label",),
    }.items():
        for column in columns:
            database.execute(f"UPDATE {table} SET {column} = %s", [WITH_CONTROL])
    db.session.expire_all()
    reservation = db.session.get_one(Reservation, party.id)
    evening = find_listing(performance.id, now())
    assert evening is not None
    said = [
        evening.show_title,
        evening.venue_name,
        b"".join(csv_chunks(*guests_table(guests(performance.id)))).decode(),
        event_ics(reservation).decode(),
        text_for(MailKind.TICKET, reservation, {}).subject,
        *(one.name for one in changes_since(performance.id, None).parties),
        *(one.label for one in devices.devices_of(performance.id)),
        *db.session.execute(db.select(Show.title, Show.summary, Show.description)).one(),
        *db.session.execute(db.select(Venue.name, Venue.address)).one(),
    ]
    assert all("AdaissoR" in text for text in said), said
    assert not [text for text in said if "\u202e" in text]


def test_no_verdict_has_bidi_controls(database: psycopg.Connection[Any]) -> None:
    performance = a_performance()
    party, other = (a_party(performance, 2) for _ in range(2))
    device, token = invitations.enrol(invitations.make_invitation(performance.id), "Door A")
    phone = Actor("Door A", token_id=device.id, label="Door A")
    admit(performance.id, other.reference, uuid4(), phone)
    database.execute("UPDATE reservation SET name = %s, note = %s", [WITH_CONTROL, WITH_CONTROL])
    database.execute("UPDATE api_token SET label = %s", [WITH_CONTROL])
    database.execute("UPDATE scan SET door = %s", [WITH_CONTROL])
    db.session.expire_all()
    fresh = admit(performance.id, ticket_token(party), uuid4(), phone).party
    second = admit(performance.id, other.reference, uuid4(), phone)
    heard = devices.find_device(token)
    assert fresh is not None
    assert second.party is not None
    assert second.first is not None
    assert heard is not None
    said = [
        *(fresh.name, fresh.note, second.party.name, second.party.note),
        *(second.first.by, second.first.door, heard.label),
    ]
    assert said == ["AdaissoR"] * len(said)


def test_bidi_controls_are_removed_on_storing(
    database: psycopg.Connection[Any],
) -> None:
    a_party(a_performance(), 2, name=WITH_CONTROL)
    assert database.execute("SELECT name FROM reservation").fetchall() == [("AdaissoR",)]
