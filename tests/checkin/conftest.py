"""Fixtures for the door."""

import pytest
from flask.testing import FlaskClient

from azionelab.staff.accounts import create_account
from tests.bookings.test_pages import fields

PASSWORD = "correct horse battery staple"


@pytest.fixture
def door(client: FlaskClient) -> FlaskClient:
    """A client logged in as door staff."""
    create_account("anna@theatre.org", "door", PASSWORD, name="Anna")
    form = fields(client.get("/staff/login").text)
    answer = client.post(
        "/staff/login", data=form | {"email": "anna@theatre.org", "password": PASSWORD}
    )
    assert answer.status_code == 302
    return client
