"""A form that comes back sooner than people type is taken, and holds no seats until it is confirmed."""

import time
from collections.abc import Callable
from itertools import count

import pytest
from flask import Flask
from itsdangerous import TimestampSigner
from werkzeug.test import TestResponse

from azionelab.shows.models import Performance
from tests.bookings.test_pages import filled
from tests.factories import a_party, a_performance, seats_held
from tests.support.people import english

pytestmark = pytest.mark.usefixtures("in_app")

LEAST = 60  # seconds: more than any test takes
OFFICE = {"REMOTE_ADDR": "192.0.2.7"}
_numbers = count(1)


@pytest.fixture
def site(make_app: Callable[..., Flask]) -> Flask:
    """A site that expects a minute of typing, and takes two bookings that look like a script's."""
    return make_app(
        FORM_MIN_SECONDS=str(LEAST),
        UNPROVEN_BOOKING_LIMIT="2 per 10 minutes",
        BOX_OFFICE_NETWORKS="192.0.2.0/24",
    )


class Visit:
    """A browser that opened the form so many seconds ago."""

    def __init__(self, site: Flask, performance: Performance, ago: int, form: str = "book") -> None:
        self._client = english(site)
        self._address = f"/en/performances/{performance.id}/{form}"
        opened = int(time.time()) - ago
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(TimestampSigner, "get_timestamp", lambda _self: opened)
            self.page = self._client.get(self._address).text

    def send(self, environ: dict[str, str] | None = None, **typed: str) -> TestResponse:
        """Send the page's form; the answer is the page then."""
        typed = {"email": f"ada-{next(_numbers)}@example.org"} | typed
        form = filled(self.page, **typed)
        answer = self._client.post(self._address, data=form, environ_overrides=environ or {})
        self.page = answer.text
        return answer


def test_who_types_has_seats_and_who_is_too_quick_has_them_once_confirmed(site: Flask) -> None:
    evening = a_performance(capacity=50)
    assert Visit(site, evening, ago=0).send().status_code == 303
    assert seats_held(evening.id)[0] == 0
    assert Visit(site, evening, ago=LEAST).send().status_code == 303
    assert seats_held(evening.id)[0] == 2


def test_too_quick_forms_are_limited_together_and_keep_their_input(site: Flask) -> None:
    evening = a_performance(capacity=50)
    visits = [Visit(site, evening, ago=0) for _ in range(3)]
    told = [visit.send(email="ada@example.org") for visit in visits]
    assert [answer.status_code for answer in told] == [303, 303, 429]
    assert 'value="ada@example.org"' in told[-1].text
    assert Visit(site, evening, ago=LEAST).send().status_code == 303


@pytest.mark.parametrize(
    "wrong", [{"email": "ada"}, {"csrf_token": "0.stale.token"}], ids=["a typo", "left open"]
)
def test_a_form_shown_once_more_counts_from_its_first_page(
    site: Flask, wrong: dict[str, str]
) -> None:
    evening = a_performance(capacity=50)
    visit = Visit(site, evening, ago=LEAST)
    assert visit.send(**wrong).status_code == 422
    assert visit.send().status_code == 303
    assert seats_held(evening.id)[0] == 2


@pytest.mark.parametrize("stamp", ["", "form.0.forged"])
def test_a_form_that_does_not_say_when_it_was_shown_is_too_quick(site: Flask, stamp: str) -> None:
    evening = a_performance(capacity=50)
    assert Visit(site, evening, ago=LEAST).send(shown_at=stamp).status_code == 303
    assert seats_held(evening.id)[0] == 0


def test_box_office_and_programs_may_be_quick(site: Flask) -> None:
    evening = a_performance(capacity=50)
    assert Visit(site, evening, ago=0).send(OFFICE).status_code == 303
    booking = {"name": "Ada", "email": "ada@example.org", "seats": 2, "consent": True}
    address = f"/api/v1/performances/{evening.id}/reservations"
    assert site.test_client().post(address, json=booking).status_code == 202
    assert seats_held(evening.id)[0] == 4


def test_the_waitlist_takes_few_too_quick_forms_and_all_others(site: Flask) -> None:
    evening = a_performance(1)
    a_party(evening, 1)

    def ask(ago: int) -> int:
        return Visit(site, evening, ago, "waitlist").send(seats="1").status_code

    assert [ask(0), ask(0), ask(0), ask(LEAST)] == [303, 303, 429, 303]
