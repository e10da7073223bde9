"""What `make fuzz` feeds to whatever reads strangers' bytes: the same targets, with a few bytes each."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.data import make_devices
from fuzz import targets
from fuzz.targets import DEVICE, TARGETS, Broken, forgeries
from tests.factories import a_performance

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def door(app: Flask, in_app: Flask, database: "psycopg.Connection[Any]") -> None:
    evening = a_performance().id
    app.config[DEVICE] = evening, make_devices(database, evening)[0]


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("name", TARGETS)
def test_what_a_target_begins_with_is_taken(app: Flask, name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].read(app, seed)
        TARGETS[name].read(app, seed[: len(seed) // 2])


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_taken_or_refused(app: Flask, name: str) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=200))
    def read(data: bytes) -> None:
        TARGETS[name].read(app, data)

    read()


def test_no_forgery_is_taken(app: Flask) -> None:
    for forged in forgeries(app):
        TARGETS["token"].read(app, forged)


def test_a_forgery_that_is_taken_is_found(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "read_token", lambda _purpose, _text: UUID(int=1))
    with pytest.raises(Broken, match="forged token"):
        TARGETS["token"].read(app, b"anything")


@pytest.mark.usefixtures("door")
def test_an_answer_that_no_server_should_give_is_found(app: Flask) -> None:
    app.config[DEVICE] = app.config[DEVICE][0], "of nobody"
    with pytest.raises(Broken, match="answered 401"):
        TARGETS["sync"].read(app, b"{}")
