"""Unconfirmed seats of one network, on the evening's page: shown, and released after a question."""

import re

from flask import Flask
from flask.testing import FlaskClient

from azionelab.bookings import rules
from tests.stage import a_performance, a_visitor, fresh, seats_held
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
    assert "10 places of 3 parties" in shown
    question = staff.get(link[1]).text
    assert "Now 10 places of 3 parties would be released." in question
    assert seats_held(evening.id) == (12, 12)  # a question changes nothing

    network = link[1].rpartition("=")[2]
    done = press(staff, f"{address}/release-holds", link[1], network=network)
    assert "Released: 10 places of 3 parties." in done.text
    assert seats_held(evening.id) == (2, 2)
    assert fresh(first.id).state == "expired"
    again = press(staff, f"{address}/release-holds", address, network=network)
    assert "holds no unconfirmed seats any more" in again.text
    assert "holds no unconfirmed seats any more" in staff.get(link[1]).text
    assert staff.get(f"{address}/holds?network=nonsense").status_code == 404
