"""Pages of other sites may call the API when the operator lists them, and never with cookies."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

FRIEND = "https://app.theatre.example"
STRANGER = "https://elsewhere.example"
ADDRESS = "/api/v1/performances"


@pytest.fixture
def open_client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(CORS_ALLOWED_ORIGINS=FRIEND).test_client()


def test_a_listed_site_may_read(open_client: FlaskClient) -> None:
    answer = open_client.get(ADDRESS, headers={"Origin": FRIEND})
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.vary


def test_a_listed_site_can_read_problems_too(open_client: FlaskClient) -> None:
    answer = open_client.post(f"{ADDRESS}/1/reservations", json={}, headers={"Origin": FRIEND})
    assert answer.status_code == 422
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND


@pytest.mark.parametrize(
    "address", [f"{ADDRESS}/1/reservations", "/api/v1/checkin/performances/1/scans"]
)
def test_a_listed_site_may_ask_first(open_client: FlaskClient, address: str) -> None:
    asks = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}
    answer = open_client.options(address, headers=asks)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", [STRANGER, "null", f"{FRIEND}.elsewhere.example", None])
def test_nobody_else_may(open_client: FlaskClient, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    asks = {**headers, "Access-Control-Request-Method": "POST"}
    for answer in (
        open_client.get(ADDRESS, headers=headers),
        open_client.options(ADDRESS, headers=asks),
    ):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
        # A cache must not give this answer to the listed site.
        assert "Origin" in answer.vary


@pytest.mark.parametrize("address", ["/", "/api/openapi.json", "/api/nothing"])
def test_only_the_api_is_open(open_client: FlaskClient, address: str) -> None:
    answer = open_client.get(address, headers={"Origin": FRIEND})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_without_the_setting_it_is_closed(client: FlaskClient) -> None:
    answer = client.get(ADDRESS, headers={"Origin": FRIEND})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" not in answer.vary
