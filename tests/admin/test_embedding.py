"""The page that gives the snippet for the theatre's own site."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.database import now
from azionelab.shows.models import Show
from tests.factories import a_performance
from tests.support.people import logged_in

pytestmark = pytest.mark.usefixtures("in_app")

PAGE = "/admin/embedding/"


def code_of(page: str) -> str:
    (code,) = re.findall(r'<textarea[^>]* id="code"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    return html.unescape(code)


def test_each_snippet_shows_what_was_chosen_in_its_language(
    app: Flask, client: FlaskClient, settings: dict[str, str]
) -> None:
    show = Show(
        slug="amleto", title='Amleto "e" gli altri', titles={"en": "Hamlet"}, published=True
    )
    evening = a_performance(show=show)
    a_performance(starts_at=now() + timedelta(days=2))
    manager = logged_in(app, "staff")
    site = settings["SITE_BASE_URL"]
    assert f'src="{site}/en/embed" title="What is on"' in code_of(manager.get(PAGE).text)
    for what, language, address, title in (
        ("list", "it", "/it/embed", "In scena"),
        (f"show-{evening.show_id}", "en", "/en/embed?show=amleto", "Hamlet"),
        (
            f"evening-{evening.id}",
            "it",
            f"/it/embed/performances/{evening.id}",
            "Amleto &#34;e&#34;",
        ),
    ):
        query = {"what": what, "language": language}
        page = manager.get(PAGE, query_string=query)
        code = code_of(page.text)
        assert f'src="{site}{address}" title="{title}' in code
        assert f'<script src="{site}/static/embed.js" async></script>' in code
        shown = client.get(address).text
        assert ("Amleto" if language == "it" else "Hamlet") in html.unescape(shown)
        preview = manager.get(f"{PAGE}preview/", query_string=query)
        assert preview.text == shown
        assert preview.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")
    gone = manager.get(PAGE, query_string={"what": "evening-99999", "language": "it"}).text
    assert "This is no longer in the programme." in gone
    assert 'id="code"' not in gone


def test_it_says_which_sites_may_show_it(app: Flask, make_app: Callable[..., Flask]) -> None:
    assert "EMBED_ORIGINS is empty" in logged_in(app, "staff").get(PAGE).text
    allowed = logged_in(make_app(EMBED_ORIGINS="https://www.teatro.it"), "admin").get(PAGE).text
    assert "<li>https://www.teatro.it</li>" in allowed
    assert "EMBED_ORIGINS is empty" not in allowed
    assert logged_in(app, "box_office").get(PAGE).status_code == 403
