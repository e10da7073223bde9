"""The season's feed, checked against RFC 4287, and its calendars, read by a second library."""

import re
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import psycopg
import pytest
import vobject
from flask.testing import FlaskClient

from azionelab.bookings.performance_changes import cancel_performance, change_performance
from azionelab.database import now, transaction
from azionelab.shows.models import Show
from azionelab.shows.whats_on.change_times import BEFORE_THE_LOG
from tests.factories import a_party, a_performance

pytestmark = pytest.mark.usefixtures("in_app")

A = "{http://www.w3.org/2005/Atom}"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")  # RFC 3339
TAG = re.compile(r"tag:[a-z0-9.-]+,\d{4}:[A-Za-z0-9/_-]+")  # RFC 4151
# What a feed and an entry hold, and how often (RFC 4287, 4.1.1 and 4.1.2).
ONCE = {"id", "title", "updated"}
KNOWN = {"feed": ONCE | {"link", "author", "entry"}, "entry": ONCE | {"link", "summary"}}


def check(element: ElementTree.Element) -> None:
    """Whether a feed or an entry is as RFC 4287 asks."""
    name = element.tag.removeprefix(A)
    children = [child.tag.removeprefix(A) for child in element]
    assert set(children) <= KNOWN[name], "an element that the RFC does not know here"
    for required in ONCE:
        assert children.count(required) == 1
        assert element.findtext(A + required)
    assert children.count("summary") <= 1
    assert TAG.fullmatch(str(element.findtext(f"{A}id")))
    assert DATE.fullmatch(str(element.findtext(f"{A}updated")))
    links = [link.attrib for link in element.iter(f"{A}link") if link in list(element)]
    relations = [(link["rel"], link["type"]) for link in links]
    assert len(set(relations)) == len(relations)
    assert ("alternate", "text/html") in relations
    assert all(link["href"].startswith("http") for link in links)
    if name == "feed":
        assert ("self", "application/atom+xml") in relations
        assert element.findtext(f"{A}author/{A}name"), "entries without an author need the feed's"
        assert element.attrib.keys() == {"{http://www.w3.org/XML/1998/namespace}lang"}


def read(client: FlaskClient, language: str = "it") -> tuple[ElementTree.Element, dict[str, str]]:
    """The feed, and when each entry changed, by its id in the feed's order."""
    answer = client.get(f"/{language}/season.atom")
    assert (answer.status_code, answer.mimetype) == (200, "application/atom+xml")
    assert "Set-Cookie" not in answer.headers
    feed = ElementTree.fromstring(answer.data)  # noqa: S314 (our own)
    check(feed)
    entries = feed.findall(f"{A}entry")
    for entry in entries:
        check(entry)
    times = {str(each.findtext(f"{A}id")): str(each.findtext(f"{A}updated")) for each in entries}
    assert len(times) == len(entries)
    newest = max(times.values(), key=datetime.fromisoformat, default=BEFORE_THE_LOG.isoformat())
    assert feed.findtext(f"{A}updated") == newest
    return feed, times


def test_a_feed_tells_what_changed_and_when(client: FlaskClient) -> None:
    assert read(client)[1] == {}
    began = now()
    first, second = a_performance(), a_performance(capacity=2)
    a_performance(published=False)
    before = read(client)[1]
    assert len(before) == 2
    assert all(began <= datetime.fromisoformat(time) <= now() for time in before.values())
    assert not before.keys() & read(client, "en")[1].keys(), "an entry in another language"
    # What visitors do is no news; a move, a title and a cancellation are.
    a_party(second, 2)
    change_performance(first.id, lambda performance: setattr(performance, "capacity", 30))
    assert read(client)[1] == before
    later = first.starts_at + timedelta(days=2)
    change_performance(first.id, lambda performance: setattr(performance, "starts_at", later))
    moved = read(client)[1]
    assert moved.keys() == before.keys()
    changed = [key for key in before if before[key] != moved[key]]
    assert changed == [next(iter(moved))], "the one that moved is the newest, and has its id"
    with transaction() as session:
        session.get_one(Show, second.show_id).titles = {"it": "Le sorelle", "en": "The Sisters"}
    titled = read(client)[1]
    assert [key for key in titled if titled[key] != moved[key]] == [next(iter(titled))]
    cancel_performance(second.id)
    newest = next(read(client, "en")[0].iter(f"{A}entry"))
    assert str(newest.findtext(f"{A}title")).startswith("Cancelled: The Sisters, ")
    head, body = client.get("/en/").text.split("<body")
    assert 'type="application/atom+xml"' in head
    assert 'href="/en/season.atom"' in head
    assert 'href="/en/season.atom"' in body


def test_what_is_older_than_the_log_has_a_time_that_stays(
    client: FlaskClient, database: psycopg.Connection[Any]
) -> None:
    a_performance()
    database.execute("DELETE FROM audit_entry")
    assert list(read(client)[1].values()) == [BEFORE_THE_LOG.isoformat()]


def test_a_second_library_reads_the_calendars(client: FlaskClient) -> None:
    show = Show(slug="gabbiano", title="Il gabbiano, di Čechov; atto unico", published=True)
    first = a_performance(show=show)
    off = a_performance(show=show, starts_at=first.starts_at + timedelta(days=1))
    cancel_performance(off.id)
    for address in ("/it/season.ics", "/it/shows/gabbiano/season.ics"):
        calendar = vobject.readOne(client.get(address).data.decode())
        assert calendar.method.value == "PUBLISH"
        one, other = sorted(calendar.vevent_list, key=lambda event: event.dtstart.value)
        assert one.dtstart.value == first.starts_at.replace(microsecond=0)
        assert one.summary.value == show.title
        assert one.location.value == f"{first.venue.name}, Via Roma 1"
        assert (one.status.value, other.status.value) == ("CONFIRMED", "CANCELLED")
        assert int(other.sequence.value) > int(one.sequence.value)
        assert one.uid.value != other.uid.value
