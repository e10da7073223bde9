"""Passkeys: what a browser's answer proves, and what it does not."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import cbor2
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from azionelab.database import transaction
from azionelab.staff.accounts import create_account
from azionelab.staff.models import User
from azionelab.staff.second_factor import passkeys
from azionelab.staff.second_factor.factors import LastFactor, factors_of, reset_factors
from azionelab.staff.second_factor.models import UsedChallenge
from azionelab.staff.second_factor.passkeys import (
    PasskeyRefused,
    add_passkey,
    creation_options,
    login_options,
    remove_passkey,
    verify_login,
)
from tests.support.people import PASSWORD, change_account, english, log_in, press, token_of

HOST = "biglietti.teatro.org"
ORIGIN = f"https://{HOST}"
Database = psycopg.Connection[Any]
Options = dict[str, Any]
PRESENT, VERIFIED, MADE = 1, 4, 64  # flags of the authenticator's data (WebAuthn, 6.1)


def encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class Device:
    """A device with one passkey; it can be made to answer wrongly."""

    def __init__(self) -> None:
        self.key: EllipticCurvePrivateKey = generate_private_key(SECP256R1())
        self.id = secrets.token_bytes(16)
        self.handle = b""
        self.count = 0

    def make(
        self, options: Options, *, origin: str = ORIGIN, flags: int = PRESENT | VERIFIED
    ) -> str:
        """The answer to `navigator.credentials.create`."""
        self.handle = urlsafe_b64decode(options["user"]["id"] + "==")
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        key = bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(public)
        data = self._data(options["rp"]["id"], flags | MADE) + key
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options, origin)
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    def log_in(
        self,
        options: Options,
        *,
        origin: str = ORIGIN,
        flags: int = PRESENT | VERIFIED,
        **odd: bytes,
    ) -> str:
        """The answer to `navigator.credentials.get`; `odd` replaces parts of it."""
        self.count += 1
        client = self._client("webauthn.get", options, origin)
        data = self._data(options["rpId"], flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        parts = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self._answer(**parts | {"userHandle": self.handle} | odd)

    def _data(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _client(self, kind: str, options: Options, origin: str) -> bytes:
        facts = {"type": kind, "challenge": options["challenge"], "origin": origin}
        return json.dumps(facts | {"crossOrigin": False}).encode()

    def _answer(self, **response: bytes) -> str:
        parts = {name: encode(raw) for name, raw in response.items()}
        return json.dumps(
            {
                "id": encode(self.id),
                "rawId": encode(self.id),
                "type": "public-key",
                "response": parts,
                "clientExtensionResults": {},
            }
        )


@pytest.fixture
def site(make_app: Callable[..., Flask]) -> Any:
    """The site under a host name, and its application's context."""
    app = make_app(SITE_BASE_URL=ORIGIN)
    with app.app_context():
        yield app


@pytest.fixture
def anna(site: Flask) -> User:
    """A member of staff."""
    return create_account("anna@theatre.org", "staff", PASSWORD, "Anna")


def with_passkey(user: User) -> Device:
    device = Device()
    add_passkey(user.id, "Phone", device.make(creation_options(user)))
    return device


def test_a_passkey_is_made_and_logs_in(anna: User) -> None:
    device = Device()
    codes = add_passkey(anna.id, "Phone", device.make(creation_options(anna)))
    assert len(codes) == 10
    assert factors_of(anna.id).passkeys == 1
    for _ in range(2):
        assert verify_login(device.log_in(login_options())) == anna.id
    assert verify_login(device.log_in(login_options(anna.id))) == anna.id


def test_an_answer_is_used_once(anna: User) -> None:
    device = Device()
    made = device.make(creation_options(anna))
    add_passkey(anna.id, "Phone", made)
    answer = device.log_in(login_options())
    assert verify_login(answer) == anna.id
    with pytest.raises(PasskeyRefused):
        verify_login(answer)
    # The same challenge in another answer, too.
    options = login_options()
    verify_login(device.log_in(options))
    with pytest.raises(PasskeyRefused):
        verify_login(device.log_in(options))


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"origin": f"http://{HOST}"},
        {"flags": PRESENT},  # its owner did not unlock it
        {"flags": VERIFIED},
        {"signature": b"x" * 70},
        {"userHandle": b"somebody else"},
    ],
)
def test_a_wrong_answer_logs_nobody_in(anna: User, wrong: dict[str, Any]) -> None:
    device = with_passkey(anna)
    with pytest.raises(PasskeyRefused):
        verify_login(device.log_in(login_options(), **wrong))
    assert verify_login(device.log_in(login_options())) == anna.id


@pytest.mark.parametrize("change", [{"rpId": "evil.example"}, {"challenge": encode(b"made up")}])
def test_an_answer_to_another_question_logs_nobody_in(anna: User, change: dict[str, Any]) -> None:
    device = with_passkey(anna)
    with pytest.raises(PasskeyRefused):
        verify_login(device.log_in(login_options() | change))


def test_another_devices_key_does_not_open_it(anna: User) -> None:
    device, thief = with_passkey(anna), Device()
    with pytest.raises(PasskeyRefused):
        verify_login(thief.log_in(login_options()))
    thief.id, thief.handle = device.id, device.handle
    with pytest.raises(PasskeyRefused):
        verify_login(thief.log_in(login_options()))


def test_a_copied_device_is_noticed_by_its_count(anna: User) -> None:
    device = with_passkey(anna)
    for _ in range(3):
        verify_login(device.log_in(login_options()))
    device.count = 1
    with pytest.raises(PasskeyRefused):
        verify_login(device.log_in(login_options()))


def test_a_challenge_ends(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    device = with_passkey(anna)
    options = login_options()
    monkeypatch.setattr(passkeys, "CHALLENGE_LIFE", -passkeys.CHALLENGE_LIFE)
    with pytest.raises(PasskeyRefused):
        verify_login(device.log_in(options))


def test_a_challenge_serves_its_purpose_only(anna: User) -> None:
    eve = create_account("eve@theatre.org", "staff", PASSWORD)
    device = with_passkey(anna)
    creation = creation_options(anna)
    with pytest.raises(PasskeyRefused):
        verify_login(device.log_in(login_options() | {"challenge": creation["challenge"]}))
    # Whoever opened the page as one account adds nothing to another.
    with pytest.raises(PasskeyRefused):
        add_passkey(eve.id, "Phone", Device().make(creation))


def test_one_key_belongs_to_one_account(anna: User) -> None:
    eve = create_account("eve@theatre.org", "staff", PASSWORD)
    device = with_passkey(anna)
    with pytest.raises(PasskeyRefused):
        add_passkey(eve.id, "Phone", device.make(creation_options(eve)))


@pytest.mark.parametrize(
    "odd",
    [
        *("", "{}", "[]", "null", "1", '"x"', "[" * 19_000, "x" * 30_000),
        '{"response": {"clientDataJSON": "½"}}',
        '{"response": {"clientDataJSON": "e30"}, "id": 1}',
    ],
)
def test_odd_answers_are_refused(anna: User, odd: str) -> None:
    with pytest.raises(PasskeyRefused):
        verify_login(odd)
    with pytest.raises(PasskeyRefused):
        add_passkey(anna.id, "Phone", odd)


def test_an_odd_answer_to_a_right_challenge_is_refused(anna: User) -> None:
    device = with_passkey(anna)
    for part in ("authenticatorData", "signature", "userHandle"):
        whole = json.loads(device.log_in(login_options()))
        for value in (1, None, [], "½", "AA"):
            whole["response"][part] = value
            if part == "userHandle" and value is None:
                continue  # optional
            with pytest.raises(PasskeyRefused):
                verify_login(json.dumps(whole))
    for value in (1, None, [], "½", "AA"):
        made = json.loads(Device().make(creation_options(anna)))
        made["response"]["attestationObject"] = value
        with pytest.raises(PasskeyRefused):
            add_passkey(anna.id, "Phone", json.dumps(made))


def test_used_challenges_are_kept_until_they_expire(anna: User, database: Database) -> None:
    with_passkey(anna)
    count = "SELECT count(*) FROM used_challenge"
    passkeys.delete_used_challenges()
    assert database.execute(count).fetchone() == (1,)
    with transaction() as session:
        old = passkeys.now() - passkeys.CHALLENGE_LIFE * 1.1
        session.execute(update(UsedChallenge).values(used_at=old))
    passkeys.delete_used_challenges()
    assert database.execute(count).fetchone() == (0,)


def test_a_passkey_is_its_owners_to_remove(anna: User) -> None:
    eve = create_account("eve@theatre.org", "staff", PASSWORD)
    device = with_passkey(anna)
    assert not remove_passkey(eve, 1)
    assert remove_passkey(anna, 1)
    assert not remove_passkey(anna, 1)
    assert factors_of(anna.id) == (False, 0, 0)
    with pytest.raises(PasskeyRefused):
        verify_login(device.log_in(login_options()))


def test_the_last_one_stays_where_the_role_needs_it(make_app: Callable[..., Flask]) -> None:
    app = make_app(SITE_BASE_URL=ORIGIN, SECOND_FACTOR_REQUIRED="staff")
    with app.app_context():
        anna = create_account("anna@theatre.org", "staff", PASSWORD)
        with_passkey(anna)
        with_passkey(anna)
        assert remove_passkey(anna, 1)
        with pytest.raises(LastFactor):
            remove_passkey(anna, 2)
        assert reset_factors(anna.id)
        assert factors_of(anna.id) == (False, 0, 0)


# By the pages


def answer_of(client: FlaskClient, device: Device) -> Any:
    """Press the button of the login page."""
    options = json.loads(passkey_options(client, "/staff/login"))
    form = dict(token_of(client, "/staff/login")) | {"credential": device.log_in(options)}
    return client.post("/staff/passkey/login", data=form)


def passkey_options(client: FlaskClient, address: str) -> str:
    import html
    import re

    found = re.search(r'data-options="([^"]+)"', client.get(address).text)
    assert found
    return html.unescape(found[1])


def test_the_login_page_takes_a_passkey(site: Flask, anna: User) -> None:
    device, client = with_passkey(anna), english(site)
    client.environ_base["HTTP_HOST"] = HOST
    assert answer_of(client, device).location == "/staff/"
    assert client.get("/admin/").status_code == 200


def test_after_the_password_another_ones_passkey_is_that_persons_login(
    site: Flask, anna: User
) -> None:
    eve = create_account("eve@theatre.org", "door", PASSWORD)
    with_passkey(anna)
    device, client = with_passkey(eve), english(site)
    assert log_in(client, "anna@theatre.org").location.startswith("/staff/second")
    answer_of(client, device)
    assert "eve@theatre.org" in client.get("/staff/account").text


def test_who_is_deactivated_has_no_use_of_a_passkey(site: Flask, anna: User) -> None:
    device, client = with_passkey(anna), english(site)
    change_account(anna.id, role="staff", active=False)
    assert answer_of(client, device).location == "/staff/login"
    assert "/staff/login" in client.get("/admin/").location


def test_a_login_by_passkey_wants_its_token(site: Flask, anna: User) -> None:
    device, client = with_passkey(anna), english(site)
    form = {"credential": device.log_in(login_options())}
    assert client.post("/staff/passkey/login", data=form).status_code == 400


def test_a_refused_passkey_is_told(site: Flask, anna: User) -> None:
    page = press(english(site), "/staff/passkey/login", "/staff/login", credential="{}")
    assert "was not accepted" in page.text


def test_without_a_host_name_there_are_none(make_app: Callable[..., Flask]) -> None:
    app = make_app(SITE_BASE_URL="http://192.0.2.7:8000")
    assert "data-passkey" not in english(app).get("/staff/login").text
