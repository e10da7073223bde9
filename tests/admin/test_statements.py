"""No page of the back office sends more than twelve statements, whatever it shows."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from azionelab.database import db
from bench.walk import addresses
from tests.admin.test_access import set_the_stage
from tests.support.people import logged_in

pytestmark = pytest.mark.usefixtures("in_app")
MOST = 12
# It reads each part by itself, so that one that cannot be read hides no other.
MOST_OF = {"/admin/status/": 13}
# Files that are made of all tables that refer to a person.
FILES = ("/admin/people/person.json",)


def test_no_page_sends_many_statements(app: Flask) -> None:
    identities = set_the_stage()
    client = logged_in(app, "admin")
    sent: list[str] = []

    def note(*args: Any) -> None:
        if "FROM theme_version" not in args[2]:  # read once in PAGE_CACHE_SECONDS, here 0
            sent.append(args[2])

    event.listen(db.engine, "before_cursor_execute", note)
    found = {}
    for address in addresses(app, "GET"):
        if address in FILES:
            continue
        for identity in identities:
            sent.clear()
            client.get(f"{address}?id={identity}")
            found[address] = max(found.get(address, 0), len(sent))
    assert found["/admin/evenings/1"] >= 8
    assert {
        address: number for address, number in found.items() if number > MOST_OF.get(address, MOST)
    } == {}
