"""The back office page of the queue."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.database import now
from azionelab.queue.lines import Pace
from azionelab.queue.models import Line
from tests.bookings.test_pages import fields
from tests.factories import a_performance
from tests.queue.test_line import Database, line_of
from tests.support.people import logged_in

pytestmark = pytest.mark.usefixtures("in_app")
PAGE = "/admin/queue/"


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    return logged_in(app, "staff")


def send(manager: FlaskClient, what: str, **typed: str) -> str:
    token = fields(manager.get(PAGE).text)["csrf_token"]
    answer = manager.post(
        f"{PAGE}{what}/", data={"csrf_token": token} | typed, follow_redirects=True
    )
    return answer.text


def the_line(database: Database) -> Line:
    row = database.execute("SELECT id FROM queue_line ORDER BY id DESC LIMIT 1").fetchone()
    assert row is not None
    return line_of(row[0])


def test_a_line_is_opened_changed_ended_and_put_on_again(
    manager: FlaskClient, database: Database
) -> None:
    usual = {"per_minute": "100", "inside_limit": "500", "stay_minutes": "10", "most_seats": ""}
    assert "The line is there" in send(manager, "open", show_id="", opens_at="", **usual)
    assert "There is a line already" in send(manager, "open", show_id="", opens_at="", **usual)
    line = the_line(database)
    form = {f"line-{line.id}-{name}": value for name, value in usual.items()}
    form |= {"id": str(line.id), f"line-{line.id}-seen": "100/500/10/"}
    slower = form | {f"line-{line.id}-per_minute": "20"}
    assert "Saved." in send(manager, "change", **slower)
    assert "Somebody else has changed the line since" in send(manager, "change", **form)
    assert Pace.of(the_line(database)) == Pace(20, 500, 10)
    assert "everybody can book. Within an hour" in send(manager, "end", id=str(line.id))
    assert the_line(database).ended_at
    assert "on again, with all of its places" in send(manager, "resume", id=str(line.id))
    assert the_line(database).ended_at is None
    log = manager.get("/admin/log/?object_type=queue_line").text
    for told in ("opened a line from", "changed how many are let in a minute from 100 to 20"):
        assert told in log
    assert "ended the line." in log
    assert "put the line on again." in log
    query = "SELECT actor, account_id IS NOT NULL, action FROM audit_entry WHERE object_type = 'queue_line' ORDER BY id"
    assert database.execute(query).fetchall() == [
        ("staff", True, "created"), *[("staff", True, "changed")] * 3,
    ]  # fmt: skip


def test_a_line_of_a_show_opens_with_its_booking(manager: FlaskClient, database: Database) -> None:
    opens = (now() + timedelta(hours=3)).replace(microsecond=0)
    performance = a_performance(booking_opens_at=opens)
    wrong = send(manager, "open", show_id=str(performance.show_id), per_minute="0")
    assert "Please correct the fields marked below" in wrong
    typed = {"per_minute": "60", "inside_limit": "200", "stay_minutes": "8", "most_seats": "4"}
    send(manager, "open", show_id=str(performance.show_id), opens_at="", **typed)
    line = the_line(database)
    assert (line.show_id, line.opens_at) == (performance.show_id, opens)
    assert Pace.of(line) == Pace(60, 200, 8, 4)
