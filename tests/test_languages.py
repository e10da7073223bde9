"""Visitors' pages have an address in each language, and old addresses go on working."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings.audience.texts import booking_page
from azionelab.bookings.models import Reservation
from azionelab.database import db
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance, visitor_token

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A client that follows nowhere."""
    client = app.test_client()
    client.follows_language = False  # type: ignore[attr-defined]
    return client


def switches(page: str) -> dict[str, str]:
    """Where a page's links to other languages lead, by language."""
    found = re.findall(r'<a href="([^"]+)" lang="\w+" hreflang="(\w+)"', page)
    return {language: unescape(address) for address, language in found}


def test_an_address_without_a_language_leads_to_the_visitors(browser: FlaskClient) -> None:
    party = a_party(a_performance())
    own = f"/bookings/{visitor_token(party)}"
    pages = ["/", f"/shows/{party.performance.show.slug}", own, f"{own}/ticket.pdf"]
    pages += [f"/performances/{party.performance_id}/{page}" for page in ("book", "received")]
    for address in pages:
        for query, wish, led in (
            ("", "en-GB,it;q=0.5", f"/en{address}"),
            ("", "it", f"/it{address}"),
            ("", "fr,*;q=0.1", f"/it{address}"),
            ("?lang=en", "it", f"/en{address}"),
            ("?correct=1&lang=it&_external=1", "en", f"/it{address}?correct=1&_external=1"),
            ("?lang=xx", "en", f"/en{address}"),
        ):
            answer = browser.get(address + query, headers={"Accept-Language": wish})
            assert (answer.status_code, answer.location) == (302, led)
            assert "Accept-Language" in answer.headers["Vary"]
            assert ("no-store" in answer.headers["Cache-Control"]) == (address in pages[2:])
        there = browser.get(f"/it{address}?lang=en", headers={"Accept-Language": "en"})
        assert there.status_code == 200
        if there.mimetype == "text/html":
            assert '<html lang="it"' in there.text
            assert "Accept-Language" not in there.headers.get("Vary", "")
    assert browser.get(f"{own}/qr.png").status_code == 200
    assert browser.get(f"/it{own}/qr.png").status_code == 404, "a picture has one address"
    for unknown in ("/xx/", "/IT/", "/itx/", "/it/it/", f"/xx{pages[1]}"):
        assert browser.get(unknown).status_code == 404
    assert browser.get("/it").location == "http://localhost/it/"


def test_a_form_that_was_opened_before_an_upgrade_is_taken(browser: FlaskClient) -> None:
    """Its page of release 0.3 posts to an address without a language."""
    performance = a_performance()
    form = fields(browser.get(f"/en/performances/{performance.id}/book").text)
    typed = {"name": "Ada", "email": "ada@example.org", "seats": "2", "consent": "y"}
    old = f"/performances/{performance.id}/book?lang=en"
    refused = browser.post(old, data=form | typed | {"name": ""}, headers={"Accept-Language": "it"})
    assert refused.status_code == 422
    assert '<html lang="en"' in refused.text
    assert f'action="/en/performances/{performance.id}/book"' in refused.text
    taken = browser.post(old, data=form | typed, headers={"Accept-Language": "it"})
    assert (taken.status_code, taken.location) == (
        303,
        f"/en/performances/{performance.id}/received",
    )
    party = db.session.query(Reservation).one()
    assert party.locale == "en"
    old = f"/bookings/confirm/{visitor_token(party)}"
    confirmed = browser.post(old, data=form | {"coming": "y"}, headers={"Accept-Language": "it"})
    assert (confirmed.status_code, confirmed.location) == (
        303,
        f"/it/bookings/{visitor_token(party)}",
    )


def test_a_page_links_to_itself_in_every_language(browser: FlaskClient, app: Flask) -> None:
    performance = a_performance()
    site = app.config["AZIONELAB"].site_base_url
    for address in ("/", f"/shows/{performance.show.slug}"):
        page = browser.get(f"/en{address}?utm_source=a").text
        assert f'<link rel="canonical" href="{site}/en{address}">' in page
        alternates = dict(re.findall(r'rel="alternate" hreflang="([\w-]+)" href="([^"]+)"', page))
        assert alternates == {
            "it": f"{site}/it{address}", "en": f"{site}/en{address}", "x-default": f"{site}{address}",
        }  # fmt: skip
        assert switches(page)["it"] == f"/it{address}?utm_source=a"
    form = browser.get(f"/it/performances/{performance.id}/book?correct=1").text
    assert switches(form)["en"] == f"/en/performances/{performance.id}/book?correct=1"
    assert 'rel="canonical"' not in form
    assert switches(browser.get("/it/no%20where/<").text)["en"] == "/en/no%20where/%3C"
    assert switches(browser.get("/nowhere?x=1").text)["en"] == "?x=1&lang=en"
    assert switches(browser.get("/staff/login?lang=it").text)["en"] == "/staff/login?lang=en"
    only_a_form = browser.post("/it/bookings/x/seats").text
    assert switches(only_a_form)["en"] == "/en/"


def test_a_mail_links_to_pages_in_its_partys_language(app: Flask) -> None:
    for language in ("it", "en"):
        party = a_party(a_performance(), confirmed=False, locale=language)
        assert f"/{language}/bookings/confirm/{visitor_token(party)}" in booking_page(party)
    party.locale = "xx"
    assert "/it/bookings/confirm/" in booking_page(party), "a language that the site has no longer"
