"""The W3C's checker (vnu) finds no error in any page, as visitors, door staff and staff get them."""

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings.hand_over.mail import make_friend_token
from azionelab.bookings.mails.my_bookings import MY_BOOKINGS
from azionelab.bookings.people.own_data import MY_DATA
from azionelab.bookings.rules import cancel
from azionelab.database import now
from tests.bookings.test_pages import filled
from tests.factories import a_party, a_performance, an_offer, visitor_token
from tests.support.people import logged_in
from tests.support.processes import ROOT

CHECKER = ROOT / "static_frontend/node_modules/vnu-jar/build/dist/vnu.jar"
pytestmark = pytest.mark.usefixtures("in_app")


def check(folder: Path) -> list[str]:
    """What the checker calls an error in the pages of a folder."""
    if not (java := shutil.which("java")):
        pytest.fail("no Java found: install it (Debian: `apt-get install default-jre-headless`)")
    done = subprocess.run(
        [java, "-jar", CHECKER, "--errors-only", "--format", "json", "--exit-zero-always", folder],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stderr or done.stdout)["messages"]
    return [f"{Path(each['url']).name}: {each['message']}" for each in found]


def keep(folder: Path, client: FlaskClient, addresses: list[str]) -> None:
    for number, address in enumerate(addresses, len(list(folder.iterdir()))):
        page = client.get(address, follow_redirects=True)
        assert page.mimetype == "text/html", address
        name = address.strip("/").replace("/", "_").partition("?")[0][:60]
        (folder / f"{number}-{name}.html").write_bytes(page.data)


def test_no_page_has_an_error(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    performance = a_performance(capacity=20)
    a_performance(capacity=0)
    a_performance(show=performance.show, starts_at=now() + timedelta(days=3))
    party = a_party(performance, 3)
    confirmed = visitor_token(party)
    pending = visitor_token(a_party(performance, confirmed=False))
    ended = a_party(performance)
    cancel(ended.id)
    evening = f"/admin/evenings/{performance.id}"
    book = f"/performances/{performance.id}/book"
    keep(
        tmp_path,
        client,
        [
            *("/", f"/shows/{performance.show.slug}", book, f"{book}?lang=it"),
            f"/performances/{performance.id}/received",
            *(f"/bookings/confirm/{pending}", f"/bookings/{confirmed}"),
            *(f"/bookings/{confirmed}/cancel", f"/bookings/{visitor_token(ended)}"),
            *("/my-bookings", f"/my-bookings/{MY_BOOKINGS.make_token(party)}"),
            *("/my-data", f"/my-data/{MY_DATA.make_token(party)}"),
            f"/my-data/{MY_DATA.make_token(party)}/erase",
            f"/hand-over/{make_friend_token(an_offer(party).id)}",
            client.post(book, data=filled(client.get(f"/en{book}").text)).location,
            "/accessibility",
            *("/embed", f"/embed/performances/{performance.id}"),
            *("/nothing", "/staff/login", "/staff/reset", "/checkin/app"),
        ],
    )
    (tmp_path / "refused.html").write_bytes(client.post(book, data={"seats": "9"}).data)
    keep(tmp_path, logged_in(app, "door"), ["/checkin/", f"/checkin/performances/{performance.id}"])
    keep(
        tmp_path,
        logged_in(app, "admin"),
        [
            *("/admin/", evening, f"{evening}/invitation", f"{evening}/no-shows"),
            *(f"/admin/{table}/" for table in ("reservations", "performances", "shows", "venues")),
            *(f"/admin/{table}/" for table in ("mails", "scans", "admissions", "accounts")),
            *(f"/admin/{table}/new/" for table in ("performances", "shows", "venues", "accounts")),
            f"/admin/performances/edit/?id={performance.id}",
            f"/admin/performances/cancel/?id={performance.id}",
            f"/admin/shows/edit/?id={performance.show_id}",
            *("/staff/change", "/staff/account", "/admin/accounts/edit/?id=1"),
        ],
    )
    assert check(tmp_path) == []


def test_the_checker_finds_what_it_is_there_for(tmp_path: Path) -> None:
    page = "<!doctype html><html lang='en'><title>x</title><select required><option>1</select>"
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    (error,) = check(tmp_path)
    assert "required" in error
