"""Lists: performances by date, and how many rows a page has, in addresses that survive Back."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.admin.rows.paging import PagedList
from azionelab.database import db, now
from azionelab.shows.archive import archive_show
from azionelab.shows.models import Performance, Show
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


def test_arguments_of_url_for_in_an_address_change_no_link(staff: FlaskClient) -> None:
    meant = (
        "_external=1&_scheme=ftp&_anchor=x&_method=PUT&endpoint=admin.index&self=1&export_type=x"
    )
    for _ in range(22):
        a_party(a_performance(starts_at=now() + timedelta(days=1)), 1)
    page = staff.get(f"/admin/reservations/?{meant}&page_size=20")
    assert page.status_code == 200
    links = re.findall(r'(?:href|action)="([^"]*)"', page.text.partition("<main")[2])
    assert len(links) > 20
    assert [link for link in links if not link.startswith("/") or "#" in link] == []
    found = press(staff, f"/admin/reservations/find/?{meant}", "/admin/reservations/", search="x")
    assert found.request.full_path.startswith("/admin/reservations/?")


def test_archived_shows_are_only_among_all_performances(staff: FlaskClient) -> None:
    old = db.session.query(Performance).join(Performance.show).filter(Show.slug == "old").one()
    chosen = f"/admin/scans/?flt1_1={old.id}"
    archive_show(old.show_id, None)
    assert set(titles(staff.get(f"{PERFORMANCES}?when=past").text)) == {"Title Older"}
    assert "Title Old" in titles(staff.get(f"{PERFORMANCES}?when=all").text)
    assert "Title Old," not in staff.get("/admin/reservations/").text
    assert "Title Old," in staff.get(chosen).text


def test_a_performance_leads_to_its_evening_and_to_its_form(staff: FlaskClient) -> None:
    row = staff.get(PERFORMANCES).text.partition("<tbody>")[2].partition("</tr>")[0]
    links = re.findall(r'href="/admin/(\w+/)', row)
    assert links == ["evenings/", "performances/"]
    empty = staff.get("/admin/holidays/").text
    assert "evenings planned on such a day are marked" in empty
    assert 'role="search"' not in empty


def test_pages_of_a_long_list_reach_its_first_rows_from_both_ends_and_of_each_day(
    staff: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PagedList, "most_paged", 20)
    listed = "/admin/reservations/"
    performance = a_performance(capacity=60)
    parties = [a_party(performance, 1).reference for _ in range(45)]

    def references(page: str) -> list[str]:
        return re.findall(r"details/[^>]*>([\w-]+)</a>", page)

    page = staff.get(f"{listed}?page_size=20").text
    assert "more than 20" in page
    assert references(page) == parties[::-1][:20]
    last = staff.get(f"{listed}?page_size=20&page=1").text
    assert references(last) == parties[::-1][20:40]
    assert 'rel="next"' not in last
    beyond = staff.get(f"{listed}?page_size=20&page=900").text
    assert references(beyond) == references(last)
    (other,) = re.findall(r'href="([^"]*)">Begin at the other end', last)
    other_end = staff.get(other.replace("&amp;", "&")).text
    assert references(other_end) == parties[:20]
    assert "desc=1" in re.findall(r'href="([^"]*)">Begin at the other end', other_end)[0]
    # By name they would all have to be read.
    assert references(staff.get(f"{listed}?page_size=20&sort=1").text) == parties[::-1][:20]
    assert "sort=1" not in page

    for day, found in (("2020-01-31", []), (f"{now():%Y-%m-%d}", parties[::-1][:20])):
        assert references(staff.get(f"{listed}?page_size=20&flt2_2={day}").text) == found
    for odd in ("yesterday", "9999-12-31"):
        assert "Invalid Filter Value" in staff.get(f"{listed}?flt2_2={odd}").text
    asked = staff.get(f"{listed}export/xlsx/")
    assert asked.mimetype.endswith("sheet")
