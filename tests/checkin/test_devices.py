"""Door devices: enrolled by an invitation, for one performance until it ends, revoked at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from azionelab.checkin.devices import invitations
from azionelab.checkin.devices import registry as devices
from azionelab.checkin.scanning.scan_log import Actor
from azionelab.checkin.scanning.scans import admit
from azionelab.database import db, now
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import Scope, revoke_token
from tests.factories import a_party, a_performance, move

A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], datetime]:
    """Move the time of devices and invitations ahead, from the start of the test."""
    began = now()

    def later(by: timedelta) -> datetime:
        moment = began + by
        for module in (devices, invitations):
            monkeypatch.setattr(module, "now", lambda: moment)
        return moment

    return later


def enrolled(performance_id: int, label: str = "Door A") -> tuple[int, str]:
    device, text = invitations.enrol(invitations.make_invitation(performance_id), label)
    return device.id, text


def test_an_invitation_makes_a_device_of_its_performance(in_app: Flask) -> None:
    performance = a_performance()
    token_id, text = enrolled(performance.id)
    device = devices.find_device(text)
    assert device is not None
    assert (device.token_id, device.label) == (token_id, "Door A")
    assert device.performance_id == performance.id
    assert device.closes_at == performance.starts_at + timedelta(hours=2)


@pytest.mark.parametrize("scope", Scope)
def test_a_device_has_the_rights_of_its_invitation(in_app: Flask, scope: Scope) -> None:
    performance = a_performance()
    invitation = invitations.make_invitation(performance.id, scope=scope)
    assert invitations.read_invitation(invitation).scope is scope
    device = devices.find_device(invitations.enrol(invitation, "Door A")[1])
    assert device is not None
    assert device.scope is scope
    assert [seen.scope for seen in devices.devices_of(performance.id)] == [scope]


def test_staff_are_asked_about_newcomers(in_app: Flask) -> None:
    token_id, _ = enrolled(a_performance().id)
    token = db.session.get_one(ApiToken, token_id)
    (seen,) = devices.devices_of(token.performance_id or 0)
    came = seen.created_at
    assert seen.is_new(came)
    assert seen.is_new(came + timedelta(minutes=15) - A_MOMENT)
    assert not seen.is_new(came + timedelta(minutes=15))
    revoke_token(token_id)
    (seen,) = devices.devices_of(token.performance_id or 0)
    assert not seen.is_new(came)


def test_a_second_device_of_one_name_gets_a_number(in_app: Flask) -> None:
    before, performance, after = (a_performance() for _ in range(3))
    for other in (before, after):
        enrolled(other.id, "Door")
    ids = [enrolled(performance.id, "Door")[0] for _ in range(3)]
    labels = [seen.label for seen in devices.devices_of(performance.id)]
    assert labels == ["Door 3", "Door 2", "Door"]
    revoke_token(ids[1])
    enrolled(performance.id, "Door")
    assert devices.devices_of(performance.id)[0].label == "Door 2"
    for other in (before, after):
        assert [seen.label for seen in devices.devices_of(other.id)] == ["Door"]


def test_an_invitation_expires_after_a_quarter_of_an_hour(
    in_app: Flask, at: Callable[[timedelta], datetime]
) -> None:
    at(timedelta(0))
    invitation = invitations.make_invitation(a_performance().id, phones=2)
    at(timedelta(minutes=14, seconds=59))
    invitations.enrol(invitation, "Door A")
    at(timedelta(minutes=15))
    with pytest.raises(invitations.InvitationExpired):
        invitations.enrol(invitation, "Door A")


def test_an_invitation_expires_with_its_performance(
    in_app: Flask, at: Callable[[timedelta], datetime]
) -> None:
    performance = a_performance(starts_at=at(timedelta(hours=-2, seconds=1)))
    at(timedelta(seconds=1) - A_MOMENT)
    invitations.enrol(invitations.make_invitation(performance.id), "Door A")
    at(timedelta(seconds=1))
    with pytest.raises(invitations.InvitationExpired):
        invitations.enrol(invitations.make_invitation(performance.id), "Door A")


def test_an_invitation_without_its_performance_is_expired(in_app: Flask) -> None:
    first, last = a_performance().id, a_performance().id
    for gone in (first - 1, last + 1):
        with pytest.raises(invitations.InvitationExpired):
            invitations.enrol(invitations.make_invitation(gone), "Door A")
    for there in (first, last):
        assert (
            invitations.read_invitation(invitations.make_invitation(there)).performance_id == there
        )


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda _: "", lambda _: "\ud800x"])
def test_a_forged_invitation_is_refused(in_app: Flask, change: Callable[[str], str]) -> None:
    with pytest.raises(invitations.InvitationForged):
        invitations.enrol(change(invitations.make_invitation(a_performance().id)), "Door A")


def test_an_invitation_outlives_a_change_of_keys(make_app: Callable[..., Flask]) -> None:
    old, new = "o" * 20 + "A1b2C3d4E5f6", "n" * 20 + "A1b2C3d4E5f6"
    with make_app(SECRET_KEY=old).app_context():
        performance = a_performance()
        invitation = invitations.make_invitation(performance.id, phones=2)
    with make_app(SECRET_KEY=new, SECRET_KEY_FALLBACKS=old).app_context():
        assert invitations.enrol(invitation, "Door A")[0].performance_id == performance.id
    with make_app(SECRET_KEY=new).app_context(), pytest.raises(invitations.InvitationForged):
        invitations.enrol(invitation, "Door A")


def test_the_door_closes_when_the_moved_performance_ends(
    in_app: Flask, database: psycopg.Connection[Any]
) -> None:
    before, performance, after = (a_performance() for _ in range(3))
    tokens = [enrolled(one.id)[1] for one in (before, performance, after)]
    database.execute("UPDATE show SET duration_minutes = 90 WHERE id = %s", [performance.show_id])
    later = performance.starts_at + timedelta(hours=1)
    move(performance.id, later)
    closings = [
        before.starts_at + timedelta(hours=2),
        later + timedelta(minutes=90),
        after.starts_at + timedelta(hours=2),
    ]
    # By an index a show's own row would come first of several.
    db.session.execute(text("SET LOCAL enable_indexscan = off"))
    db.session.execute(text("SET LOCAL enable_bitmapscan = off"))
    for token, closes_at in zip(tokens, closings, strict=True):
        device = devices.find_device(token)
        assert device is not None
        assert device.closes_at == closes_at


def test_an_unknown_or_expired_token_is_no_device(
    in_app: Flask, database: psycopg.Connection[Any]
) -> None:
    performance = a_performance()
    for digest in (b"\x00", b"\xff" * 32):
        token_id, _ = enrolled(performance.id)
        database.execute("UPDATE api_token SET digest = %s WHERE id = %s", [digest, token_id])
    assert devices.find_device("nobody's") is None


def test_offline_scans_are_accepted_for_two_days(
    in_app: Flask, at: Callable[[timedelta], datetime]
) -> None:
    performance = a_performance(starts_at=at(timedelta(days=1)))
    at(timedelta(0))
    token_id, text = enrolled(performance.id)
    token = db.session.get_one(ApiToken, token_id)
    until = timedelta(days=3, hours=2)
    assert token.expires_at == pytest.approx(at(until), abs=timedelta(minutes=1))
    until += token.expires_at - at(until)
    at(until - A_MOMENT)
    assert devices.find_device(text) is not None
    at(until)
    assert devices.find_device(text) is None


def test_a_device_is_cached_for_half_a_minute(
    in_app: Flask, at: Callable[[timedelta], datetime]
) -> None:
    token_id, text = enrolled(a_performance().id)
    at(timedelta(0))
    first = devices.find_device_cached(text)
    assert first is not None
    revoke_token(token_id)
    at(timedelta(seconds=30) - A_MOMENT)
    assert devices.find_device_cached(text) == first
    at(timedelta(seconds=30))
    again = devices.find_device_cached(text)
    assert again is not None
    assert again.revoked


def test_revoked_and_unknown_devices_are_not_cached(
    in_app: Flask, database: psycopg.Connection[Any]
) -> None:
    token_id, text = enrolled(a_performance().id)
    revoke_token(token_id)
    revoked = devices.find_device_cached(text)
    assert revoked is not None
    assert revoked.revoked
    database.execute("UPDATE api_token SET revoked_at = NULL")
    valid = devices.find_device_cached(text)
    assert valid is not None
    assert not valid.revoked
    assert devices.find_device_cached("nobody's") is None


@pytest.mark.parametrize(("remembered", "then"), [(1_000, 1_001), (1_001, 1)])
def test_a_thousand_devices_are_cached(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch, remembered: int, then: int
) -> None:
    _, text = enrolled(a_performance().id)
    device = devices.find_device(text)
    many = {b"%d" % number: (device, now()) for number in range(remembered)}
    monkeypatch.setattr(devices, "_CACHE", many)
    assert devices.find_device_cached(text) == device
    assert len(many) == then


def test_a_device_is_silent_after_a_minute(
    in_app: Flask, at: Callable[[timedelta], datetime]
) -> None:
    before, performance, after = (a_performance() for _ in range(3))
    for evening in (before, performance, after):
        device = devices.find_device(enrolled(evening.id, f"Door {evening.id}")[1])
        assert device is not None
        at(timedelta(0))
        devices.note_seen(device)
    enrolled(performance.id, "Never seen")

    def silent(moment: datetime) -> list[str]:
        """Who can be put away, and is told of."""
        seen = devices.devices_of(performance.id)
        able = [device.label for device in seen if device.is_silent(moment)]
        assert able == devices.silent_devices(performance.id)
        return able

    assert silent(at(timedelta(minutes=1))) == []
    assert silent(at(timedelta(minutes=1) + A_MOMENT)) == [f"Door {performance.id}"]


def test_staff_see_what_devices_do(in_app: Flask, at: Callable[[timedelta], datetime]) -> None:
    performance = a_performance()
    token_id, text = enrolled(performance.id)
    actor = Actor("Door A", token_id=token_id, label="Door A")
    admit(performance.id, a_party(performance, 3).reference, uuid4(), actor)
    admit(performance.id, "nobody", uuid4(), actor)

    def seen() -> devices.DeviceSummary:
        (only,) = devices.devices_of(performance.id)
        return only

    assert (seen().scans, seen().people, seen().last_seen_at) == (2, 3, None)

    def note() -> Any:
        device = devices.find_device(text)
        assert device is not None
        devices.note_seen(device)
        return seen().last_seen_at

    began = at(timedelta(0))
    assert note() == began
    at(timedelta(seconds=30) - A_MOMENT)
    assert note() == began, "not written each time"
    moment = at(timedelta(seconds=30))
    assert note() == moment
    assert seen().revoked_at is None
    revoke_token(token_id)
    assert seen().revoked_at is not None


def test_each_device_has_its_own_figures(
    in_app: Flask, at: Callable[[timedelta], datetime]
) -> None:
    before, performance, after = (a_performance() for _ in range(3))
    for other in (before, after):
        enrolled(other.id)
    _, text, _ = (enrolled(performance.id)[1] for _ in range(3))
    device = devices.find_device(text)
    assert device is not None
    actor = Actor("Door A", token_id=device.token_id)
    party = a_party(performance, 3)
    for number in range(1, 6):
        code = party.reference if number == 3 else "nobody"
        admit(performance.id, code, UUID(int=number), actor)
    moment = at(timedelta(0))
    devices.note_seen(device)
    assert [(d.scans, d.people, d.last_seen_at) for d in devices.devices_of(performance.id)] == [
        (0, 0, None),
        (5, 3, moment),
        (0, 0, None),
    ]


def test_a_ticket_digest_is_the_first_bytes_of_its_hash() -> None:
    """The app makes the same digest (static_frontend/src/door/rules/party-list.ts)."""
    assert devices.ticket_digest("a ticket") == "zBe-8JspHpM6it7y"
