"""What the API's tests need: an evening, a token for the door, and requests with it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from azionelab.database import now
from azionelab.integrations.tokens import Scope, issue_program_token
from azionelab.shows.models import Performance
from azionelab.staff import tokens
from tests.factories import a_performance


@pytest.fixture
def evening(app: Flask) -> Performance:
    """A performance that is about to begin, and can still be booked."""
    with app.app_context():
        curtain = now() + timedelta(minutes=20)
        return a_performance(starts_at=curtain, booking_closes_at=curtain)


@pytest.fixture
def door_headers(app: Flask) -> dict[str, str]:
    """The headers of a device that holds a token for the door."""
    with app.app_context():
        _, text = tokens.issue_token("Marta's phone", tokens.Scope.DOOR, hours=8)
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def program_headers(app: Flask) -> dict[str, str]:
    """The headers of a program of the theatre that may read everything."""
    with app.app_context():
        _, text = issue_program_token("A sheet", tuple(Scope), 1, None)
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def door(client: FlaskClient, door_headers: dict[str, str]) -> Callable[..., Any]:
    """Send a request to the door's API: `door("post", "/1/scans", json={...})`."""

    def send(method: str, path: str, **options: Any) -> Any:
        address = f"/api/v1/checkin/performances{path}"
        return client.open(address, method=method.upper(), headers=door_headers, **options)

    return send
