"""Two edits of one row at the same moment, on real connections.

The first is stopped where its change is recorded, before it commits; then comes the second. The negative
controls read the row without its lock: then the second overwrites what it never saw.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from flask import Flask

from azionelab.bookings import locks, performance_changes
from azionelab.bookings.mails.templates.models import TemplateName, TemplateText
from azionelab.bookings.mails.templates.stored import TextChanged, TextKey, save_text
from azionelab.database import db, row_versions
from azionelab.database.row_versions import Edit, delete_row, edit_row, merge
from azionelab.shows.models import Performance, Venue
from tests.bookings.test_locks import Race, without_its_lock
from tests.factories import a_performance

pytestmark = pytest.mark.usefixtures("in_app")

GATE = "LOCK TABLE row_change IN EXCLUSIVE MODE"


@pytest.fixture
def race(app: Flask, database_url: str) -> Race:
    """Two people on connections of their own."""
    return Race(app, database_url)


@pytest.fixture(params=[True, False], ids=["locked", "negative control without the lock"])
def locked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether edits lock their row."""
    if not request.param:
        monkeypatch.setattr(locks, "_PERFORMANCE", without_its_lock(locks._PERFORMANCE))
        monkeypatch.setattr(
            row_versions,
            "lock_row",
            lambda session, model, identity: session.get(model, identity, populate_existing=True),
        )
    return bool(request.param)


def an_edit(version: int, **wanted: Any) -> Edit:
    """An edit as of a form that shows the values as they are."""
    return Edit(version, wanted, lambda name, stored: wanted[name] == stored, None)


def cut(performance_id: int, capacity: int) -> None:
    """Give a performance other seats, by a form of its first version."""

    def write(performance: Performance) -> None:
        merge(db.session(), performance, an_edit(1, capacity=capacity)).write_to(performance)

    performance_changes.change_performance(performance_id, write)


def rename(venue_id: int, name: str) -> None:
    """Give a venue another name, by a form of its first version."""
    edit_row(Venue, venue_id, an_edit(1, name=name))


def delete(venue_id: int) -> None:
    """Delete a venue as it was in its first version."""
    delete_row(Venue, venue_id, 1, by=None)


def test_two_who_change_the_seats_at_once(race: Race, locked: bool) -> None:
    performance = a_performance(capacity=100)
    told = race.run(GATE, partial(cut, performance.id, 80), partial(cut, performance.id, 90))
    db.session.rollback()
    left = db.session.get_one(Performance, performance.id, populate_existing=True)
    if locked:
        assert (told, left.capacity) == (["done", "EditConflict"], 80)
    else:
        assert (told, left.capacity) == (["done", "done"], 90), "nobody was overwritten"


def test_two_who_rename_a_venue_at_once(race: Race, locked: bool) -> None:
    venue = a_performance().venue
    told = race.run(GATE, partial(rename, venue.id, "Grande"), partial(rename, venue.id, "Piccola"))
    db.session.rollback()
    left = db.session.get_one(Venue, venue.id, populate_existing=True)
    if locked:
        assert (told, left.name) == (["done", "EditConflict"], "Grande")
    else:
        assert (told, left.name) == (["done", "done"], "Piccola"), "nobody was overwritten"


def test_what_is_being_renamed_is_not_deleted(race: Race, locked: bool) -> None:
    venue = Venue(name="Grande")
    with row_versions.transaction() as session:
        session.add(venue)
    told = race.run(GATE, partial(rename, venue.id, "Piccola"), partial(delete, venue.id))
    assert told == ["done", "EditConflict" if locked else "done"]


@pytest.fixture(params=[True, False], ids=["one of a number", "negative control without the key"])
def numbered(request: pytest.FixtureRequest, database: psycopg.Connection[Any]) -> Iterator[bool]:
    """Whether the database refuses a second version of one number."""
    key = "uq_mail_template_version_template"
    if request.param:
        yield True
        return
    database.execute(f"ALTER TABLE mail_template_version DROP CONSTRAINT {key}")
    yield False
    db.session.rollback()
    database.execute("TRUNCATE mail_template_version")
    database.execute(
        f"ALTER TABLE mail_template_version ADD CONSTRAINT {key} UNIQUE (template, language, version)"
    )


def test_of_two_who_change_a_mail_s_text_at_once_the_second_is_told(
    race: Race, numbered: bool
) -> None:
    def save(subject: str) -> str:
        key = TextKey(TemplateName.CANCELLED, "en")
        text = TemplateText(subject, "Cancelled", "Your booking was cancelled.")
        try:
            return f"saved: {save_text(key, text, seen=0, by=None)}"
        except TextChanged:
            return "told"

    gate = "LOCK TABLE audit_entry IN EXCLUSIVE MODE"
    told = race.run(gate, partial(save, "Anna's"), partial(save, "Bruno's"))
    assert told == ["saved: True", "told" if numbered else "saved: True"]
