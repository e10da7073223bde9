"""The house: its people counted, its parties found by name."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from azionelab.bookings.models import Reservation, party_of
from azionelab.checkin.house import search
from azionelab.checkin.house.counts import house_counts
from azionelab.checkin.house.name_matching import matches_name, name_matches_sql, spellings
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, transaction
from tests.factories import DOOR_A, a_party, a_performance

pytestmark = pytest.mark.usefixtures("in_app")
NAMES = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))


def test_the_house_is_counted() -> None:
    performance = a_performance(capacity=10)
    party = a_party(performance, 4)
    a_party(performance, 3, confirmed=False)
    admit(performance.id, party.reference, uuid4(), DOOR_A, people=1)
    counts = house_counts([performance.id])[performance.id]
    assert (counts.expected, counts.inside, counts.to_come, counts.free) == (4, 1, 3, 3)


def test_a_name_is_found_and_wildcards_are_letters() -> None:
    performance = a_performance()
    party = a_party(performance, name="Zoë 100% Ng_uyen")
    a_party(performance, name="Ada Rossi")
    a_party(a_performance(), name="Zoë elsewhere")

    def found(query: str) -> list[UUID]:
        return [party.id for party in search.find_parties(performance.id, query).parties]

    for query in ("zoë", "0% n", "g_u", party.email.upper(), party.reference.lower()):
        assert found(query) == [party.id], query
    parts = (party.email[:12], party.email[:-1], "@example.org", party.reference[:7])
    for query in ("", " ", "z", "%%", "__", "\0\0", *parts):
        assert found(query) == []


def test_an_address_is_found_however_it_is_written_and_whenever_it_booked() -> None:
    performance = a_performance()
    party = a_party(performance, email="ada.rossi+opera@gmail.com")
    before = {"key": "ada.rossi+opera@gmail.com", "id": party.id}  # as release 0.3 kept it
    for _ in range(2):
        for typed in ("ada.rossi+opera@gmail.com", "AdaRossi@googlemail.com"):
            assert search.find_parties(performance.id, typed).parties == [party_of(party)], typed
        with transaction() as session:
            session.execute(text("UPDATE reservation SET email_key = :key WHERE id = :id"), before)


@pytest.mark.parametrize("case", NAMES["cases"], ids=lambda case: case["typed"])
def test_the_rule_of_names(case: dict[str, Any]) -> None:
    """The phone's own is tested with the same table."""
    assert matches_name(case["name"], spellings(case["typed"])) == case["found"]


def test_the_database_has_the_same_rule_of_names() -> None:
    performance = a_performance(capacity=100)
    for number, case in enumerate(NAMES["cases"]):
        party = a_party(performance, 1, name=case["name"], email=f"{number}@example.org")
        asked = select(name_matches_sql(Reservation.name, case["typed"])).where(
            Reservation.id == party.id
        )
        assert db.session.scalar(asked) == case["found"], case
    none = select(Reservation.id).where(name_matches_sql(Reservation.name, "'"))
    assert db.session.scalars(none).all() == []


def test_a_name_is_found_in_any_order_and_spelling() -> None:
    performance = a_performance()
    party = a_party(performance, name="Łukasz D’Angelo")
    a_party(performance, name="Ada Rossi")
    for query in ("d'angelo lukasz", "Dangelo", "ŁUKASZ"):
        assert search.find_parties(performance.id, query).parties == [party_of(party)], query


def test_a_search_says_that_there_are_more_parties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_FOUND", 2)
    performance = a_performance()
    for name in ("Bea Rossi", "Ada Rossi"):
        a_party(performance, name=name)
    found = search.find_parties(performance.id, "rossi")
    assert ([party.name for party in found.parties], found.more) == (
        ["Ada Rossi", "Bea Rossi"], False,
    )  # fmt: skip
    a_party(performance, name="Abel Rossi")
    found = search.find_parties(performance.id, "rossi")
    assert ([party.name for party in found.parties], found.more) == (
        ["Abel Rossi", "Ada Rossi"], True,
    )  # fmt: skip
