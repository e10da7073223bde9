"""A show's page: what staff entered reaches visitors, in their language, and search engines."""

import json
import re
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from azionelab.bookings.performance_changes import change_performance
from azionelab.database import db, now, transaction
from azionelab.media import pictures
from azionelab.shows.facts.formatting import formatted, plain
from azionelab.shows.facts.texts import QuoteWithoutSource, read_credits, read_quotes
from azionelab.shows.models import Show
from azionelab.shows.season import load_season
from azionelab.shows.season_file import SeasonError
from tests.factories import a_performance
from tests.support.people import english, logged_in, press, token_of
from tests.support.pictures import a_picture

pytestmark = pytest.mark.usefixtures("in_app")

FACTS: dict[str, Any] = {
    "title": "Le sorelle",
    "slug": "le-sorelle",
    "summary": "Una casa, quattro sorelle.",
    "description": "# La casa\nQuattro *sorelle* <script>alert(1)</script>\n\n- [il sito](https://example.org)\n"
    "- [male](javascript:alert(1))",
    "published": "y",
    "title_en": "The Sisters",
    "duration_minutes": "95",
    "doors_minutes": "30",
    "age_from": "14",
    "spoken_language": "it",
    "surtitles": "en",
    "credits_it": "Regia: Anna Neri\nCon: Ada Rossi, Bruno Verdi\nUna produzione del teatro",
    "wheelchair": "y",
    "hearing_loop": "y",
    "strobe": "y",
    "access_notes_en": "The lift is at the **back**.",
    "press": "Una serata rara.\n— la Repubblica",
}


def page(client: FlaskClient, show: Show) -> str:
    answer = client.get(f"/shows/{show.slug}", follow_redirects=True)
    assert answer.status_code == 200
    return answer.text


def events(text: str) -> list[dict[str, Any]]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.S)
    assert found is not None
    graph: list[dict[str, Any]] = json.loads(found[1])["@graph"]
    return graph


def test_what_staff_enter_is_on_the_page_in_both_languages(app: Flask) -> None:
    performance = a_performance()
    show = performance.show
    staff = logged_in(app, "staff")
    edit = f"/admin/shows/edit/?id={show.id}"
    assert (
        "Who said “Una serata rara.”?"
        in press(staff, edit, **FACTS | {"press": "Una serata rara."}).text
    )
    assert "Saved." in press(staff, edit, **FACTS).text
    venue = {"name": "La Soffitta", "address": "Via Roma 1", "latitude": "44.49", "longitude": ""}
    where = f"/admin/venues/edit/?id={performance.venue_id}"
    assert "both coordinates" in press(staff, where, **venue).text
    press(staff, where, **venue | {"longitude": "11.34", "directions_it": "Autobus 27."})
    caption = pictures.Caption({"it": "Due sorelle", "en": "Two sisters"}, "Foto: Neri", (20, 80))
    pictures.add_picture(show.id, a_picture((1000, 1500)), caption, None)
    db.session.expire_all()
    show = db.session.get_one(Show, show.id)

    text = page(english(app), show)
    assert "<h1>The Sisters</h1>" in text
    assert '<p class="lead" lang="it">Una casa, quattro sorelle.</p>' in text
    for told in (
        "<h2>La casa</h2>", "<em>sorelle</em>", "&lt;script&gt;", 'rel="noopener noreferrer"',
        "About 95 minutes", "From 14 years", "<dd>Italian</dd>", "<dd>English</dd>",
        "30 minutes before the beginning", "Bruno Verdi", "places for wheelchairs",
        "hearing loop", "Strobe or flashing light", "<strong>back</strong>",
        "“Una serata rara.”", "la Repubblica", "mlat=44.490000", "Autobus 27.", "Foto: Neri",
        'alt="Two sisters"', 'type="image/avif"', 'fetchpriority="high"', 'width="960" height="1440"',
        'data-focus-x="2" data-focus-y="8"',
    ):  # fmt: skip
        assert told in text, told
    assert 'href="javascript' not in text
    assert "loud noise" not in text
    italian = app.test_client()
    italian.environ_base["HTTP_ACCEPT_LANGUAGE"] = "it"
    text = page(italian, show)
    assert "<h1>Le sorelle</h1>" in text
    assert 'alt="Due sorelle"' in text
    assert '<div class="flow" lang="en"><p>The lift' in text
    # A copy has the facts and the pictures.
    copy = {"title": "Le sorelle, ripresa", "save": "alone"}
    staff.post(
        f"/admin/season/duplicate?show={show.id}",
        data=dict(token_of(staff, f"/admin/season/duplicate?show={show.id}")) | copy,
    )
    copied = db.session.scalars(db.select(Show).where(Show.title == copy["title"])).one()
    assert (copied.credits, copied.wheelchair, copied.age_from) == (show.credits, True, 14)
    assert [one.digest for one in pictures.pictures_of(copied.id)] == [
        one.digest for one in pictures.pictures_of(show.id)
    ]


def test_two_people_edit_different_texts_of_one_show(app: Flask) -> None:
    show = a_performance().show
    staff = logged_in(app, "staff")
    edit = f"/admin/shows/edit/?id={show.id}"
    opened = dict(token_of(staff, edit))
    given = {"title": show.title, "slug": show.slug, "published": "y"}
    press(staff, edit, **given, title_en="The House")
    # Made from the first version: another text is merged, the same one is a conflict.
    both = staff.post(
        edit, data=opened | given | {"credits_en": "With: Ada"}, follow_redirects=True
    )
    assert "Saved." in both.text
    db.session.expire_all()
    show = db.session.get_one(Show, show.id)
    assert (show.titles, show.credits) == ({"en": "The House"}, {"en": "With: Ada"})
    clash = staff.post(edit, data=opened | given | {"title_en": "A Home"}, follow_redirects=True)
    assert clash.status_code == 409
    assert 'value="A Home"' in clash.text


def test_search_engines_get_what_their_documentation_asks_for(app: Flask) -> None:
    """Google's "Event structured data": required are name, startDate, location with an address; others recommended."""
    starts = now().replace(microsecond=0, second=0) + timedelta(days=3)
    performance = a_performance(1, starts_at=starts)
    show = performance.show
    edit = f"/admin/shows/edit/?id={show.id}"
    press(logged_in(app, "staff"), edit, **FACTS | {"slug": show.slug})
    pictures.add_picture(show.id, a_picture((1000, 1500)), pictures.Caption({"it": "Due"}), None)
    db.session.expire_all()
    [event] = events(page(english(app), db.session.get_one(Show, show.id)))
    zone: ZoneInfo = app.config["AZIONELAB"].time_zone
    site = app.config["AZIONELAB"].site_base_url
    assert event["@type"] == "TheaterEvent"
    assert event["name"] == "The Sisters"
    assert event["startDate"] == starts.astimezone(zone).isoformat()
    assert event["doorTime"] == (starts - timedelta(minutes=30)).astimezone(zone).isoformat()
    assert event["endDate"] == (starts + timedelta(minutes=95)).astimezone(zone).isoformat()
    assert event["duration"] == "PT95M"
    assert event["eventStatus"] == "https://schema.org/EventScheduled"
    assert event["location"]["@type"] == "PerformingArtsTheater"
    assert event["location"]["address"]["streetAddress"] == "Via Roma 1"
    assert all(image.startswith(f"{site}/media/") for image in event["image"])
    assert event["performer"] == [
        {"@type": "Person", "name": "Ada Rossi"},
        {"@type": "Person", "name": "Bruno Verdi"},
    ]
    assert event["inLanguage"] == "it"
    assert event["offers"]["availability"] == "https://schema.org/InStock"
    assert event["offers"]["url"].startswith(f"{site}/")
    assert (event["offers"]["price"], event["offers"]["priceCurrency"]) == (0, "EUR")


def test_the_tags_for_chats_name_an_image_of_poster_title_and_date(app: Flask) -> None:
    show = a_performance().show
    client, site = english(app), app.config["AZIONELAB"].site_base_url

    def tagged() -> dict[str, str]:
        text = page(client, show)
        return dict(
            re.findall(r'<meta (?:property|name)="((?:og|twitter):\w+)" content="([^"]*)"', text)
        )

    without = tagged()["og:image"]
    pictures.add_picture(show.id, a_picture((1000, 1500)), pictures.Caption({"it": "Due"}), None)
    tags = tagged()
    assert tags["og:title"] == show.title
    assert tags["twitter:card"] == "summary_large_image"
    assert tags["og:image"] != without
    for _ in range(2):  # drawn, then kept
        image = client.get(tags["og:image"].removeprefix(site))
        assert (image.status_code, image.mimetype) == (200, "image/jpeg")
        with Image.open(BytesIO(image.data)) as drawn:
            assert drawn.size == (1200, 630)
            assert drawn.getpixel((1195, 620))[0] < 140  # the poster's dark corner, at the right
    # An address that a chat kept leads to today's picture; a hidden show has none.
    old = client.get(without.removeprefix(site))
    assert (old.status_code, old.location) == (302, tags["og:image"].removeprefix(site))
    hidden = a_performance(published=False).show.slug
    assert client.get(f"/en/shows/{hidden}/share-x.jpg").status_code == 404


def test_simple_formatting_is_all_there_is() -> None:
    assert plain("# Una *notte*\n\n- a & b") == "Una notte a & b"
    harmful = formatted(
        "<img src=x onerror=alert(1)> [x](data:text/html,x) ![y](https://x.y/z.png)\n\n    code"
    )
    assert "<img" not in harmful
    assert 'href="data' not in harmful
    assert "<code" not in harmful
    assert formatted("uno\ndue\n\ntre").count("<p>") == 2
    headings = "#### uno\n# due\n#### tre"
    assert re.findall("<h.", formatted(headings)) == ["<h3", "<h3", "<h4"]
    assert re.findall("<h.", formatted(headings, 2)) == ["<h2", "<h2", "<h3"]


def test_credits_and_quotes_are_read_line_by_line() -> None:
    assert [(one.role, one.name) for one in read_credits("Regia : Ada\n\nTutti insieme\n: x")] == [
        ("Regia", "Ada"), ("", "Tutti insieme"), ("", ": x"),
    ]  # fmt: skip
    assert [(one.text, one.source) for one in read_quotes("“Bello.”\nDavvero.\n- A. Neri\n\nSì.\n— R2")] == [
        ("Bello.” Davvero.", "A. Neri"), ("Sì.", "R2"),
    ]  # fmt: skip
    with pytest.raises(QuoteWithoutSource):
        read_quotes("Bello.\nDavvero.")


def test_a_moved_performance_says_from_when(app: Flask) -> None:
    first = now().replace(microsecond=0, second=0) + timedelta(days=3)
    performance = a_performance(starts_at=first)
    client, show, zone = english(app), performance.show, app.config["AZIONELAB"].time_zone

    def move(to: datetime) -> dict[str, Any]:
        change_performance(performance.id, lambda each: setattr(each, "starts_at", to))
        [event] = events(page(client, show))
        return event

    assert "previousStartDate" not in events(page(client, show))[0]
    for days in (1, 2):  # from the start that was announced, however often it moves
        event = move(first + timedelta(days=days))
        assert event["eventStatus"] == "https://schema.org/EventRescheduled"
        assert event["previousStartDate"] == first.astimezone(zone).isoformat()
    struck = f'Moved from <s><time datetime="{first.isoformat(timespec="seconds")}">'
    for address in (f"/en/shows/{show.slug}", "/en/", f"/en/performances/{performance.id}/book"):
        assert struck in client.get(address).text
    assert '<span class="note">Moved</span>' in client.get("/en/?view=calendar").text
    assert "Moved from" in client.get("/en/season.ics").text
    assert "Moved from" in client.get("/en/season.atom").text
    told = client.get(f"/api/v1/performances/{performance.id}").json
    assert datetime.fromisoformat(told["moved_from"]) == first
    assert move(first)["eventStatus"] == "https://schema.org/EventScheduled"
    assert "Moved from" not in page(client, show)
    with transaction() as session:
        session.get_one(Show, show.id).published = False
    change_performance(
        performance.id, lambda each: setattr(each, "starts_at", first - timedelta(1))
    )
    with transaction() as session:
        session.get_one(Show, show.id).published = True
    assert "Moved from" not in page(client, show), "nobody saw the draft's time"


def test_a_show_that_is_over_says_so_and_leads_on(app: Flask) -> None:
    over = a_performance(
        starts_at=now() - timedelta(days=2), booking_opens_at=now() - timedelta(days=9)
    )
    began = a_performance(
        starts_at=now() - timedelta(minutes=5), booking_opens_at=now() - timedelta(days=9)
    )
    next_one = a_performance()
    client = english(app)
    for performance, told in ((over, "Over"), (began, "It has begun")):
        text = page(client, performance.show)
        assert re.search(rf'<p class="seats">\s*{told}\s*</p>', text)
        assert f"/performances/{next_one.id}/book" in text
        assert f"/performances/{performance.id}/book" not in text
        form = client.get(f"/en/performances/{performance.id}/book").text
        assert "This performance has begun already, or is over." in form
        assert f"/performances/{next_one.id}/book" in form
    assert "The last ones" not in page(client, next_one.show)


def test_programs_read_a_shows_facts_and_pictures(app: Flask, tmp_path: Path) -> None:
    """Those of a season's file."""
    file = tmp_path / "season.toml"
    file.write_text(
        """[[show]]
slug = "sorelle"
title = "Le sorelle"
title_en = "The Sisters"
description_en = "Four *sisters*."
credits_it = "Regia: Anna Neri"
access_notes_en = "The lift is at the back."
press = "Una serata rara.\\n— la Repubblica"
age_from = 14
spoken_language = "zxx"
surtitles = "en"
strobe = true
""",
        encoding="utf-8",
    )
    load_season(file)
    show = db.session.scalars(db.select(Show)).one()
    pictures.add_picture(show.id, a_picture((1000, 1500)), pictures.Caption({"it": "Due"}), None)
    told = app.test_client().get(f"/api/v1/shows/{show.id}").json
    assert told["title"] == {"it": "Le sorelle", "en": "The Sisters"}
    assert told["description"] == {"en": "Four *sisters*."}
    assert told["summary"] == {}
    assert told["credits"] == {"it": [{"role": "Regia", "name": "Anna Neri"}]}
    assert told["access_notes"] == {"en": "The lift is at the back."}
    assert told["press"] == [{"text": "Una serata rara.", "source": "la Repubblica"}]
    assert (told["age_from"], told["spoken_language"], told["surtitles"]) == (14, "zxx", "en")
    assert (told["strobe"], told["haze"], told["duration_minutes"]) == (True, False, None)
    [poster] = told["pictures"]
    assert (poster["width"], poster["height"], poster["alt"]) == (960, 1440, {"it": "Due"})
    path = poster["url"].removeprefix(app.config["AZIONELAB"].site_base_url)
    assert app.test_client().get(path).status_code == 200
    hidden = a_performance(published=False).show_id
    assert app.test_client().get(f"/api/v1/shows/{hidden}").status_code == 404
    file.write_text(
        '[[show]]\nslug = "b"\ntitle = "B"\nage_from = 99\nsurtitles = "zxx"\npress = "Bello."',
        encoding="utf-8",
    )
    with pytest.raises(SeasonError) as refused:
        load_season(file)
    assert [problem.split(":")[:2] for problem in refused.value.problems] == [
        ["line 4", " age_from"], ["line 5", " surtitles"], ["line 6", " press"],
    ]  # fmt: skip
