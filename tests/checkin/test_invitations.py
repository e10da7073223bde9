"""An invitation is for a limited number of phones, also if several use it at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation

from azionelab.checkin.devices import invitations
from azionelab.checkin.devices import registry as devices
from azionelab.database import db, now
from azionelab.staff.tokens import Scope, issue_token, revoke_token
from tests.factories import a_performance
from tests.support.processes import PATIENCE

Found = TypeVar("Found")
pytestmark = pytest.mark.usefixtures("in_app")


def labels(performance_id: int) -> list[str]:
    db.session.rollback()
    return sorted(seen.label for seen in devices.devices_of(performance_id))


def test_an_invitation_is_for_one_phone() -> None:
    performance = a_performance()
    invitation = invitations.make_invitation(performance.id)
    invitations.enrol(invitation, "Door A")
    for _ in range(30):
        with pytest.raises(invitations.InvitationUsed):
            invitations.enrol(invitation, "Photographed")
    with pytest.raises(invitations.InvitationUsed):
        invitations.read_invitation(invitation)
    assert labels(performance.id) == ["Door A"]
    invitations.enrol(invitations.make_invitation(performance.id), "Door B")


def test_an_invitation_may_be_for_several_phones() -> None:
    performance = a_performance()
    invitation = invitations.make_invitation(performance.id, phones=3)
    assert invitations.read_invitation(invitation).phones == 3
    for _ in range(3):
        invitations.enrol(invitation, "Door")
    with pytest.raises(invitations.InvitationUsed):
        invitations.enrol(invitation, "Door")
    assert labels(performance.id) == ["Door", "Door 2", "Door 3"]


def test_a_revoked_device_cannot_enrol_again() -> None:
    performance = a_performance()
    invitation = invitations.make_invitation(performance.id)
    revoke_token(invitations.enrol(invitation, "Stranger")[0].id)
    with pytest.raises(invitations.InvitationUsed):
        invitations.enrol(invitation, "Stranger")


def test_a_repeated_request_returns_the_same_device() -> None:
    performance = a_performance()
    for phones in (1, 3):
        invitation = invitations.make_invitation(performance.id, phones)
        request = uuid4()
        first, text = invitations.enrol(invitation, f"Door of {phones}", request)
        again, same = invitations.enrol(invitation, "Renamed", request)
        assert (again.id, again.label, same) == (first.id, f"Door of {phones}", text)
        assert invitations.read_invitation(invitation, request).performance_id == performance.id
    assert labels(performance.id) == ["Door of 1", "Door of 3"]


def test_another_request_or_invitation_makes_another_device() -> None:
    performance = a_performance()
    request = uuid4()
    invitation, other = (invitations.make_invitation(performance.id, 2) for _ in range(2))
    asked = [(invitation, request), (invitation, uuid4()), (other, request), (other, None)]
    made = [invitations.enrol(by, "Door", key) for by, key in asked]
    assert len({text for _, text in made}) == 4
    assert len(labels(performance.id)) == 4
    for by in (invitation, other):
        with pytest.raises(invitations.InvitationUsed):
            invitations.enrol(by, "Door", uuid4())
        with pytest.raises(invitations.InvitationUsed):
            invitations.read_invitation(by, uuid4())


@pytest.mark.parametrize("phones", [1, 2])
def test_a_refused_request_is_refused_again(phones: int) -> None:
    performance = a_performance()
    invitation, request = invitations.make_invitation(performance.id, phones), uuid4()
    revoke_token(invitations.enrol(invitation, "Stranger", request)[0].id)
    with pytest.raises(invitations.InvitationUsed):
        invitations.enrol(invitation, "Stranger", request)
    if phones == 1:
        with pytest.raises(invitations.InvitationUsed):
            invitations.read_invitation(invitation, request)


def test_a_request_that_is_sent_again_before_it_was_answered_makes_one_device(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = a_performance()
    invitation, request = invitations.make_invitation(performance.id), uuid4()
    monkeypatch.setattr(invitations, "_free_slot", together(invitations._free_slot, 4))

    def attempt(_number: int) -> str:
        with app.app_context():
            return invitations.enrol(invitation, "Door", request)[1]

    with ThreadPoolExecutor(4) as crowd:
        texts = set(crowd.map(attempt, range(4)))
    assert len(texts) == 1
    assert labels(performance.id) == ["Door"]


def test_tokens_without_an_invitation_take_no_slot() -> None:
    """The previous release makes such tokens."""
    performance = a_performance()
    for number in range(2):
        issue_token(f"Door {number} of 0.3", Scope.DOOR, 5, performance.id)
    invitations.enrol(invitations.make_invitation(performance.id), "Door A")
    assert len(labels(performance.id)) == 3


def test_an_invitation_expires_at_the_shown_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = invitations.show_invitation(a_performance().id, 1)
    monkeypatch.setattr(invitations, "now", lambda: shown.good_until - timedelta(seconds=0.1))
    assert invitations.read_invitation(shown.text).phones == 1
    monkeypatch.setattr(invitations, "now", lambda: shown.good_until)
    with pytest.raises(invitations.InvitationExpired):
        invitations.read_invitation(shown.text)


def test_the_shown_invitation_stays_until_it_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    performance, other = a_performance(), a_performance()
    began = datetime.fromtimestamp(now().timestamp() // 300 * 300, now().tzinfo)

    def at(seconds: float) -> None:
        monkeypatch.setattr(invitations, "now", lambda: began + timedelta(seconds=seconds))

    at(0)
    shown = invitations.show_invitation(performance.id, 2)
    assert (shown.used, shown.good_until) == (0, began + devices.INVITATION_VALID_FOR)
    assert invitations.read_invitation(shown.text).phones == 2
    different = {
        invitations.show_invitation(*asked).text
        for asked in ((performance.id, 1), (performance.id, 3), (other.id, 2))
    }
    assert len(different | {shown.text}) == 4
    at(299.9)
    assert invitations.show_invitation(performance.id, 2) == shown
    invitations.enrol(shown.text, "Door A")
    assert invitations.show_invitation(performance.id, 2) == shown._replace(used=1)
    invitations.enrol(shown.text, "Door B")
    following = invitations.show_invitation(performance.id, 2)
    assert following.used == 0
    assert following.text != shown.text
    invitations.enrol(following.text, "Door C")
    at(300)
    renewed = invitations.show_invitation(performance.id, 2)
    assert renewed.used == 0
    assert renewed.good_until == began + timedelta(minutes=20)
    # The previous one is still valid for somebody who is about to scan it.
    invitations.enrol(following.text, "Door D")


def together(look: Callable[..., Found], phones: int) -> Callable[..., Found]:
    """Let all threads find the same free slot before one of them takes it."""
    everybody, looked = threading.Barrier(phones, timeout=PATIENCE), threading.local()

    def look_and_wait(*asked: Any) -> Found:
        found = look(*asked)
        # A thread that finds it taken looks again, alone.
        if not hasattr(looked, "once"):
            looked.once = True
            everybody.wait()
        return found

    return look_and_wait


def race(app: Flask, invitation: str, phones: int = 4, name: str = "Door {}") -> list[str]:
    """Use one invitation in several threads at once, and return the results."""

    def attempt(number: int) -> str:
        with app.app_context():
            try:
                invitations.enrol(invitation, name.format(number))
            except invitations.InvitationUsed:
                return "used"
            return "a door"

    with ThreadPoolExecutor(phones) as crowd:
        return sorted(crowd.map(attempt, range(phones)))


@pytest.mark.parametrize("places", [1, 3])
def test_concurrent_phones_do_not_exceed_the_limit(
    app: Flask, monkeypatch: pytest.MonkeyPatch, places: int
) -> None:
    performance = a_performance()
    invitation = invitations.make_invitation(performance.id, places)
    monkeypatch.setattr(invitations, "_free_slot", together(invitations._free_slot, 4))
    assert race(app, invitation) == ["a door"] * places + ["used"] * (4 - places)
    assert len(labels(performance.id)) == places


@pytest.fixture
def without_the_key(in_app: Flask, database: psycopg.Connection[Any]) -> Iterator[None]:
    """Drop the unique key on slots for the duration of the test."""
    db.session.rollback()
    database.execute("ALTER TABLE api_token DROP CONSTRAINT uq_api_token_invitation")
    yield
    db.session.rollback()
    database.execute("TRUNCATE api_token CASCADE")
    database.execute(
        "ALTER TABLE api_token ADD CONSTRAINT uq_api_token_invitation"
        " UNIQUE (invitation, invitation_place)"
    )


@pytest.mark.usefixtures("without_the_key")
def test_negative_control_without_the_key_all_of_them_become_doors(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = a_performance()
    invitation = invitations.make_invitation(performance.id)
    monkeypatch.setattr(invitations, "_free_slot", together(invitations._free_slot, 4))
    assert race(app, invitation) == ["a door"] * 4
    assert len(labels(performance.id)) == 4


def test_concurrent_phones_of_one_name_get_different_labels(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = a_performance()
    invitation = invitations.make_invitation(performance.id, 5)
    monkeypatch.setattr(invitations, "_unique_label", together(invitations._unique_label, 4))
    assert race(app, invitation, name="Door") == ["a door"] * 4
    assert labels(performance.id) == ["Door", "Door 2", "Door 3", "Door 4"]


@pytest.fixture
def with_any_names(in_app: Flask, database: psycopg.Connection[Any]) -> Iterator[None]:
    """Drop the unique index on labels for the duration of the test."""
    db.session.rollback()
    database.execute("DROP INDEX uq_api_token_label")
    yield
    db.session.rollback()
    database.execute("TRUNCATE api_token CASCADE")
    database.execute(
        "CREATE UNIQUE INDEX uq_api_token_label ON api_token (performance_id, label)"
        " WHERE revoked_at IS NULL"
    )


@pytest.mark.usefixtures("with_any_names")
def test_negative_control_without_the_index_they_have_one_name(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    performance = a_performance()
    # With slots of their own, because phones that meet at one slot choose their label again.
    shown = [invitations.make_invitation(performance.id) for _ in range(2)]
    monkeypatch.setattr(invitations, "_unique_label", together(invitations._unique_label, 2))
    with ThreadPoolExecutor(2) as crowd:
        list(crowd.map(lambda one: race(app, one, 1, "Door"), shown))
    assert labels(performance.id) == ["Door", "Door"]


@pytest.mark.parametrize("wrong", ["invitation_place = 0", "invitation = NULL"])
def test_the_database_refuses_an_impossible_slot(
    database: psycopg.Connection[Any], wrong: str
) -> None:
    invitations.enrol(invitations.make_invitation(a_performance().id), "Door A")
    with pytest.raises(CheckViolation, match="ck_api_token_invitation_place"):
        database.execute(f"UPDATE api_token SET {wrong}")
