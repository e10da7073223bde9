"""The programme as a list and a calendar: filters, search and pages in its address, and calendar files."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar

from azionelab.bookings.performance_changes import change_performance
from azionelab.database import now, transaction
from azionelab.shows.models import Performance, Show, Venue
from azionelab.shows.whats_on.board import EVENINGS_PER_PAGE, EVENINGS_PER_SHOW, SHOWS_PER_PAGE
from tests.factories import a_party, a_performance

pytestmark = pytest.mark.usefixtures("in_app")


def main_of(client: FlaskClient, language: str = "en", **query: Any) -> str:
    answer = client.get(f"/{language}/?{urlencode(query)}")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    return unescape(answer.text.split("<main")[1])


def booked(page: str) -> set[int]:
    """The performances that a page leads on from, to their booking form or waitlist."""
    return {int(number) for number in re.findall(r"/performances/(\d+)/(?:book|waitlist)", page)}


def test_a_visitor_finds_an_evening_by_month_show_venue_seats_and_words(
    client: FlaskClient,
) -> None:
    year = now().year + 1
    hall, cellar = Venue(name="Sala Grande"), Venue(name="Ridotto")
    why = Show(slug="perche-no", title="Perché no?", summary="Un monologo", published=True)
    inn = Show(slug="locandiera", title="La locandiera", published=True)
    # 23:30 UTC on the last day of January is February in Rome.
    late = a_performance(
        show=why,
        venue=hall,
        starts_at=datetime(year, 1, 31, 23, 30, tzinfo=UTC),
        booking_opens_at=now(),
    )
    first = a_performance(
        show=inn,
        venue=cellar,
        starts_at=datetime(year, 2, 3, 20, tzinfo=UTC),
        booking_opens_at=now(),
    )
    full = a_performance(
        2,
        show=inn,
        venue=hall,
        starts_at=datetime(year, 3, 3, 20, tzinfo=UTC),
        booking_opens_at=now(),
    )
    a_party(full, 2)
    for query, found in (
        ({}, {late, first, full}),
        ({"month": f"{year}-02"}, {late, first}),
        ({"month": f"{year}-01"}, set()),
        ({"show": "locandiera"}, {first, full}),
        ({"venue": hall.id}, {late, full}),
        ({"free": 1}, {late, first}),
        ({"q": "PERCHE"}, {late}),
        ({"q": "sala locand"}, {full}),
        ({"q": "ridotto", "show": "perche-no"}, set()),
        ({"month": "2026-13", "show": "<b>", "venue": "9" * 30, "page": "-1", "view": "x", "q": "\0"}, {late, first, full}),
        ({"month": "soon", "show": "A", "venue": "x", "page": "0"}, {late, first, full}),
    ):  # fmt: skip
        for view in ({}, {"view": "calendar"}):
            page = main_of(client, **query | view).split("You can still book")[0]
            if not view or len({each.starts_at.month for each in found}) == 1:
                shown = {each.id for each in found}
                assert booked(page) == shown, query
            assert 'value="<b>"' not in page
        assert f"{len(found)} performance" in page
    assert "Search and filter</summary>" in main_of(client, view="calendar")
    chosen = main_of(client, free=1, month=f"{year}-02", q="a")
    assert "Search and filter (3 active)</summary>" in chosen
    assert '<input type="checkbox" name="free" value="1" checked>' in chosen
    assert f'<option value="{year}-02" selected>February {year}' in chosen
    assert f'<option value="{year}-02" selected>Febbraio {year}' in main_of(
        client, "it", month=f"{year}-02"
    )
    # Everything that was chosen stays in the links to the other view and to the other month.
    (calendar,) = re.findall(r'href="(/en/\?view=calendar[^"]*)"', chosen)
    assert parse_qs(urlsplit(calendar).query) == {
        "view": ["calendar"], "month": [f"{year}-02"], "free": ["1"], "q": ["a"],
    }  # fmt: skip
    sheet = client.get(calendar).text
    assert f'href="/en/?view=calendar&amp;month={year}-03&amp;free=1&amp;q=a" rel="next"' in sheet
    assert sheet.count("<td") % 7 == 0
    nothing = main_of(client, show="locandiera", month=f"{year}-03", free=1)
    assert "Seats come back" in nothing
    assert f'href="/en/?month={year}-03&show=locandiera"' in nothing


def test_only_the_whole_programme_is_for_search_engines(client: FlaskClient) -> None:
    a_performance()
    plain = client.get("/it/?utm_source=a").text
    assert "noindex" not in plain
    assert plain.count('rel="alternate" hreflang=') == 3
    for query in ("free=1", "view=calendar", "q=a", "page=2", "month=2030-01"):
        page = client.get(f"/it/?{query}").text
        assert '<meta name="robots" content="noindex, follow">' in page
        assert re.search(r'<link rel="canonical" href="[^"?]*/it/">', page)
        assert 'hreflang="en" href=' not in page.split("<body")[0]


def test_search_engines_find_each_public_page_in_each_language(
    app: Flask, client: FlaskClient
) -> None:
    show = a_performance().show
    hidden = a_performance(published=False).show
    site = app.config["AZIONELAB"].site_base_url
    answer = client.get("/sitemap.xml")
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    sitemap = ElementTree.fromstring(answer.data)  # noqa: S314 (our own)
    spaces = {
        "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
        "x": "http://www.w3.org/1999/xhtml",
    }
    found = {loc.text for loc in sitemap.iterfind("s:url/s:loc", spaces)}
    paths = ("/", f"/shows/{show.slug}")
    assert found == {f"{site}/{tag}{path}" for tag in ("it", "en") for path in paths}
    for url in sitemap.iterfind("s:url", spaces):
        links = {
            link.attrib["hreflang"]: link.attrib["href"] for link in url.iterfind("x:link", spaces)
        }
        assert links.keys() == {"it", "en", "x-default"}
        assert url.findtext("s:loc", None, spaces) in links.values()
    assert hidden.slug not in answer.text
    for address in found:
        page = client.get(str(address).removeprefix(site))
        assert page.status_code == 200
        assert f'<link rel="canonical" href="{address}">' in page.text
    robots = client.get("/robots.txt").text
    assert f"Sitemap: {site}/sitemap.xml\n" in robots
    assert "Disallow: /admin/\n" in robots
    assert "bookings" not in robots, "their noindex has to be read"


def test_a_long_season_comes_in_pages(client: FlaskClient) -> None:
    curtain = now() + timedelta(days=1)
    venue = Venue(name="Sala")
    with transaction() as session:
        for number in range(SHOWS_PER_PAGE + 2):
            show = Show(slug=f"long-{number}", title=f"Long {number}", published=True)
            session.add_all(_evenings(show, venue, curtain + timedelta(hours=number), 50))
    pages = [main_of(client, page=number) for number in (1, 2, 9)]
    counts = [len(booked(page)) for page in pages]
    assert counts == [
        SHOWS_PER_PAGE * EVENINGS_PER_SHOW,
        2 * EVENINGS_PER_SHOW,
        2 * EVENINGS_PER_SHOW,
    ]
    assert not booked(pages[0]) & booked(pages[1])
    assert 'rel="next" href="/en/?page=2"' in pages[0]
    assert 'href="/en/?show=long-0"' in pages[0]
    assert "All 50 performances" in pages[0]
    assert all(len(page) < 90_000 for page in pages)
    one = [booked(main_of(client, show="long-0", page=number)) for number in (1, 2)]
    assert [len(page) for page in one] == [EVENINGS_PER_PAGE, 50 - EVENINGS_PER_PAGE]
    assert len(booked(main_of(client, view="calendar"))) <= 31 * (SHOWS_PER_PAGE + 2)


def _evenings(show: Show, venue: Venue, first: datetime, count: int) -> Sequence[Performance]:
    return [
        Performance(
            show=show, venue=venue, capacity=9, starts_at=first + timedelta(days=day),
            booking_opens_at=now() - timedelta(days=1), booking_closes_at=first + timedelta(days=day),
        )
        for day in range(count)
    ]  # fmt: skip


def test_each_state_says_what_to_do_next(client: FlaskClient) -> None:
    empty = main_of(client)
    assert "The stage is dark" in empty
    assert "/en/season.ics" in empty
    later = a_performance(booking_opens_at=now() + timedelta(hours=5))
    full, off = a_performance(0), a_performance(cancelled_at=now())
    a_performance(booking_closes_at=now())
    page = main_of(client)
    assert f'href="/en/performances/{later.id}/opening.ics">Remind me' in page
    assert f'href="/en/performances/{full.id}/waitlist">Waitlist' in page
    assert f'href="/en/?show={off.show.slug}&free=1">Other evenings' in page
    assert "given out at the door" in page
    entry = Calendar.from_ical(client.get(f"/en/performances/{later.id}/opening.ics").data)
    (event,) = entry.walk("VEVENT")
    assert event.decoded("dtstart") == later.booking_opens_at.replace(microsecond=0)
    assert f"/en/performances/{later.id}/book" in event["url"]
    assert client.get(f"/en/performances/{full.id}/opening.ics").status_code == 410
    assert client.get("/en/performances/999999/opening.ics").status_code == 404
    hidden = a_performance(published=False, booking_opens_at=now() + timedelta(hours=5))
    assert client.get(f"/en/performances/{hidden.id}/opening.ics").status_code == 404


def test_a_choice_without_evenings_says_what_there_is(client: FlaskClient) -> None:
    def nothing(show: Show, **query: Any) -> str:
        page = main_of(client, show=show.slug, **query)
        assert "Nothing matches" in page
        assert booked(page.split("You can still book")[1]) == {free.id}
        return page

    free = a_performance()
    full, off = a_performance(0), a_performance(cancelled_at=now())
    later = a_performance(booking_opens_at=now() + timedelta(hours=5))
    past = a_performance(starts_at=now() - timedelta(days=1))
    page = nothing(full.show, free=1)
    assert "Seats come back when others cancel" in page
    assert f'href="/en/?show={full.show.slug}">Also the sold-out ones' in page
    page = nothing(later.show, free=1)
    assert "booking opens later, or is closed" in page
    assert f'href="/en/?show={later.show.slug}">Show them all the same' in page
    for over in (off.show, past.show):
        page = nothing(over, free=1)
        assert "No other performance of this show is announced." in page
        assert f'href="/en/shows/{over.slug}">About the show' in page
        assert "sold-out" not in page
    # Its own page leads on to others, and not back to this one.
    page = unescape(client.get(f"/en/shows/{past.show.slug}").text)
    assert "The last ones" in page
    assert "Other evenings" not in page
    assert booked(page) == {free.id}


def test_a_subscribed_calendar_gets_changes(client: FlaskClient) -> None:
    moved, off, other = a_performance(), a_performance(), a_performance()
    addresses = ("/it/season.ics", f"/it/shows/{moved.show.slug}/season.ics")

    def events(address: str) -> dict[str, Any]:
        answer = client.get(address)
        assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
        return {str(each["uid"]): each for each in Calendar.from_ical(answer.data).walk("VEVENT")}

    before = events(addresses[0])
    assert len(before) == 3
    assert len(events(addresses[1])) == 1
    later = moved.starts_at + timedelta(days=1)
    change_performance(moved.id, lambda performance: setattr(performance, "starts_at", later))
    change_performance(off.id, lambda performance: setattr(performance, "cancelled_at", now()))
    after = events(addresses[0])
    assert after.keys() == before.keys()
    by_title = {str(event["summary"]): (event, before[uid]) for uid, event in after.items()}
    event, old = by_title[moved.show.title]
    assert event.decoded("dtstart") == later.replace(microsecond=0)
    assert event["sequence"] > old["sequence"]
    event, old = by_title[off.show.title]
    assert (event["status"], old["status"]) == ("CANCELLED", "CONFIRMED")
    assert event["sequence"] > old["sequence"]
    event, old = by_title[other.show.title]
    assert event["sequence"] == old["sequence"]
    assert client.get("/it/shows/nothing/season.ics").status_code == 404
