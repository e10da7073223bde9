"""The look of the visitors' pages: saved, looked at, undone; and what visitors get meanwhile."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import event

from azionelab.bookings.mails.messages import render
from azionelab.database import db
from azionelab.mail.models import Mail, MailKind
from azionelab.theme.colours import is_readable
from azionelab.theme.models import Fonts, Theme
from azionelab.theme.rules import AccentRefused, ThemeChanged, read_theme, save_theme
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance, fresh
from tests.support.people import logged_in

pytestmark = pytest.mark.usefixtures("in_app")

LOOK = "/admin/theme/"
GREEN = "#14532d"


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    return logged_in(app, "staff")


def typed(client: FlaskClient, **parts: str) -> dict[str, str]:
    """The form's entries for a look."""
    shown = fields(client.get(LOOK).text)
    texts = {f"{text}_{code}": "" for text in ("welcome", "footer") for code in ("it", "en")}
    hidden = {name: shown[name] for name in ("csrf_token", "version")}
    return hidden | texts | {"name": "", "accent": GREEN, "fonts": "bodoni"} | parts


def test_visitors_get_what_was_saved_and_nothing_of_a_draft(
    manager: FlaskClient, client: FlaskClient
) -> None:
    a_performance()
    before = client.get("/en/").text
    look = typed(
        manager,
        name="Teatro Nuovo",
        fonts="instrument",
        welcome_en="Come in <b>early</b>.",
        footer_it="Piazza Nuova 1",
    )
    preview = manager.post(f"{LOOK}preview/", data=look)
    assert preview.status_code == 200
    assert "frame-ancestors 'self'" in preview.headers["Content-Security-Policy"]
    assert client.get("/en/").text == before
    assert "<title>What is on · AzioneLab</title>" in before

    saved = manager.post(LOOK, data=look, follow_redirects=True)
    assert "Saved." in saved.text
    page = client.get("/en/")
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    for shown in (page.text, preview.text):
        assert "What is on · Teatro Nuovo</title>" in shown
        assert "Come in &lt;b&gt;early&lt;/b&gt;." in shown
        assert "with-instrument" in shown
        assert "bodoni-moda" not in shown
    (style,) = re.findall(r'href="(/theme/[^"]+\.css)"', page.text)
    css = client.get(style)
    assert f"--link:{GREEN}" in css.text
    assert css.cache_control.immutable
    assert "Piazza Nuova 1" in client.get("/it/").text
    assert "Piazza Nuova 1" not in page.text


def test_a_weak_accent_is_refused_with_the_nearest_that_works(
    manager: FlaskClient, client: FlaskClient
) -> None:
    answer = manager.post(LOOK, data=typed(manager, accent="#FF8800"))
    told = re.search(
        r"too hard to read. The nearest colour that works is (#[0-9a-f]{6})", answer.text
    )
    assert told
    assert is_readable(told[1])
    for address in (LOOK, f"{LOOK}preview/"):
        for accent in ("#ff8800", "red", "#12", "#00000g", "url(x)"):
            manager.post(address, data=typed(manager, accent=accent))
    assert read_theme(db.session()) == Theme()
    assert f'name="nearest" value="{told[1]}"' in answer.text
    assert "/theme/" not in client.get("/en/").text
    assert (
        "Saved"
        in manager.post(
            LOOK, data=typed(manager, accent="#ff8800", nearest=told[1]), follow_redirects=True
        ).text
    )


def test_rules_refuse_a_weak_accent_too(database: psycopg.Connection[Any]) -> None:
    with pytest.raises(AccentRefused):
        save_theme(Theme(accent="#ffff00"), seen=0, by=None)
    assert database.execute("SELECT count(*) FROM theme_version").fetchone() == (0,)


def test_an_earlier_look_and_the_shipped_one_come_back(
    manager: FlaskClient, client: FlaskClient, database: psycopg.Connection[Any]
) -> None:
    for name in ("First", "Second"):
        manager.post(LOOK, data=typed(manager, name=name))
    for wanted, title in (("1", "First"), ("0", "AzioneLab")):
        token = fields(manager.get(LOOK).text)
        restored = manager.post(
            f"{LOOK}restore/",
            data={"csrf_token": token["csrf_token"], "id": wanted, "version": token["version"]},
            follow_redirects=True,
        )
        assert "Saved." in restored.text
        assert f"· {title}</title>" in client.get("/en/").text
    recorded = database.execute(
        "SELECT actor, object_id FROM audit_entry WHERE object_type = 'theme' ORDER BY id"
    ).fetchall()
    assert recorded == [("staff", "1"), ("staff", "2"), ("staff", "3"), ("staff", "4")]
    assert "saved version 4 of the look" in manager.get("/admin/log/?type=theme").text


def test_of_two_who_change_the_look_the_second_is_told(
    manager: FlaskClient, client: FlaskClient
) -> None:
    old = typed(manager, name="Mine")
    save_theme(Theme(name="Theirs"), seen=0, by=None)
    told = manager.post(LOOK, data=old)
    assert told.status_code == 409
    assert "Somebody else has changed the look" in told.text
    assert 'value="Mine"' in told.text
    assert "· Theirs</title>" in client.get("/en/").text
    with pytest.raises(ThemeChanged):
        save_theme(Theme(name="Late"), seen=0, by=None)


def a_logo(size: tuple[int, int], kind: str = "PNG") -> BytesIO:
    content = BytesIO()
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    picture.paste((255, 240, 200, 255), (0, 0, size[0] // 2, size[1]))
    picture.save(content, kind)
    content.seek(0)
    return content


def test_a_logo_takes_the_names_place_and_keeps_what_is_transparent(
    manager: FlaskClient, client: FlaskClient
) -> None:
    def upload(file: BytesIO, **more: str) -> Any:
        token = fields(manager.get(LOOK).text)
        hidden = {name: token[name] for name in ("csrf_token", "version")}
        return manager.post(
            f"{LOOK}logo/",
            data=hidden | more | {"file": (file, "logo.png")},
            follow_redirects=True,
        )

    for wrong, told in (
        (BytesIO(b"<svg/>"), "not a JPEG, PNG"),
        (a_logo((30, 30)), "too small"),
        (a_logo((900, 60)), "too long"),
    ):
        assert told in upload(wrong).text
    assert read_theme(db.session()).logo is None
    upload(a_logo((1200, 300)))
    page = client.get("/en/").text
    address, width, height = re.findall(
        r'<img class="logo" src="([^"]+)" width="(\d+)" height="(\d+)" alt="AzioneLab"', page
    )[0]
    answer = client.get(address)
    assert (answer.mimetype, answer.cache_control.immutable) == ("image/webp", True)
    picture = Image.open(BytesIO(answer.data))
    assert picture.size == (int(width), int(height)) == (640, 160)
    assert picture.convert("RGBA").getpixel((600, 80))[3] == 0  # type: ignore[index]
    # A later look keeps it, until it is removed.
    manager.post(LOOK, data=typed(manager, name="Other"))
    assert 'alt="Other"' in client.get("/en/").text
    assert client.get("/theme/logo-0.webp").status_code == 404
    upload(BytesIO(), remove="1")
    assert 'class="logo"' not in client.get("/en/").text


def test_mails_and_the_pages_of_staff_have_the_theatres_name(app: Flask) -> None:
    party = a_party(a_performance())
    save_theme(Theme(name="Teatro Nuovo", accent=GREEN), seen=0, by=None)
    text = render(Mail(kind=MailKind.TICKET, reservation=fresh(party.id))).text
    assert "Teatro Nuovo" in text
    save_theme(Theme(name="Teatro Vecchio"), seen=1, by=None)
    assert "· Teatro Vecchio</title>" in logged_in(app, "staff").get("/admin/shows/").text
    save_theme(Theme(name="Teatro Ultimo"), seen=2, by=None)
    assert "· Teatro Ultimo</title>" in logged_in(app, "door").get("/checkin/").text


def test_only_who_manages_the_season_sees_or_changes_it(app: Flask) -> None:
    box_office = logged_in(app, "box_office")
    for address in (LOOK, f"{LOOK}preview/"):
        assert box_office.get(address).status_code == 403


def test_a_page_costs_one_statement_more_and_then_none(
    make_app: Callable[..., Flask],
) -> None:
    performance = a_performance()
    visitor = make_app(PAGE_CACHE_SECONDS="60").test_client()
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(db.engine.__class__, "before_cursor_execute", note)
    try:
        for address in ("/en/", f"/en/performances/{performance.id}/book"):
            visitor.get(address)
    finally:
        event.remove(db.engine.__class__, "before_cursor_execute", note)
    assert sum("theme_version" in statement for statement in sent) == 1


def test_the_site_answers_while_the_look_cannot_be_read(
    client: FlaskClient, database: psycopg.Connection[Any]
) -> None:
    client.get("/en/")
    database.execute("ALTER TABLE theme_version RENAME TO theme_away")
    try:
        answer = client.get("/en/")
    finally:
        database.execute("ALTER TABLE theme_away RENAME TO theme_version")
    assert answer.status_code == 200
    assert "· AzioneLab</title>" in answer.text


def test_all_fonts_have_their_files(client: FlaskClient) -> None:
    for number, fonts in enumerate(Fonts):
        save_theme(Theme(name=str(number), fonts=fonts), seen=number, by=None)
        page = client.get("/en/").text
        files = re.findall(r'(?:href)="(/static/[^"]+\.(?:css|woff2))"', page)
        assert all(client.get(file).status_code == 200 for file in files)
        assert sum(file.endswith(".woff2") for file in files) == (
            0 if fonts is Fonts.DEVICE else 2 - (fonts is Fonts.INSTRUMENT)
        )
