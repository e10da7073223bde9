"""A show and its run in one form; its preview is what is saved, all of it or nothing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from azionelab.database import db, transaction
from azionelab.shows.models import Holiday, Show, Venue
from azionelab.shows.runs.evenings import BookingTimes, Fault
from azionelab.shows.runs.planning import (
    Asked,
    NewShow,
    PlanChanged,
    add_evenings,
    plan_evenings,
)
from tests.admin.test_editing import shown
from tests.factories import a_performance
from tests.support.people import press

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
RUN = "/admin/season/run"
LINE = "Fri and Sat 20:30, Sun 16:00, from 5 to 21 October 2029, except the 12th; 20:30 on 31 December 2029"


def a_venue(**facts: Any) -> Venue:
    venue = Venue(**({"name": "Sala Grande"} | facts))
    with transaction() as session:
        session.add(venue)
    return venue


def typed(venue: Venue, **more: Any) -> dict[str, Any]:
    """The form of a new show and its run, as somebody fills it in."""
    known = {"show_id": "0", "title": "Amleto", "venue_id": venue.id, "sentence": LINE}
    return known | {"party_limit": "6", "closes_minutes": "60"} | more


def sent_back(page: str) -> dict[str, Any]:
    """What the shown planning form sends when nobody touches it."""
    return dict(shown('<form class="form"' + page.split('class="planner"', 1)[1]))


def previewed(staff: FlaskClient, form: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The page with the preview, and the form to save it."""
    page = press(staff, RUN, RUN, **form, preview="yes").text
    return page, sent_back(page)


def saved(staff: FlaskClient, form: dict[str, Any]) -> str:
    """The page that follows a press of the save button."""
    return staff.post(RUN, data=form | {"save": "yes"}, follow_redirects=True).text


def rows(database: Database) -> list[Any]:
    return database.execute(
        "SELECT starts_at, capacity, booking_closes_at FROM performance ORDER BY starts_at"
    ).fetchall()


def test_a_show_and_nine_evenings_are_made_in_one_form(
    staff: FlaskClient, database: Database
) -> None:
    venue = a_venue(default_capacity=80)
    page, form = previewed(staff, typed(venue))
    assert rows(database) == []
    assert "Save 9 evenings" in page
    assert "Sun 7 Oct 2029, 16:00" in page
    assert 'value="2029-10-05"' in page  # what the line was read as
    assert "9 evenings added." in saved(staff, form)
    found = rows(database)
    assert [row.starts_at for row in found][:2] == [
        datetime(2029, 10, 5, 18, 30, tzinfo=UTC),
        datetime(2029, 10, 6, 18, 30, tzinfo=UTC),
    ]
    assert found[-1].starts_at == datetime(2029, 12, 31, 19, 30, tzinfo=UTC)
    assert {row.capacity for row in found} == {80}
    assert {row.starts_at - row.booking_closes_at for row in found} == {timedelta(hours=1)}
    assert database.execute("SELECT slug, published FROM show").fetchone() == ("amleto", False)


def test_the_fields_count_once_the_line_was_read(staff: FlaskClient, database: Database) -> None:
    _, form = previewed(staff, typed(a_venue(default_capacity=80)))
    form |= {"friday": "21:00", "sunday": ""}
    page = staff.post(RUN, data=form | {"preview": "yes"}).text
    assert "Save 6 evenings" in page
    assert "Fri 5 Oct 2029, 21:00" in page
    # Another line is read anew.
    form = sent_back(page) | {"sentence": LINE.replace("20:30", "20:00")}
    page = staff.post(RUN, data=form | {"preview": "yes"}).text
    assert "Save 9 evenings" in page
    assert "Fri 5 Oct 2029, 20:00" in page
    assert rows(database) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sentence": "Frinight 20:30"}, "“frinight” was not understood."),
        ({"sentence": "Fri 20:30"}, "The first and the last day are missing"),
        ({"sentence": ""}, "Please say when the show is played."),
        ({"sentence": "", "friday": "20:30"}, "This field is required."),
        ({"sentence": "", "friday": "late", "first": "2029-10-05", "last": "2029-10-19"}, "“late” was not"),
        ({"sentence": "", "friday": "20:30", "first": "2029-10-19", "last": "2029-10-05"}, "before the first"),
        (
            {"sentence": "", "friday": "20:30", "first": "2029-10-05", "last": "2029-10-19", "exceptions": "6/10"},
            "There is no evening on 06/10/2029",
        ),
        ({"sentence": "every day 20:30 from 1 October 2029 to 1 October 2031"}, "more than 500 evenings"),
        ({"title": ""}, "Please give the new show a title."),
        ({"title": "東京"}, "letters from a to z"),
        ({"capacity": "many"}, "Not a valid integer"),
        ({"opens_at": "2029-01-01T10:00", "opens_days": "3"}, "Please fill in one of the two."),
    ],
)  # fmt: skip
def test_bad_input_is_answered_at_its_field_and_kept(
    staff: FlaskClient, database: Database, more: dict[str, str], words: str
) -> None:
    form = typed(a_venue(default_capacity=80), **more)
    for button in ("preview", "save"):
        page = press(staff, RUN, RUN, **form, **{button: "yes"}).text
        assert words in page
        assert 'aria-invalid="true"' in page
        assert form["title"] in page
    assert rows(database) == []


def test_each_evening_says_what_stands_in_its_way(staff: FlaskClient, database: Database) -> None:
    venue = a_venue()
    a_performance(starts_at=datetime(2029, 10, 6, 19, tzinfo=UTC), venue=venue)
    with transaction() as session:
        session.add(Holiday(name="Patron", first_day=date(2029, 10, 7), last_day=date(2029, 10, 8)))
    page, _ = previewed(staff, typed(venue, capacity="50"))
    assert "is on at the same venue (6 Oct 2029, 21:00)" in page
    assert "The theatre is closed: Patron." in page
    assert "2 evenings clash with something" in page
    assert "Save 9 evenings" in page  # allowed
    no_seats, _ = previewed(staff, typed(venue))
    assert "The venue has no usual number" in no_seats
    assert 'name="save"' not in no_seats
    spring, _ = previewed(staff, typed(venue, capacity="50", sentence="25 March 2029 02:30"))
    assert "the clocks go forward that night" in spring
    autumn, _ = previewed(staff, typed(venue, capacity="50", sentence="28 October 2029 02:30"))
    assert "the clocks go back that night" in autumn


def test_what_changed_since_the_preview_is_shown_before_it_is_saved(
    staff: FlaskClient, database: Database
) -> None:
    venue = a_venue(default_capacity=80)
    _, form = previewed(staff, typed(venue))
    a_performance(starts_at=datetime(2029, 10, 6, 19, tzinfo=UTC), venue=venue)
    page = saved(staff, form)
    assert "Nothing was saved yet" in page
    assert "1 evening clashes" in page
    assert len(rows(database)) == 1
    assert "9 evenings added." in saved(staff, sent_back(page))


def test_without_a_preview_nothing_is_saved(staff: FlaskClient, database: Database) -> None:
    venue = a_venue(default_capacity=80)
    page = press(staff, RUN, RUN, **typed(venue), save="yes", seen="forged").text
    assert "Nothing was saved yet" in page
    assert "Save 9 evenings" in page
    assert rows(database) == []


def test_a_run_is_added_to_a_show_that_is_there(staff: FlaskClient, database: Database) -> None:
    performance = a_performance(starts_at=datetime(2029, 10, 5, 18, 30, tzinfo=UTC))
    venue = a_venue(default_capacity=80)
    assert (
        f'selected value="{performance.show_id}"'
        in staff.get(f"{RUN}?show={performance.show_id}").text
    )
    page, form = previewed(staff, typed(venue, show_id=performance.show_id, title=""))
    assert "The show already has a performance at this time." in page
    page = saved(staff, form)
    assert "some of the evenings cannot be" in page
    assert len(rows(database)) == 1
    _, form = previewed(
        staff, typed(venue, show_id=performance.show_id, title="", sentence="6 October 2029 20:30")
    )
    assert "1 evening added." in saved(staff, form)
    assert len(rows(database)) == 2


def asked(venue: Venue, *walls: str, show: Any = None) -> list[Asked]:
    new = NewShow("Amleto", "amleto")
    return [
        Asked(datetime.fromisoformat(wall), show or new, venue.id, 50, booking=BookingTimes())
        for wall in walls
    ]


def test_the_saved_evenings_are_the_previewed_ones() -> None:
    wanted = asked(a_venue(), "2029-10-05 20:30", "2029-10-06 20:30", "2029-10-06 16:00")
    plan = plan_evenings(wanted)
    added = add_evenings(wanted, plan.digest, None)
    assert [(one.starts_at, one.capacity, one.booking_closes_at) for one in added] == [
        (one.times.starts_at, one.capacity, one.times.closes_at) for one in plan.evenings
    ]


def test_evenings_of_one_plan_clash_with_each_other() -> None:
    plan = plan_evenings(
        asked(
            a_venue(),
            "2029-10-05 20:30",
            "2029-10-05 20:30",
            "2029-10-05 21:30",
            "2029-10-05 23:45",
        )
    )
    assert [one.fault for one in plan.evenings] == [None, Fault.REPEATED, None, None]
    assert [len(one.clashes) for one in plan.evenings] == [0, 1, 1, 0]


def test_one_evening_that_cannot_be_keeps_all_out(database: Database) -> None:
    venue = a_venue()
    wanted = asked(venue, "2029-10-05 20:30", "2029-10-06 20:30")
    seen = plan_evenings(wanted).digest
    other = asked(venue, "2029-10-06 20:30", show=NewShow("Other", "other"))
    add_evenings(other, plan_evenings(other).digest, None)
    with pytest.raises(PlanChanged):
        add_evenings(wanted, seen, None)
    assert database.execute("SELECT count(*) FROM show").fetchone() == (1,)


def test_venues_say_how_many_seats_and_holidays_have_days(
    staff: FlaskClient, database: Database
) -> None:
    press(staff, "/admin/venues/new/", name="Sala", default_capacity="70")
    (venue,) = db.session.scalars(select(Venue))
    with transaction() as session:
        session.add(Show(slug="lear", title="Lear"))
    (show,) = db.session.scalars(select(Show))
    form = {
        "show_id": show.id,
        "venue_id": venue.id,
        "starts_at": "2029-10-05T20:30",
        "capacity": "",
    }
    form |= {"party_limit": "6", "booking_opens_at": "2029-06-01T10:00"}
    press(staff, "/admin/performances/new/", **form)
    assert rows(database)[0].capacity == 70
    press(staff, "/admin/venues/edit/?id=1", name="Sala", default_capacity="")
    assert database.execute("SELECT default_capacity FROM venue").fetchone() == (None,)
    form |= {"starts_at": "2029-10-06T20:30"}
    page = press(staff, "/admin/performances/new/", **form).text
    assert "The venue has no usual number" in page

    press(
        staff, "/admin/holidays/new/", name="Natale", first_day="2029-12-24", last_day="2029-12-26"
    )
    press(staff, "/admin/holidays/new/", name="Patron", first_day="2029-10-04")
    wrong = press(
        staff, "/admin/holidays/new/", name="x", first_day="2029-12-24", last_day="2029-12-23"
    )
    assert "The last day is before the first." in wrong.text
    press(
        staff,
        "/admin/holidays/edit/?id=1",
        name="Natale",
        first_day="2029-12-24",
        last_day="2029-12-27",
    )
    days = "SELECT first_day, last_day, version FROM holiday ORDER BY id"
    assert database.execute(days).fetchall() == [
        (date(2029, 12, 24), date(2029, 12, 27), 2),
        (date(2029, 10, 4), date(2029, 10, 4), 1),
    ]
    assert "27 Dec 2029" in staff.get("/admin/holidays/").text
