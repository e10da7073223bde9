"""Syncs that ask again while nothing was written get the kept answer; after any write they do not."""

from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event

from azionelab.checkin.devices import kept_news
from azionelab.checkin.devices.invitations import make_invitation
from azionelab.checkin.devices.rights import Right
from azionelab.database import db
from azionelab.staff.tokens import Scope
from tests.api.test_door_sync import Phone
from tests.factories import a_performance

Phones = tuple[Phone, Phone]


@pytest.fixture
def phones(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Phones:
    """A phone with all rights and one that only scans, both of which know the whole list."""
    monkeypatch.setattr(kept_news, "_KEPT_FOR", 600.0)
    with app.app_context():
        evening = a_performance(capacity=10).id
        invitations = make_invitation(evening), make_invitation(evening, scope=Scope.SCAN)
    full, scans_only = (Phone(app.test_client(), each, each[-4:]) for each in invitations)
    # The first question of each writes that it was heard from. From then on both ask the same.
    for phone in (full, scans_only, full):
        phone.sync()
    scans_only.cursor = full.cursor
    return full, scans_only


def count_reads(app: Flask, phone: Phone) -> int:
    """How many statements a question of a phone takes beside the search for the phone itself.

    The least of some, since PostgreSQL's own maintenance may write, too.
    """
    sent: list[str] = []

    def note(*args: Any) -> None:
        sent.append(args[2])

    def ask() -> int:
        sent.clear()
        phone.ask()
        return len(sent)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    least = min(ask() for _ in range(4))
    event.remove(engine, "before_cursor_execute", note)
    return least


def test_who_asks_again_gets_the_kept_answer(app: Flask, phones: Phones) -> None:
    phone, _ = phones
    first = phone.ask().json
    assert count_reads(app, phone) == 0
    again = phone.ask().json
    assert again["server_time"] > first["server_time"]
    assert again["counts"] | {"known_at": ""} == first["counts"] | {"known_at": ""}
    assert (again["parties"], again["cursor"]) == ([], first["cursor"])


def test_a_write_of_anybody_is_seen_at_once(
    app: Flask, phones: Phones, database: psycopg.Connection[Any]
) -> None:
    phone, _ = phones
    assert count_reads(app, phone) == 0
    for capacity in (9, 8, 7):
        database.execute("UPDATE performance SET capacity = %s", [capacity])
        assert phone.ask().json["counts"]["capacity"] == capacity


def test_phones_with_other_rights_get_other_answers(app: Flask, phones: Phones) -> None:
    full, scans_only = phones
    rights = full.ask().json["rights"], scans_only.ask().json["rights"]
    assert (count_reads(app, full), count_reads(app, scans_only)) == (0, 0)
    assert (full.ask().json["rights"], scans_only.ask().json["rights"]) == rights
    assert Right.RELEASE in rights[0]
    assert Right.RELEASE not in rights[1]


def test_what_a_phone_did_is_in_its_own_answer(app: Flask, phones: Phones) -> None:
    phone, _ = phones
    walk_in = {"kind": "walk_in", "scan_id": "5e0cd4ac-6a5f-4e0e-9f0a-0a4f0d6a0b11", "people": 2}
    assert count_reads(app, phone) == 0
    assert phone.ask(walk_in).json["counts"]["walk_ins"] == 2
    assert phone.ask().json["counts"]["walk_ins"] == 2
