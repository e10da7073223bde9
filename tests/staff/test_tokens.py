"""Tokens for devices: shown once, kept as a digest, opening only while they live."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask

from azionelab.checkin.devices.registry import find_device
from azionelab.staff.tokens import Scope, TokenUnknown, issue_token, revoke_token


def test_a_token_opens_until_it_is_revoked(in_app: Flask) -> None:
    token, text = issue_token("Door A", Scope.DOOR, hours=1)
    found = find_device(text)
    assert found is not None
    assert (found.token_id, found.label, found.revoked) == (token.id, "Door A", False)
    revoked_at = revoke_token(token.id).revoked_at
    found = find_device(text)
    assert found is not None
    assert found.revoked
    assert revoke_token(token.id).revoked_at == revoked_at


def test_a_token_lives_its_hours(in_app: Flask) -> None:
    token, _ = issue_token("Door A", Scope.DOOR, hours=12)
    assert (token.expires_at - token.created_at).total_seconds() == 12 * 3600
    _, late = issue_token("Door B", Scope.DOOR, hours=-1)
    assert find_device(late) is None


def test_another_text_opens_nothing(in_app: Flask) -> None:
    _, text = issue_token("Door A", Scope.DOOR, hours=1)
    for other in ("", text[:-1], text + "A", text.swapcase()):
        assert find_device(other) is None


def test_the_text_is_kept_nowhere(in_app: Flask, database: psycopg.Connection[Any]) -> None:
    _, text = issue_token("Door A", Scope.DOOR, hours=1)
    row = database.execute("SELECT api_token::text FROM api_token").fetchone()
    assert row is not None
    assert text not in row[0]
    assert text.encode().hex() not in row[0]


def test_an_unknown_token_cannot_be_revoked(in_app: Flask) -> None:
    with pytest.raises(TokenUnknown):
        revoke_token(7)


def test_a_press_that_is_sent_again_gives_the_same_token(in_app: Flask) -> None:
    press = uuid4()
    (token, text), (again, same) = (
        issue_token("Door A", Scope.DOOR, hours=8, press=press) for _ in range(2)
    )
    assert (again.id, same) == (token.id, text)
    others = [("Door B", 8, press), ("Door A", 9, press), ("Door A", 8, uuid4())]
    texts = {issue_token(label, Scope.DOOR, hours, press=key)[1] for label, hours, key in others}
    _, for_scans = issue_token("Door A", Scope.SCAN, 8, press=press)
    assert len(texts | {text, for_scans}) == 5
