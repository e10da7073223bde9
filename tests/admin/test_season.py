"""Running the season: venues, shows, performances."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask.testing import FlaskClient

from azionelab.admin.season.forms import slug_of
from azionelab.bookings import rules
from azionelab.checkin.scanning.walk_ins import let_in_walk_ins
from azionelab.database import now, transaction
from azionelab.shows.models import Show, Venue
from tests.admin.test_editing import shown
from tests.factories import DOOR_A, a_party, a_performance, let_lapse
from tests.support.people import press

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]


def a_house() -> tuple[Show, Venue]:
    """A show and a place to play it."""
    with transaction() as session:
        show, venue = Show(slug="la-locandiera", title="La locandiera"), Venue(name="Sala Grande")
        session.add_all([show, venue])
    return show, venue


def played(show: Show, venue: Venue, **typed: Any) -> dict[str, Any]:
    """A performance's form as staff fill it in."""
    return {
        "show_id": show.id,
        "venue_id": venue.id,
        "starts_at": "2030-07-01T21:00",
        "capacity": "80",
        "party_limit": "6",
        "booking_opens_at": "2030-06-01T10:00",
        "booking_closes_at": "",
    } | typed


@pytest.mark.parametrize("typed", ["   ", "\u200b", "\u202e", "\u2800 \u3164"])
def test_venues_and_shows_have_a_name_that_is_seen(
    staff: FlaskClient, database: Database, typed: str
) -> None:
    venue = press(staff, "/admin/venues/new/", name=typed).text
    show = press(staff, "/admin/shows/new/", title=typed, slug="nameless", published="y").text
    for page in (venue, show):
        assert "This field is required." in page
    names = "SELECT name FROM venue UNION SELECT title FROM show"
    assert database.execute(names).fetchall() == []
    press(staff, "/admin/venues/new/", name=" Sala 🎭 ", address=typed)
    assert database.execute("SELECT name, address FROM venue").fetchall() == [("Sala 🎭", "")]


def test_names_do_not_turn_what_stands_beside_them(staff: FlaskClient, database: Database) -> None:
    venue = press(staff, "/admin/venues/new/", name="Sala\u202eGrande").text
    show = press(staff, "/admin/shows/new/", title="Am\u2067leto", slug="amleto").text
    for page in (venue, show):
        assert "This contains characters that cannot be displayed." in page
    assert database.execute("SELECT name FROM venue UNION SELECT title FROM show").fetchall() == []


def test_an_evening_is_set_up_from_nothing(staff: FlaskClient, database: Database) -> None:
    assert "Three steps" in staff.get("/admin/").text
    press(staff, "/admin/venues/new/", name=" Sala Grande ", address="Via Roma 1")
    press(staff, "/admin/shows/new/", title="Così è (se vi pare)", published="y")
    form = staff.get("/admin/performances/new/").text
    assert 'value="6"' in form
    show, venue = database.execute(
        "SELECT s.id, v.id AS venue FROM show s, venue v"
    ).fetchone() or (0, 0)
    press(
        staff,
        "/admin/performances/new/",
        show_id=show,
        venue_id=venue,
        starts_at="2030-07-01T21:00",
        capacity="80",
        party_limit="6",
        booking_opens_at="2030-06-01T10:00",
    )
    row = database.execute(
        "SELECT slug, starts_at, booking_closes_at, seats_held FROM performance"
        " JOIN show ON show.id = show_id"
    ).fetchone()
    assert row == (
        "cosi-e-se-vi-pare",
        datetime(2030, 7, 1, 19, tzinfo=UTC),
        datetime(2030, 7, 1, 18, tzinfo=UTC),
        0,
    )
    assert "1 Jul 2030" in staff.get("/admin/").text
    assert "/shows/cosi-e-se-vi-pare" in staff.get("/").text


@pytest.mark.parametrize(
    ("address", "typed", "words"),
    [
        ("venues", {"name": ""}, "required"),
        ("venues", {"name": "Sala Grande"}, "venue with this name"),
        ("venues", {"name": "x\0y"}, "cannot be displayed"),
        ("venues", {"name": "x" * 201}, "200"),
        ("shows", {"title": "La locandiera"}, "Another show has this address"),
        ("shows", {"title": "x", "slug": "Not an address"}, "Invalid input"),
        ("shows", {"title": "\u6771\u4eac"}, "address made of the letters"),
        ("shows", {"title": "x", "duration_minutes": "0"}, "between 1 and 1440"),
        ("shows", {"title": "x", "duration_minutes": "9" * 30}, "between 1 and 1440"),
        ("shows", {"title": "x", "description": "\0"}, "cannot be displayed"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_lost(
    staff: FlaskClient, database: Database, address: str, typed: dict[str, str], words: str
) -> None:
    a_house()
    page = press(staff, f"/admin/{address}/new/", **typed).text
    assert words in page
    assert 'aria-invalid="true"' in page
    if address == "venues":
        assert database.execute("SELECT count(*) FROM venue").fetchone() == (1,)
    else:
        assert database.execute("SELECT count(*) FROM show").fetchone() == (1,)
        assert typed["title"] in page


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"starts_at": "2030-03-31T02:30"}, "go forward that night"),
        ({"starts_at": "2030-10-27T02:30"}, "go back that night"),
        ({"starts_at": "2020-07-01T21:00"}, "in the past"),
        ({"starts_at": "9999-07-01T21:00"}, "more than 5 years away"),
        ({"starts_at": "tomorrow"}, "Not a valid date"),
        ({"starts_at": "0001-01-01T00:00"}, "Not a valid date"),
        ({"starts_at": ""}, "required"),
        ({"capacity": "-1"}, "between 0 and"),
        ({"capacity": "many"}, "Not a valid integer"),
        ({"capacity": "1000000000"}, "between 0 and"),
        ({"party_limit": "0"}, "between 1 and 100"),
        ({"booking_closes_at": "2030-05-01T10:00"}, "close after it opens"),
        ({"show_id": "999"}, "Not a valid choice"),
        ({"venue_id": "none"}, "Invalid Choice"),
    ],
)
def test_a_performance_that_cannot_be_is_refused_with_words(
    staff: FlaskClient, database: Database, typed: dict[str, str], words: str
) -> None:
    page = press(staff, "/admin/performances/new/", **played(*a_house(), **typed)).text
    assert words in page
    assert 'value="6"' in page or typed.get("party_limit")
    assert database.execute("SELECT count(*) FROM performance").fetchone() == (0,)


@pytest.mark.parametrize(
    ("year", "words"), [("2020", "in the past"), ("9999", "more than 5 years away")]
)
def test_a_performance_is_not_moved_out_of_the_season(
    staff: FlaskClient, database: Database, year: str, words: str
) -> None:
    form = played(*a_house())
    press(staff, "/admin/performances/new/", **form)
    before = database.execute("SELECT * FROM performance").fetchone()
    moved = form | {"starts_at": form["starts_at"].replace(form["starts_at"][:4], year)}
    page = press(staff, "/admin/performances/edit/?id=1", **moved).text
    assert words in page
    assert re.search(r'<input aria-[^>]*name="starts_at"', page)
    assert database.execute("SELECT * FROM performance").fetchone() == before


def test_who_moves_an_evening_is_told_how_many_are_written_to(
    staff: FlaskClient, database: Database
) -> None:
    performance = a_performance()
    a_party(performance)
    a_party(performance, confirmed=False)
    rules.cancel(a_party(performance).id)
    let_in_walk_ins(performance.id, 1, uuid4(), DOOR_A)  # who has no address
    address = f"/admin/performances/edit/?id={performance.id}"
    assert "2 parties are notified by e-mail." in staff.get(address).text
    assert "2 parties will be notified" in edited(staff, performance)
    mails = "SELECT count(*) FROM mail WHERE kind = 'moved'"
    assert database.execute(mails).fetchone() == (2,)
    assert "written to" not in edited(staff, performance, party_limit="3")
    assert database.execute(mails).fetchone() == (2,)


def test_an_evening_whose_visitors_are_forgotten_stays_where_it_was(
    staff: FlaskClient, database: Database
) -> None:
    performance = a_performance(starts_at=now() - timedelta(days=31))
    before = database.execute("SELECT * FROM performance").fetchone()
    assert "names have been erased" in edited(staff, performance)
    assert database.execute("SELECT * FROM performance").fetchone() == before


def test_one_show_is_not_played_twice_at_once(staff: FlaskClient, database: Database) -> None:
    form = played(*a_house())
    press(staff, "/admin/performances/new/", **form)
    assert (
        "already has a performance at this time"
        in press(staff, "/admin/performances/new/", **form).text
    )
    assert database.execute("SELECT count(*) FROM performance").fetchone() == (1,)


def test_times_survive_an_edit_across_the_change_of_clocks(
    staff: FlaskClient, database: Database
) -> None:
    press(
        staff,
        "/admin/performances/new/",
        **played(*a_house(), starts_at="2030-10-27T18:00", booking_opens_at="2030-10-26T18:00"),
    )
    page = staff.get("/admin/performances/edit/?id=1").text
    assert 'value="2030-10-27T18:00"' in page
    assert 'value="2030-10-26T18:00"' in page
    times = "SELECT starts_at, booking_opens_at FROM performance"
    assert database.execute(times).fetchone() == (
        datetime(2030, 10, 27, 17, tzinfo=UTC),
        datetime(2030, 10, 26, 16, tzinfo=UTC),
    )


def edited(staff: FlaskClient, performance: Any, **typed: Any) -> str:
    """Save a performance's form."""
    form = played(performance.show, performance.venue, booking_opens_at="2020-06-01T10:00")
    address = f"/admin/performances/edit/?id={performance.id}"
    page = press(staff, address, **form | typed).text
    seen = re.search(r'name="seen_effect" value="(\w+)"', page)
    return press(staff, address, **form | typed, seen_effect=seen[1]).text if seen else page


def test_an_evening_that_was_may_still_be_edited(staff: FlaskClient, database: Database) -> None:
    performance = a_performance(starts_at=now() - timedelta(days=2))
    page = edited(staff, performance, starts_at="2025-07-01T21:00", party_limit="3")
    assert "Saved." in page
    assert database.execute("SELECT party_limit FROM performance").fetchone() == (3,)


def test_two_evenings_in_one_house_at_once_are_warned_of(
    staff: FlaskClient, database: Database
) -> None:
    show, venue = a_house()
    other = Show(slug="other", title="Other")
    with transaction() as session:
        session.add(other)
    press(staff, "/admin/performances/new/", **played(show, venue))
    second = played(other, venue, starts_at="2030-07-01T22:30")
    page = press(staff, "/admin/performances/new/", **second).text
    assert "Note: La locandiera, " in page
    assert database.execute("SELECT count(*) FROM performance").fetchone() == (2,)
    address = "/admin/performances/edit/?id=2"
    assert "Note: La locandiera, " in press(staff, address, **second).text
    later = second | {"starts_at": "2030-07-01T23:00"}
    assert "Mind:" not in press(staff, address, **later).text


def test_a_performance_is_changed_in_one_go_or_not_at_all(
    staff: FlaskClient, database: Database
) -> None:
    performance = a_performance(capacity=10)
    before = database.execute("SELECT * FROM performance").fetchone()
    # The database refuses the window: the seats, which it would take, stay as well.
    page = edited(staff, performance, capacity="7", booking_closes_at="2019-05-01T10:00")
    assert "close after it opens" in page
    assert database.execute("SELECT * FROM performance").fetchone() == before


def test_what_went_well_or_wrong_is_told_in_italian(staff: FlaskClient) -> None:
    address = "/admin/venues/new/?lang=it"
    wrong = press(staff, address, name="").text
    assert "Non è stato salvato niente" in wrong
    assert "Questo campo" in wrong
    right = press(staff, address, name="Sala Grande").text
    assert "Salvato." in right
    gone = press(staff, "/admin/venues/delete/?lang=it", "/admin/venues/edit/?id=1", id="1").text
    assert "Eliminato." in gone
    for page in (wrong, right, gone):
        assert "ecord" not in page


def test_the_house_never_gets_smaller_than_what_is_held(
    staff: FlaskClient, database: Database
) -> None:
    performance = a_performance(capacity=10)
    a_party(performance, 5)
    a_party(performance, 2, confirmed=False)
    before = database.execute("SELECT * FROM performance").fetchone()
    page = edited(staff, performance, capacity="6", party_limit="3")
    assert "It cannot be less than 7 seats, which are already taken." in page
    assert 'name="capacity" type="number" value="6"' in page
    assert 'value="3"' in page
    assert database.execute("SELECT * FROM performance").fetchone() == before
    assert "Saved." in edited(staff, performance, capacity="7")
    assert database.execute("SELECT capacity, seats_held FROM performance").fetchone() == (7, 7)


def test_an_edit_says_what_it_does_before_it_does_it(
    staff: FlaskClient, database: Database
) -> None:
    performance = a_performance(capacity=20)
    a_party(performance, 4)
    a_party(performance, 3, confirmed=False)
    address = f"/admin/performances/edit/?id={performance.id}"
    form = shown(staff.get(address).text)
    before = database.execute("SELECT * FROM performance").fetchone()

    page = staff.post(address, data=form | {"capacity": "10"}).text
    assert "Nothing was saved yet" in page
    assert "Seats: 20 → 10; taken 7, free 13 → 3" in page
    assert "Nobody gets a mail." in page
    fewer = shown(page)
    assert fewer["capacity"] == "10"

    page = staff.post(address, data=fewer | {"starts_at": "2029-07-01T21:00"}).text
    assert "Nothing was saved yet" in page, "it is another change than was seen"
    assert "2 parties get this mail" in page
    assert "The performance has been rescheduled" in page or "Rescheduled: " in page
    assert database.execute("SELECT * FROM performance").fetchone() == before

    page = staff.post(address, data=shown(page), follow_redirects=True).text
    assert "2 parties will be notified by e-mail." in page
    assert database.execute("SELECT capacity FROM performance").fetchone() == (10,)


def test_below_what_is_taken_the_form_says_what_to_do_instead(
    staff: FlaskClient, database: Database
) -> None:
    performance = a_performance(capacity=20)
    a_party(performance, 4)
    a_party(performance, 3, confirmed=False)
    let_in_walk_ins(performance.id, 2, uuid4(), DOOR_A)
    address = f"/admin/performances/edit/?id={performance.id}"
    page = staff.post(address, data=shown(staff.get(address).text) | {"capacity": "5"}).text
    told = " ".join(page.split())
    assert "9 seats are taken: 4 confirmed (1 party), 3 not yet confirmed (1 party)" in told
    assert "2 of walk-ins or kept back" in told
    for instead in (
        "give it 9 seats or more",
        "make parties smaller",
        "wait until",
        "larger venue",
    ):
        assert instead in page
    assert f'href="/admin/evenings/{performance.id}"' in page
    assert 'name="seen_effect"' not in page
    assert database.execute("SELECT capacity FROM performance").fetchone() == (20,)


def test_an_edit_of_an_empty_house_needs_no_second_press(
    staff: FlaskClient, database: Database
) -> None:
    performance = a_performance(capacity=20)
    address = f"/admin/performances/edit/?id={performance.id}"
    form = shown(staff.get(address).text) | {"capacity": "5", "starts_at": "2029-07-01T21:00"}
    assert "Saved." in staff.post(address, data=form, follow_redirects=True).text


def test_cancelling_shows_the_mail_before(staff: FlaskClient) -> None:
    performance = a_performance(capacity=20)
    a_party(performance, 4)
    page = staff.get(f"/admin/performances/cancel/?id={performance.id}").text
    assert "1 party gets this mail" in page
    assert "this performance will not take place" in page


def test_a_lapsed_hold_is_no_reason_against_a_smaller_house(
    staff: FlaskClient, database: Database
) -> None:
    performance = a_performance(capacity=10)
    let_lapse(a_party(performance, 5, confirmed=False))
    assert "Saved." in edited(staff, performance, capacity="0")
    assert database.execute("SELECT capacity, seats_held FROM performance").fetchone() == (0, 0)


def test_what_is_counted_cannot_be_typed(staff: FlaskClient, database: Database) -> None:
    performance = a_performance(capacity=10)
    a_party(performance, 2)
    edited(staff, performance, seats_held="0", cancelled_at="2030-01-01T00:00", id="99")
    facts = "SELECT id, seats_held, cancelled_at FROM performance"
    assert database.execute(facts).fetchone() == (performance.id, 2, None)


def test_a_cancelled_evening_writes_to_every_party(staff: FlaskClient, database: Database) -> None:
    performance = a_performance(capacity=20)
    a_party(performance, 2)
    a_party(performance, 3, confirmed=False)
    let_lapse(a_party(performance, 4, confirmed=False))
    rules.cancel(a_party(performance, 1).id)
    address = f"/admin/performances/cancel/?id={performance.id}"
    assert address.replace("&", "&amp;") in staff.get("/admin/performances/edit/?id=1").text
    assert "2 parties get this mail" in staff.get(address).text
    mails = "SELECT count(*) FROM mail WHERE kind = 'performance_cancelled'"
    assert database.execute(mails).fetchone() == (0,)
    assert "2 parties will be notified" in press(staff, address, address).text
    assert database.execute(mails).fetchone() == (2,)
    states = "SELECT state FROM reservation ORDER BY state"
    assert [state for (state,) in database.execute(states)] == ["cancelled"] * 3 + ["expired"]
    assert "cannot be cancelled" in staff.get(address, follow_redirects=True).text
    # Pressed by somebody whose page was opened before.
    again = press(staff, address, "/admin/performances/new/").text
    assert "It had already been cancelled" in again
    assert "no new e-mails" in again
    assert "will be notified" not in again
    assert database.execute(mails).fetchone() == (2,)


@pytest.mark.parametrize("what", ["venues", "shows", "performances"])
def test_what_is_in_use_stays(staff: FlaskClient, database: Database, what: str) -> None:
    performance = a_performance()
    a_party(performance)
    identity = {
        "venues": performance.venue_id,
        "shows": performance.show_id,
        "performances": performance.id,
    }[what]
    page = press(
        staff, f"/admin/{what}/delete/", f"/admin/{what}/edit/?id={identity}", id=identity
    ).text
    assert "cannot be deleted" in page or "has performances" in page
    for table in ("venue", "show", "performance"):
        assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)


def test_what_nobody_uses_can_go(staff: FlaskClient, database: Database) -> None:
    performance = a_performance()
    for what, identity in (
        ("performances", performance.id),
        ("shows", performance.show_id),
        ("venues", performance.venue_id),
    ):
        press(staff, f"/admin/{what}/delete/", f"/admin/{what}/edit/?id={identity}", id=identity)
    for table in ("venue", "show", "performance"):
        assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_many_at_once_cannot_be_deleted(staff: FlaskClient, database: Database) -> None:
    a_performance()
    press(staff, "/admin/performances/action/", action="delete", rowid="1")
    assert database.execute("SELECT count(*) FROM performance").fetchone() == (1,)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Così è (se vi pare)", "cosi-e-se-vi-pare"),
        ("L’opera — d'autore", "l-opera-d-autore"),
        ("Łódź, Straße, Ærø", "lodz-strasse-aero"),
        ("½ Ⅻ", "1-2-xii"),
    ],
)
def test_an_address_is_made_from_any_latin_title(title: str, slug: str) -> None:
    assert slug_of(title) == slug
