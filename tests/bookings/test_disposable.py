"""DISPOSABLE_DOMAINS: addresses of throw-away mailboxes, which visitors may not use and the box office may."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.settings.loading import ConfigError, load_config
from tests.bookings.test_pages import ENGLISH, fields
from tests.factories import a_party, a_performance, visitor_token
from tests.test_config import DEVELOPMENT

pytestmark = pytest.mark.usefixtures("in_app")
REFUSED = "This is an address of a throw-away mailbox"
LISTED = "# from somewhere\nmailinator.com\n\nCaffè.example.org  # one more\n"


@pytest.fixture
def site(make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """A site with such a list in a file."""
    listed = tmp_path / "domains"
    listed.write_text(LISTED, encoding="utf-8")
    return make_app(DISPOSABLE_DOMAINS_FILE=str(listed), BOX_OFFICE_NETWORKS="192.0.2.0/24")


def book(client: FlaskClient, email: str) -> tuple[int, str]:
    """The answer to a booking by the form."""
    address = f"/en/performances/{a_performance().id}/book"
    form = fields(client.get(address, headers=ENGLISH).text)
    sent = client.post(
        address,
        data=form | {"name": "Ada", "email": email, "seats": 1, "consent": "y"},
        headers=ENGLISH,
    )
    return sent.status_code, sent.text


@pytest.mark.parametrize(
    "email", ["ada@mailinator.com", "ada@x.Mailinator.com", "ada@caffè.example.org"]
)
def test_the_form_says_so_at_the_field_and_keeps_what_was_typed(site: Flask, email: str) -> None:
    status, page = book(site.test_client(), email)
    assert status == 422
    assert REFUSED in page
    (field,) = re.findall(r'<input[^>]* name="email"[^>]*>', page)
    assert 'aria-invalid="true"' in field
    assert 'value="Ada"' in page


def test_others_book_and_so_does_everybody_without_a_list(site: Flask, client: FlaskClient) -> None:
    assert book(site.test_client(), "ada@notmailinator.com")[0] == 303
    assert book(client, "ada@mailinator.com")[0] == 303


def test_the_box_office_books_with_any_address(site: Flask) -> None:
    client = site.test_client()
    client.environ_base["REMOTE_ADDR"] = "192.0.2.9"
    assert book(client, "ada@mailinator.com")[0] == 303


def test_the_api_refuses_it_by_the_field(site: Flask) -> None:
    answer = site.test_client().post(
        f"/api/v1/performances/{a_performance().id}/reservations",
        json={"name": "Ada", "email": "ada@mailinator.com", "seats": 1, "consent": True},
        headers=ENGLISH,
    )
    assert answer.status_code == 422
    (error,) = answer.json["errors"]
    assert error["field"] == "email"
    assert REFUSED in error["detail"]


def test_a_booking_is_not_handed_over_to_one(site: Flask) -> None:
    party = a_party(a_performance())
    client = site.test_client()
    address = f"/en/bookings/{visitor_token(party)}/hand-over"
    form = fields(client.get(address, headers=ENGLISH).text)
    friend = {"friend": "Bea", "friend_email": "bea@mailinator.com"}
    sent = client.post(address, data=form | friend, headers=ENGLISH)
    assert sent.status_code == 422
    assert REFUSED in sent.text


def test_a_line_that_is_no_domain_is_named(tmp_path: Path) -> None:
    listed = tmp_path / "domains"
    listed.write_text("mailinator.com\n<html>\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_config(DEVELOPMENT | {"DISPOSABLE_DOMAINS_FILE": str(listed)})
    assert refused.value.problems == [
        "DISPOSABLE_DOMAINS: '<html>' in line 2 is not a domain such as mailinator.com"
    ]
