"""Door devices: enrolled by an invitation, for one performance until it ends, revoked at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from itsdangerous import TimestampSigner

from azionelab.checkin import devices
from azionelab.checkin.books import Actor
from azionelab.checkin.scans import admit
from azionelab.database import now
from azionelab.staff.tokens import revoke_token
from tests.stage import a_party, a_performance, move


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], datetime]:
    """Let it be later, for devices and the signatures of invitations."""

    def later(by: timedelta) -> datetime:
        moment = now() + by
        monkeypatch.setattr(devices, "now", lambda: moment)
        seconds = int(moment.timestamp())
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _signer: seconds)
        return moment

    return later


def enrolled(performance_id: int, label: str = "Door A") -> tuple[int, str]:
    device, text = devices.enrol(devices.make_invitation(performance_id), label)
    return device.id, text


def test_an_invitation_makes_a_device_of_its_performance(in_app: Flask) -> None:
    performance = a_performance()
    token_id, text = enrolled(performance.id)
    device = devices.find_device(text)
    assert device is not None
    assert (device.token_id, device.label) == (token_id, "Door A")
    assert device.performance_id == performance.id
    assert device.closes_at == performance.starts_at + timedelta(hours=2)


def test_one_invitation_serves_several_phones(in_app: Flask) -> None:
    performance = a_performance()
    invitation = devices.make_invitation(performance.id)
    tokens = {devices.enrol(invitation, label)[1] for label in ("Door A", "Door B")}
    assert len(tokens) == 2
    assert [seen.label for seen in devices.devices_of(performance.id)] == ["Door B", "Door A"]


def test_two_of_one_name_can_be_told_apart(in_app: Flask) -> None:
    performance = a_performance()
    ids = [enrolled(performance.id, "Door")[0] for _ in range(3)]
    enrolled(a_performance().id, "Door")
    labels = [seen.label for seen in devices.devices_of(performance.id)]
    assert labels == ["Door 3", "Door 2", "Door"]
    revoke_token(ids[1])
    enrolled(performance.id, "Door")
    assert devices.devices_of(performance.id)[0].label == "Door 2"


def test_it_is_over_after_a_quarter_of_an_hour(
    in_app: Flask, at: Callable[[timedelta], datetime]
) -> None:
    invitation = devices.make_invitation(a_performance().id)
    at(devices.INVITATION - timedelta(seconds=30))
    devices.enrol(invitation, "Door A")
    at(devices.INVITATION + timedelta(seconds=30))
    with pytest.raises(devices.InvitationOver):
        devices.enrol(invitation, "Door A")


def test_it_is_over_with_its_performance(
    in_app: Flask, at: Callable[[timedelta], datetime]
) -> None:
    performance = a_performance()
    at(timedelta(days=1, hours=2, minutes=1))
    with pytest.raises(devices.InvitationOver):
        devices.enrol(devices.make_invitation(performance.id), "Door A")
    with pytest.raises(devices.InvitationOver):
        devices.enrol(devices.make_invitation(performance.id + 1), "Door A")


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda _: "", lambda _: "\ud800x"])
def test_a_forged_one_makes_nothing(in_app: Flask, change: Callable[[str], str]) -> None:
    with pytest.raises(devices.InvitationForged):
        devices.enrol(change(devices.make_invitation(a_performance().id)), "Door A")


def test_an_invitation_outlives_a_change_of_keys(make_app: Callable[..., Flask]) -> None:
    old, new = "o" * 20 + "A1b2C3d4E5f6", "n" * 20 + "A1b2C3d4E5f6"
    with make_app(SECRET_KEY=old).app_context():
        performance = a_performance()
        invitation = devices.make_invitation(performance.id)
    with make_app(SECRET_KEY=new, SECRET_KEY_FALLBACKS=old).app_context():
        assert devices.enrol(invitation, "Door A")[0].performance_id == performance.id
    with make_app(SECRET_KEY=new).app_context(), pytest.raises(devices.InvitationForged):
        devices.enrol(invitation, "Door A")


def test_the_door_closes_when_the_moved_performance_ends(in_app: Flask) -> None:
    performance = a_performance()
    _, text = enrolled(performance.id)
    later = performance.starts_at + timedelta(hours=1)
    move(performance.id, later)
    device = devices.find_device(text)
    assert device is not None
    assert device.closes_at == later + timedelta(hours=2)


def test_what_it_did_offline_is_taken_for_two_days(
    in_app: Flask, at: Callable[[timedelta], datetime]
) -> None:
    _, text = enrolled(a_performance().id)
    end = timedelta(days=1, hours=2)
    at(end + devices.LATE_NEWS - timedelta(minutes=1))
    assert devices.find_device(text) is not None
    at(end + devices.LATE_NEWS + timedelta(minutes=1))
    assert devices.find_device(text) is None


def test_staff_see_what_devices_do(in_app: Flask, at: Callable[[timedelta], datetime]) -> None:
    performance = a_performance()
    token_id, text = enrolled(performance.id)
    actor = Actor("Door A", token_id=token_id, label="Door A")
    admit(performance.id, a_party(performance, 3).reference, uuid4(), actor)
    admit(performance.id, "nobody", uuid4(), actor)

    def seen() -> devices.Seen:
        (only,) = devices.devices_of(performance.id)
        return only

    assert (seen().scans, seen().people, seen().last_seen_at) == (2, 3, None)

    def note() -> Any:
        device = devices.find_device(text)
        assert device is not None
        devices.note_seen(device)
        return seen().last_seen_at

    first = note()
    assert first is not None
    at(timedelta(seconds=10))
    assert note() == first, "not written each time"
    moment = at(timedelta(seconds=40))
    assert note() == moment
    assert seen().revoked_at is None
    revoke_token(token_id)
    assert seen().revoked_at is not None
