"""Every page rejects request bodies that are not our forms, with a message."""

import pytest
from flask.testing import FlaskClient

from tests.factories import a_party, a_performance, visitor_token

pytestmark = pytest.mark.usefixtures("in_app")

PAGES = [
    "/",
    "/performances/{performance}/book",
    "/bookings/confirm/{token}",
    "/bookings/{token}/cancel",
    "/bookings/{token}/seats",
    "/bookings/{token}/late",
    "/checkin/",
    "/checkin/performances/{performance}/scans",
    "/admin/",
    "/staff/login",
    "/staff/reset",
    "/nowhere",
    "/static/favicon.svg",
]
JSON = "application/json"
BODIES = {
    "large": (b"a" * 1_000_000, JSON),
    "a text": (b'"x"', JSON),
    "a number": (b"5", JSON),
    "a list": (b"[1]", JSON),
    "a wrong token": (b'{"csrf_token":5}', JSON),
    "a wrong name": (b'{"name":5,"email":5}', JSON),
    "half a letter": (b'{"name":"\\ud800"}', JSON),
    "xml": (b"<name>Ada</name>", "text/xml"),
    "nothing known": (b"name=Ada", ""),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_that_is_not_a_form(client: FlaskClient, method: str, body: str) -> None:
    party = a_party(a_performance())
    sent, kind = BODIES[body]
    for page in PAGES:
        path = page.format(performance=party.performance_id, token=visitor_token(party))
        answer = client.open(
            path, method=method, data=sent, content_type=kind, headers={"Accept-Language": "en"}
        )
        assert answer.status_code == 415, path
        assert "The request failed" in answer.text


@pytest.mark.parametrize("page", ["/staff/login", "/admin/venue/new/", "/nowhere"])
def test_a_file(client: FlaskClient, page: str) -> None:
    answer = client.post(
        page,
        data={"name": (__file__, "a.txt"), "email": "ada@example.org"},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 400


def test_a_form_of_a_megabyte(client: FlaskClient) -> None:
    for page in ("/performances/1/book", "/staff/login", "/admin/venue/new/"):
        answer = client.post(
            page, data={"name": "x" * 1_000_000}, headers={"Accept-Language": "en"}
        )
        assert answer.status_code == 413, page
        assert "too large" in answer.text
