"""The back office's menu: who sees what, and where they are."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.factories import a_performance
from tests.support.people import logged_in

pytestmark = pytest.mark.usefixtures("in_app")


def menu(page: str) -> str:
    """The menu of large screens."""
    return page.partition('class="office-side"')[2].partition("</header>")[0]


def groups(page: str) -> list[str]:
    return re.findall(r'<span class="group">([^<]+)', menu(page))


@pytest.mark.parametrize(
    ("role", "sees", "does_not_see"),
    [
        ("admin", {"Home", "Performances", "Accounts", "Tokens", "The door"}, set()),
        ("staff", {"Home", "Performances", "Mails", "The door"}, {"Accounts", "Tokens"}),
        ("box_office", {"Home", "Reservations", "The door"}, {"Accounts", "Tokens"}),
        ("read_only", {"Home", "Reservations"}, {"Accounts", "The door"}),
    ],
)
def test_each_role_sees_what_it_may_open(
    app: Flask, role: str, sees: set[str], does_not_see: set[str]
) -> None:
    page = logged_in(app, role).get("/admin/").text
    names = set(re.findall(r"<a [^>]*>([^<]+)</a>", menu(page)))
    assert sees <= names
    assert not does_not_see & names
    assert ("Access" in groups(page)) == (role == "admin"), "no group without places"
    assert role.title() in menu(page), "whoever is logged in is named"


def test_groups_keep_their_order(app: Flask) -> None:
    found = groups(logged_in(app, "admin").get("/admin/").text)
    assert found == ["Season", "Bookings", "Mailing", "Reports", "Access", "Elsewhere"]


@pytest.mark.parametrize(
    ("address", "place", "mark"),
    [
        ("/admin/", "Home", "page"),
        ("/admin/shows/", "Shows", "page"),
        ("/admin/evenings/{id}", "Performances", "true"),
        ("/admin/failed_mails/", "Mails", "true"),
    ],
)
def test_the_place_is_marked(app: Flask, address: str, place: str, mark: str) -> None:
    performance = a_performance()
    page = logged_in(app, "admin").get(address.format(id=performance.id)).text
    marked = re.findall(r'aria-current="(\w+)">([^<]+)</a>', menu(page))
    assert [found for found in marked if found[1] not in ("English", "Italiano")] == [(mark, place)]


def languages(page: str) -> list[str]:
    return [found.replace("&amp;", "&") for found in re.findall(r'href="([^"]+)" lang="it"', page)]


def test_another_language_shows_the_same_page(app: Flask) -> None:
    client: Any = logged_in(app, "admin")
    performance = a_performance()
    page = client.get(f"/admin/performances/edit/?id={performance.id}")
    (address, _same) = languages(page.text)
    italian = client.get(address)
    assert 'lang="it"' in italian.text
    assert "Posti" in italian.text
    assert italian.request.path == page.request.path


def test_an_address_cannot_choose_where_the_languages_lead(app: Flask) -> None:
    client: Any = logged_in(app, "admin")
    page = client.get("/admin/?_external=1&_scheme=javascript&_anchor=x")
    assert page.status_code == 200
    assert set(languages(page.text)) == {"/admin/?lang=it"}


def test_an_error_page_of_the_back_office_leads_back_to_it(staff: FlaskClient) -> None:
    for address, code, words in (
        ("/admin/accounts/", 403, "can give it another role"),
        ("/admin/evenings/999999", 404, "Page not found"),
    ):
        page = staff.get(address)
        assert page.status_code == code
        assert words in page.text
        assert "To the back office" in page.text
        assert "Admission is free" not in page.text
    assert "See what is on" in staff.get("/nothing").text
