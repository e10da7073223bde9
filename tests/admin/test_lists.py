"""Lists: performances by date, and how many rows a page has, in addresses that survive Back."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.database import now
from azionelab.shows.models import Show
from tests.factories import a_party, a_performance
from tests.support.people import press

PERFORMANCES = "/admin/performances/"


def titles(page: str) -> list[str]:
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return re.findall(r"Title \w+", body)


@pytest.fixture(autouse=True)
def _season(in_app: Flask) -> None:
    for name, days in (("Later", 9), ("Tonight", 0), ("Next", 2), ("Old", -9), ("Older", -30)):
        show = Show(slug=name.lower(), title=f"Title {name}", published=True)
        a_performance(show=show, starts_at=now() + timedelta(days=days, minutes=-1))


def test_performances_are_listed_by_date_the_next_first(staff: FlaskClient) -> None:
    for tab, wanted in {
        "": ["Tonight", "Next", "Later"],
        "?when=past": ["Old", "Older"],
        "?when=all": ["Later", "Next", "Tonight", "Old", "Older"],
        "?when=nonsense": ["Tonight", "Next", "Later"],
    }.items():
        listed = list(dict.fromkeys(titles(staff.get(PERFORMANCES + tab).text)))
        assert listed == [f"Title {name}" for name in wanted], tab


def test_a_search_stays_in_its_tab(staff: FlaskClient) -> None:
    past = f"{PERFORMANCES}?when=past"
    form = re.search(r'action="([^"]*/find/[^"]*)"', staff.get(past).text)
    assert form
    answer = press(staff, form[1].replace("&amp;", "&"), past, search="old")
    assert "when=past" in answer.request.full_path
    assert set(titles(answer.text)) == {"Title Old", "Title Older"}
    assert "find=" in re.findall(r'href="([^"]*when=all[^"]*)"', answer.text)[0]


def test_the_number_of_rows_is_chosen_and_stays_in_the_address(staff: FlaskClient) -> None:
    performance = a_performance(capacity=60)
    for _ in range(22):
        a_party(performance, 1)
    page = staff.get("/admin/reservations/?page_size=20").text
    assert page.partition("<tbody>")[2].count("<tr>") == 20
    assert "page_size=20" in re.findall(r'rel="next" href="([^"]*)"', page)[0]
    whole = staff.get("/admin/reservations/").text
    assert whole.partition("<tbody>")[2].count("<tr>") == 22
    assert 'aria-current="true">50</a>' in whole
