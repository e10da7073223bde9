"""Two requests of a program under one idempotency key at the same moment, on real connections."""

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from azionelab.integrations.pages import changes
from tests.bookings.test_locks import Race
from tests.factories import a_performance, seats_held
from tests.integrations.test_staff_changes import Programs

pytestmark = pytest.mark.usefixtures("in_app")

# The first is stopped where its booking is recorded, before it commits; then comes the second.
GATE = "LOCK TABLE audit_entry IN EXCLUSIVE MODE"


@pytest.fixture
def ask(app: Flask) -> Callable[..., str]:
    """Book for a caller without an address, of whom there may be two; the answer's status and booking."""
    program = Programs(app.test_client())

    def book(*booking: Any, **typed: Any) -> str:
        mine = copy(program)
        mine.client = app.test_client()
        answer = mine.book(*booking, email="", same_name=True, **typed)
        return f"{answer.status_code} {answer.json.get('id', '')}"

    return book


@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "negative control without the key"])
def test_a_request_that_is_sent_twice_at_once_books_once(
    app: Flask,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[..., str],
    keyed: bool,
) -> None:
    if not keyed:
        monkeypatch.setattr(changes, "use_key", lambda *_request: uuid4())
    performance, key = a_performance(20), uuid4()
    booking = partial(ask, performance.id, key)
    told = Race(app, database_url).run(GATE, booking, booking)
    assert {answer[:3] for answer in told} == {"201"}
    assert len(set(told)) == (1 if keyed else 2)
    assert seats_held(performance.id) == ((2, 2) if keyed else (4, 4))


def test_of_two_bookings_under_one_key_at_once_the_second_is_refused(
    app: Flask, database_url: str, ask: Callable[..., str]
) -> None:
    performance, key = a_performance(20), uuid4()
    first, second = Race(app, database_url).run(
        GATE,
        partial(ask, performance.id, key),
        partial(ask, performance.id, key, note="another one"),
    )
    assert (first[:3], second) == ("201", "422 ")
    assert seats_held(performance.id) == (2, 2)
