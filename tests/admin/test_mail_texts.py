"""The texts of mails: staff change them, and what visitors get follows."""

import html
import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from werkzeug.test import TestResponse

from azionelab.bookings import rules
from azionelab.bookings.mails.messages import render
from azionelab.bookings.mails.templates.fields import find_faults
from azionelab.bookings.mails.templates.models import TemplateName
from azionelab.bookings.mails.templates.shipped import shipped_text
from azionelab.languages import LOCALES
from azionelab.mail.models import Mail
from azionelab.ops.processes.worker import run_worker
from tests.bookings.test_pages import fields
from tests.factories import a_party, a_performance, fresh
from tests.support.people import logged_in
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")

Database = psycopg.Connection[Any]
PAGE = "/admin/mail-texts/edit/?name={}&language=en"
TICKET = PAGE.format("ticket")
BODY = "Ciao {name}!\nCome early.\n\n{ticket}\n\n{button}\n\nSee https://theatre.example/bar and {seats}."


def typed(client: FlaskClient, page: str, **parts: str) -> dict[str, str]:
    """The form's entries as a page has them, with other parts."""
    shown = client.get(page).text
    hidden = {name: fields(shown)[name] for name in ("csrf_token", "version")}
    return hidden | {name: in_line(shown, name) for name in ("subject", "heading")} | parts


def in_line(page: str, name: str) -> str:
    """What a field of one line says."""
    found = re.search(rf'<input[^>]* name="{name}"[^>]* value="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


def save(client: FlaskClient, page: str = TICKET, **parts: str) -> TestResponse:
    return client.post(page, data=typed(client, page, **parts), follow_redirects=True)


def newest_mail(party: Any, kind: str) -> Any:
    reservation = fresh(party.id)
    return render(Mail(kind=kind, reservation=reservation))


def test_a_changed_text_is_what_visitors_get(staff: FlaskClient, database: Database) -> None:
    party = a_party(a_performance(), 2, name="Ada Rossi")
    assert newest_mail(party, "ticket").subject.startswith("Your ticket: ")
    page = save(staff, subject="See you at {show}", heading="Your seats", body=BODY)
    assert "Saved. All mails from now on say this" in page.text
    mail = newest_mail(party, "ticket")
    assert mail.subject == f"See you at {party.performance.show.title}"
    assert "Ciao \u2068Ada Rossi\u2069!\nCome early." in mail.text
    assert f"Open your booking:\n{mail.link}" in mail.text
    assert "Your seats</h1>" in mail.html
    assert 'href="https://theatre.example/bar"' in mail.html
    assert "2 seats." in mail.text
    assert len(mail.pictures) == 1
    page = mail.html.partition("</script>")[2]  # in it the link stands for mailboxes
    assert page.index("cid:") < page.index(mail.link)
    # Other languages and other texts are as they were.
    assert (
        "Il vostro biglietto"
        in newest_mail(a_party(a_performance(), locale="it"), "ticket").text
        + newest_mail(a_party(a_performance(), locale="it"), "ticket").html
    )
    rules.cancel(party.id)
    assert newest_mail(party, "ticket").subject.startswith("Booking cancelled")
    listed = staff.get("/admin/mail-texts/").text
    assert listed.count("own text") == 1
    assert "Staff" in listed
    told = staff.get("/admin/log/?object_type=mail_template").text
    assert "Staff changed the text (English, version 1): “See you at {show}”." in told


@pytest.mark.parametrize(
    ("name", "parts", "told"),
    [
        ("ticket", {"body": "{ticket}\n\n{button}\n\n{nome}"}, "There is no field {nome}."),
        ("confirm", {"body": "Please confirm. {hold}"}, "The field {button} is missing"),
        ("ticket", {"body": "Look: {ticket}\n\n{button}"}, "{ticket} must stand on a line of its"),
        ("ticket", {"subject": "{button}"}, "There is no field {button}."),
        ("ticket", {"heading": ""}, "Please fill this in."),
        ("ticket", {"body": BODY + " {show"}, "A curly bracket has no partner"),
        ("ticket", {"body": BODY + "x" * 10_000}, "10000"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_its_place(
    staff: FlaskClient, database: Database, name: str, parts: dict[str, str], told: str
) -> None:
    page = save(staff, PAGE.format(name), **({"body": BODY} | parts)).text
    assert told in page
    assert "Nothing was saved" in page
    (part,) = [each for each in ("subject", "heading", "body") if f'id="{each}-error"' in page]
    assert part in parts
    assert parts.get("body", BODY)[:40] in page
    assert database.execute("SELECT count(*) FROM mail_template_version").fetchone() == (0,)


def test_the_second_of_two_is_told_and_versions_come_back(
    staff: FlaskClient, database: Database
) -> None:
    first = typed(staff, TICKET, body=BODY, subject="First")
    second = typed(staff, TICKET, body=BODY, subject="Second")
    assert staff.post(TICKET, data=first).status_code == 302
    assert staff.post(TICKET, data=first).status_code == 302  # the same press, once more
    refused = staff.post(TICKET, data=second)
    assert refused.status_code == 409
    assert "What somebody else saved meanwhile" in refused.text
    assert "<strong>First</strong>" in refused.text
    assert 'value="Second"' in refused.text
    again = second | {"version": fields(refused.text)["version"]}
    assert staff.post(TICKET, data=again).status_code == 302
    earlier = staff.get(f"{TICKET}&version=1").text
    assert "This is version 1." in earlier
    assert in_line(earlier, "subject") == "First"
    assert fields(earlier)["version"] == "2"
    shipped = f"{TICKET}&version=0"
    with force_locale("en"):
        body = shipped_text(TemplateName.TICKET).body
    page = save(staff, shipped, body=body)
    assert "the shipped text is used again" in page.text
    assert "own text" not in staff.get("/admin/mail-texts/").text
    rows = database.execute("SELECT version, subject FROM mail_template_version ORDER BY version")
    assert rows.fetchall() == [(1, "First"), (2, "Second"), (3, None)]
    assert (
        "Staff went back to the shipped text (English, version 3)." in staff.get("/admin/log/").text
    )


def test_a_preview_and_a_test_save_nothing(
    staff: FlaskClient, make_app: Callable[..., Flask], smtp_server: SmtpServer, database: Database
) -> None:
    a_performance()
    form = typed(staff, TICKET, body=BODY, subject="Try {reference}", heading="Look")
    shown = staff.post(TICKET.replace("/edit/", "/preview/"), data=form).text
    assert "Nothing is saved yet." in shown
    assert "Ciao \u2068Anna Bianchi\u2069!" in shown
    assert 'value="Try {reference}"' in shown
    sent = staff.post(TICKET.replace("/edit/", "/test/"), data=form).text
    assert "A test is on its way to staff@theatre.org" in sent
    run_worker(make_app(MAIL_PORT=str(smtp_server.port)), once=True)
    (mail,) = smtp_server.messages
    assert mail.recipients == ["staff@theatre.org"]
    assert mail.message["Subject"] == "Try ABCD2345"
    assert "/bookings/" not in mail.text()
    broken = staff.post(TICKET.replace("/edit/", "/test/"), data=form | {"body": "x"}).text
    assert "{ticket}, {button}" in broken
    assert database.execute("SELECT count(*) FROM mail_template_version").fetchone() == (0,)


def test_a_broken_text_stops_no_mail(
    staff: FlaskClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    party = a_party(a_performance())
    database.execute(
        "INSERT INTO mail_template_version (template, language, version, subject, heading, body, written_at)"
        " VALUES ('ticket', 'en', 1, 'Own', 'Own', '{of_another_release}', now()),"
        " ('unknown', 'en', 1, 'Own', 'Own', 'Own', now())"
    )
    assert newest_mail(party, "ticket").subject.startswith("Your ticket: ")
    assert "mail text ticket has faults" in caplog.text
    home = staff.get("/admin/").text
    assert "1 mail text has an error: visitors get the shipped text." in home
    assert "has an error" in staff.get("/admin/mail-texts/").text
    page = staff.get(TICKET).text
    assert "There is no field {of_another_release}." in page
    assert "the shipped text is sent" in page


def test_every_shipped_text_passes_its_own_check() -> None:
    for language in LOCALES:
        with force_locale(language):
            for name in TemplateName:
                assert find_faults(name, shipped_text(name)) == {}, (name, language)


def test_texts_are_for_managers_and_odd_addresses_lead_to_the_list(app: Flask) -> None:
    manager = logged_in(app, "admin")
    for odd in ("name=x&language=en", "name=ticket&language=fr", ""):
        for method in (manager.get, manager.post):
            answer = method(f"/admin/mail-texts/edit/?{odd}")
            assert answer.status_code in (302, 400)
    for name in TemplateName:
        assert manager.get(PAGE.format(name)).status_code == 200
        assert manager.get(f"/admin/mail-texts/edit/?name={name}&language=it").status_code == 200
    assert logged_in(app, "box_office").get("/admin/mail-texts/").status_code == 403
