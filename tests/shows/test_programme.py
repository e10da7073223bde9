"""The programme and the show's page."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from azionelab.database import db, now, transaction
from azionelab.shows.models import Performance, Show, Venue
from azionelab.shows.whats_on.board import EVENINGS_PER_PAGE
from azionelab.validation.postal_addresses import postal_address
from tests.factories import a_party, a_performance

pytestmark = pytest.mark.usefixtures("in_app")
ENGLISH = {"Accept-Language": "en"}


def test_the_programme_shows_coming_performances_of_published_shows(client: FlaskClient) -> None:
    shown = a_performance()
    past, hidden = (
        a_performance(starts_at=now() - timedelta(hours=1)),
        a_performance(published=False),
    )
    page = client.get("/", headers=ENGLISH).text
    assert shown.show.title in page
    assert f"/performances/{shown.id}/book" in page
    for absent in (past, hidden):
        assert f"/performances/{absent.id}/book" not in page


def test_a_show_that_is_not_listed_is_found_by_its_address_only(client: FlaskClient) -> None:
    show = Show(slug="for-friends", title="For friends", published=True, listed=False)
    hidden = a_performance(show=show)
    assert show.title not in client.get("/", headers=ENGLISH).text
    assert client.get("/api/v1/performances").json == {"performances": []}
    for address in (
        "/shows/for-friends",
        f"/performances/{hidden.id}/book",
        f"/api/v1/performances/{hidden.id}",
    ):
        assert client.get(address).status_code == 200


def test_seats_left_and_states_are_told(client: FlaskClient) -> None:
    performance = a_performance(capacity=7)
    a_party(performance, 2)
    assert re.search(r"\b5\b", client.get("/", headers=ENGLISH).text.split("<main")[1])
    for facts, words in (
        ({"capacity": 0}, "Sold out"),
        ({"cancelled_at": now()}, "Cancelled"),
        ({"booking_closes_at": now()}, "closed"),
    ):
        odd = a_performance(**facts)
        page = client.get(f"/shows/{odd.show.slug}", headers=ENGLISH).text
        assert words.lower() in page.lower()
        assert f'/performances/{odd.id}/book">Book<' not in page


def test_times_are_the_theatres(client: FlaskClient) -> None:
    winter = datetime(now().year + 1, 1, 15, 20, 30, tzinfo=UTC)
    summer = datetime(now().year + 1, 7, 15, 20, 30, tzinfo=UTC)
    performances = [a_performance(starts_at=winter), a_performance(starts_at=summer)]
    pages = [client.get(f"/shows/{p.show.slug}?lang=it").text for p in performances]
    assert "21:30" in pages[0]
    assert "22:30" in pages[1]


def test_an_empty_programme_says_so(client: FlaskClient) -> None:
    page = client.get("/", headers=ENGLISH)
    assert page.status_code == 200
    assert "<main" in page.text


def test_a_show_is_described_for_machines(client: FlaskClient) -> None:
    performance = a_performance(capacity=0)
    page = client.get(f"/shows/{performance.show.slug}").text
    block = re.search(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', page, re.S)
    assert block
    (event_,) = json.loads(block[1])["@graph"]
    assert event_["@type"] == "TheaterEvent"
    assert datetime.fromisoformat(event_["startDate"]) == performance.starts_at.replace(
        microsecond=0
    )
    assert event_["offers"]["availability"].endswith("SoldOut")


def test_what_machines_are_told_is_what_visitors_read(client: FlaskClient) -> None:
    curtain = datetime(now().year + 1, 7, 15, 18, 30, tzinfo=UTC)
    show = Show(slug="told", title="Told", duration_minutes=100, published=True)
    venue = Venue(name="Sala Uno", address="Via Mazzini 5, 40137 Bologna (BO)")
    a_performance(show=show, venue=venue, starts_at=curtain)
    a_performance(show=show, venue=venue, starts_at=datetime(now().year + 2, 1, 15, tzinfo=UTC))
    page = client.get("/shows/told").text
    block = re.search(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', page, re.S)
    assert block
    told, in_winter = json.loads(block[1])["@graph"]
    assert told["startDate"] == f"{curtain.year}-07-15T20:30:00+02:00"
    assert told["endDate"] == f"{curtain.year}-07-15T22:10:00+02:00"
    assert in_winter["startDate"].endswith("T01:00:00+01:00")
    assert told["organizer"]["name"] == "AzioneLab"
    (image,) = told["image"]
    assert image.startswith(told["organizer"]["url"])
    with client.get(urlsplit(image).path) as picture:
        assert picture.mimetype == "image/png"
    assert told["location"]["address"]["addressLocality"] == "Bologna"


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        (
            "Via Mazzini 5, 40137 Bologna (BO)",
            {
                "streetAddress": "Via Mazzini 5",
                "postalCode": "40137",
                "addressLocality": "Bologna",
                "addressRegion": "BO",
            },
        ),
        (
            "Piazza Grande, 3\n6600 Locarno ",
            {
                "streetAddress": "Piazza Grande, 3",
                "postalCode": "6600",
                "addressLocality": "Locarno",
            },
        ),
        (
            "c/o Rossi, Via Po 1, I-10124 Torino",
            {
                "streetAddress": "c/o Rossi, Via Po 1",
                "postalCode": "I-10124",
                "addressLocality": "Torino",
            },
        ),
        ("Via Po 1, Torino", {"streetAddress": "Via Po 1, Torino"}),
        ("Via Po, 10124", {"streetAddress": "Via Po, 10124"}),
        ("Via Po 1, 10124 Torino, Italia", {"streetAddress": "Via Po 1, 10124 Torino, Italia"}),
        ("  ", {}),
    ],
)
def test_an_address_is_told_in_parts_where_they_are_sure(typed: str, parts: dict[str, str]) -> None:
    assert postal_address(typed) == {"@type": "PostalAddress"} | parts


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("One\nTwo\n\n \n\nThree <b>&", ["One<br>\nTwo", "Three &lt;b&gt;&amp;"]),
        ("\r\nOne\r\n  Two\r\n\r\nThree", ["One<br>\nTwo", "Three"]),
        ("", []),
    ],
)
def test_a_description_is_shown_as_it_was_typed(
    client: FlaskClient, typed: str, shown: list[str]
) -> None:
    show = Show(slug="typed", title="Typed", description=typed, published=True)
    a_performance(show=show)
    page = client.get("/it/shows/typed").text
    texts = re.search(r'<div class="show-text flow">(.*?)</div>', page, re.DOTALL)
    assert re.findall(r"<p>(.*?)</p>", texts[1] if texts else "", re.DOTALL) == shown


def test_unknown_and_unpublished_shows_are_not_found(client: FlaskClient) -> None:
    hidden = a_performance(published=False).show.slug
    for slug in ("nothing", hidden, "..%2f", "x" * 5000, "%00", "a%00b"):
        assert client.get(f"/shows/{slug}").status_code == 404


def test_public_pages_carry_no_cookie_and_may_be_cached(client: FlaskClient) -> None:
    performance = a_performance()
    for address in ("/", f"/shows/{performance.show.slug}"):
        answer = client.get(address)
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "public, max-age=0"
        assert "cookie" not in answer.headers.get("Vary", "").lower()


def test_a_page_is_rendered_once_for_all_who_ask_within_its_time(
    make_app: Callable[..., Flask],
) -> None:
    performance = a_performance(capacity=7)
    visitor = make_app(PAGE_CACHE_SECONDS="60").test_client()
    address = f"/shows/{performance.show.slug}"
    before = visitor.get(address, headers=ENGLISH)
    assert before.headers["Cache-Control"] == "public, max-age=60"
    a_party(performance, 3)
    assert visitor.get(address, headers=ENGLISH).text == before.text
    assert '<html lang="it"' in visitor.get(address, headers={"Accept-Language": "it"}).text
    assert visitor.get(f"{address}?lang=en").text == before.text
    assert visitor.get(f"/performances/{performance.id}/book", headers=ENGLISH).status_code == 200
    assert visitor.get("/shows/nothing").status_code == 404


def test_two_hundred_performances_cost_at_most_four_statements(
    app: Flask, client: FlaskClient
) -> None:
    curtain = now() + timedelta(days=1)
    with transaction() as session:
        show = Show(slug="long-run", title="Long run", published=True)
        session.add_all(
            Performance(
                show=show,
                venue=Venue(name=f"Venue {number}"),
                starts_at=curtain + timedelta(days=number),
                booking_opens_at=curtain - timedelta(days=9),
                booking_closes_at=curtain + timedelta(days=number, hours=-1),
                capacity=10,
            )
            for number in range(200)
        )
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        page = client.get("/").text
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert page.count("/book") == EVENINGS_PER_PAGE
    assert 0 < len(statements) <= 4, statements


def test_a_fault_of_ours_shows_a_page_without_its_details(
    client: FlaskClient, database: psycopg.Connection[Any]
) -> None:
    a_performance()
    db.session.rollback()
    database.execute("ALTER TABLE venue RENAME TO venue_away")
    try:
        answer = client.get("/", headers=ENGLISH)
    finally:
        database.execute("ALTER TABLE venue_away RENAME TO venue")
    assert answer.status_code == 500
    assert "venue" not in answer.text
