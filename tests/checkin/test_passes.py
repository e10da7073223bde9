"""Passes: a phone for several performances enrols for each by itself, until it is revoked."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask

from azionelab.checkin.devices import invitations, passes
from azionelab.checkin.devices import registry as devices
from azionelab.database import db, now
from azionelab.shows.models import Performance
from azionelab.staff.models import ApiToken
from azionelab.staff.tokens import Scope, revoke_token
from tests.factories import a_performance
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], datetime]:
    """Move the time ahead, from the start of the test."""
    began = now()

    def later(by: timedelta) -> datetime:
        moment = began + by
        for module in (devices, invitations, passes):
            monkeypatch.setattr(module, "now", lambda: moment)
        return moment

    return later


def a_phone(
    performance: Performance, days: int = 3, scope: Scope = Scope.DOOR
) -> tuple[ApiToken, str]:
    invitation = invitations.make_invitation(performance.id, 1, scope, days)
    token, _ = invitations.enrol(invitation, "Marta")
    return token, passes.make_pass(token) or ""


def offered(text: str) -> dict[int, str]:
    return {one.performance.id: one.invitation for one in passes.offered_performances(text)}


def test_a_pass_opens_the_performances_up_to_its_end() -> None:
    first, later, far = (
        a_performance(starts_at=now() + timedelta(days=days)) for days in (1, 2, 5)
    )
    a_performance(starts_at=now() - timedelta(hours=3))
    _, text = a_phone(first, days=3)
    assert list(offered(text)) == [first.id, later.id]
    token, _ = invitations.enrol(offered(text)[later.id], "Marta")
    assert token.performance_id == later.id
    assert far.id not in offered(text)


def test_a_phone_of_one_evening_has_no_pass() -> None:
    performance = a_performance()
    token, text = a_phone(performance, days=0)
    assert text == ""
    assert token.serves_until is None
    # Which is the default.
    shown = invitations.show_invitation(performance.id, 1).text
    for invitation in (invitations.make_invitation(performance.id), shown):
        assert invitations.read_invitation(invitation).serves_until is None


def test_no_evening_that_is_cancelled_or_hidden(database: psycopg.Connection[Any]) -> None:
    first, cancelled, hidden = (a_performance() for _ in range(3))
    _, text = a_phone(first)
    database.execute("UPDATE performance SET cancelled_at = now() WHERE id = %s", [cancelled.id])
    database.execute("UPDATE show SET published = false WHERE id = %s", [hidden.show_id])
    assert list(offered(text)) == [first.id]


def test_a_pass_gives_no_further_rights_or_passes() -> None:
    first, second = a_performance(), a_performance()
    phone, text = a_phone(first, scope=Scope.SCAN)
    token, _ = invitations.enrol(offered(text)[second.id], "Marta")
    assert token.scope == Scope.SCAN
    assert (token.origin_id, token.serves_until) == (phone.id, phone.serves_until)
    assert passes.make_pass(token) is None


def test_a_phone_may_enrol_again_a_few_times() -> None:
    first, second = a_performance(), a_performance()
    _, text = a_phone(first)
    for _ in range(5):
        invitations.enrol(offered(text)[second.id], "Marta")
    with pytest.raises(invitations.InvitationUsed):
        invitations.enrol(offered(text)[second.id], "Marta")


def test_a_pass_expires(at: Callable[[timedelta], datetime]) -> None:
    at(timedelta(0))
    evening = a_performance(starts_at=now() + timedelta(days=2, hours=23))
    _, text = a_phone(evening, days=3)
    at(timedelta(days=3) - timedelta(seconds=1))
    invitation = offered(text)[evening.id]
    at(timedelta(days=3))
    with pytest.raises(passes.PassExpired):
        passes.offered_performances(text)
    with pytest.raises(invitations.InvitationExpired):
        invitations.enrol(invitation, "Marta")


@pytest.mark.parametrize("at_first", [True, False])
def test_a_revocation_at_one_door_ends_the_pass(at_first: bool) -> None:
    first, second, third = (a_performance() for _ in range(3))
    _, others = a_phone(first)
    phone, text = a_phone(first)
    ready = offered(text)[third.id]
    there, _ = invitations.enrol(offered(text)[second.id], "Marta")
    revoke_token((phone if at_first else there).id)
    for token in (phone, there):
        assert db.session.get_one(ApiToken, token.id, populate_existing=True).revoked_at
    with pytest.raises(passes.PassExpired):
        passes.offered_performances(text)
    with pytest.raises(invitations.InvitationExpired):
        invitations.enrol(ready, "Marta")
    assert offered(others)


def test_a_token_made_during_a_revocation_is_revoked_too(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = a_performance(), a_performance()
    phone, text = a_phone(first)
    invitation = offered(text)[second.id]
    looked, revoked = threading.Event(), threading.Event()
    find = invitations._unique_label

    def wait(*asked: Any) -> str:
        looked.set()
        assert revoked.wait(PATIENCE)
        return find(*asked)

    monkeypatch.setattr(invitations, "_unique_label", wait)

    def revoke() -> None:
        assert looked.wait(PATIENCE)
        with app.app_context():
            revoke_token(phone.id)
        revoked.set()

    thread = threading.Thread(target=revoke)
    thread.start()
    with pytest.raises(invitations.InvitationExpired):
        invitations.enrol(invitation, "Marta")
    thread.join(PATIENCE)
    db.session.rollback()
    assert all(seen.revoked_at for seen in devices.devices_of(second.id))


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda _: "", lambda _: "\ud800x"])
def test_a_forged_pass_is_refused(change: Callable[[str], str]) -> None:
    _, text = a_phone(a_performance())
    with pytest.raises(passes.PassExpired):
        passes.offered_performances(change(text))


def test_after_a_restore_a_pass_is_not_another_phones(database: psycopg.Connection[Any]) -> None:
    _, text = a_phone(a_performance())
    database.execute("UPDATE api_token SET digest = %s", [b"x" * 32])
    db.session.expire_all()
    with pytest.raises(passes.PassExpired):
        passes.offered_performances(text)
