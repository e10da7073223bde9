"""Unconfirmed seats of one network, on the evening's page: shown, and released after a question."""

import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import rules
from tests.factories import a_performance, a_visitor, fresh, seats_held
from tests.support.people import press


def test_what_a_network_holds_is_shown_and_released(in_app: Flask, staff: FlaskClient) -> None:
    evening = a_performance(capacity=90)
    address = f"/admin/evenings/{evening.id}"
    visitors = [rules.Visitor("Ada", a_visitor().email, "en", "192.0.2.7") for _ in range(3)]
    first = rules.reserve(evening.id, visitors[0], 4)
    rules.reserve(evening.id, visitors[1], 5)
    assert "Release …" not in staff.get(address).text
    rules.reserve(evening.id, visitors[2], 1)
    rules.confirm(rules.reserve(evening.id, a_visitor(), 2).id)

    shown = staff.get(address).text
    link = re.search(rf'href="({address}/holds[?]network=[0-9a-f]+)"', shown)
    assert link
    assert "10 seats of 3 parties" in shown
    question = staff.get(link[1]).text
    assert "This would release 10 seats of 3 parties." in question
    assert seats_held(evening.id) == (12, 12)  # a question changes nothing

    network = link[1].rpartition("=")[2]
    done = press(staff, f"{address}/release-holds", link[1], network=network)
    assert "Released: 10 seats of 3 parties." in done.text
    assert seats_held(evening.id) == (2, 2)
    assert fresh(first.id).state == "expired"
    again = press(staff, f"{address}/release-holds", address, network=network)
    assert "no longer holds any unconfirmed seats" in again.text
    assert "no longer holds any unconfirmed seats" in staff.get(link[1]).text
    assert staff.get(f"{address}/holds?network=nonsense").status_code == 404


def test_what_is_not_held_is_shown_and_confirmed_only_while_seats_are_left(
    make_app: Callable[..., Flask], staff: FlaskClient
) -> None:
    with make_app(UNCONFIRMED_PERCENT="50").app_context():
        evening = a_performance(capacity=10)
        held, waits, late = (
            rules.reserve(evening.id, rules.Visitor("Ada", a_visitor().email, "en", network), 4)
            for network in ("192.0.2.7", "192.0.2.8", "192.0.2.9")
        )
        assert (held.shown_as_held, waits.shown_as_held, late.shown_as_held) == (True, False, False)
        waits_id, late_id = waits.id, late.id
    address = f"/admin/evenings/{evening.id}"
    assert "plus 8 without held seats" in staff.get(address).text
    for identity, told in (
        (waits_id, "Confirmed. The ticket is on its way."),
        (late_id, "Only 2 seats are free."),
    ):
        details = f"/admin/reservations/details/?id={identity}"
        answer = press(staff, "/admin/reservations/confirm/", details, id=str(identity))
        assert told in answer.text
    assert "plus 4 without held seats" in staff.get(address).text
