"""The mail server must be who it says it is: nothing is sent to one that cannot prove it."""

import contextlib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from flask import Flask

from azionelab.bookings.mails.messages import read_draft
from azionelab.mail import smtp
from azionelab.mail.delivery import NotYetDelivered, deliver
from azionelab.mail.models import Delivery
from azionelab.ops.processes.worker import run_worker
from tests.factories import a_party, a_performance
from tests.support.processes import free_port
from tests.support.smtp import SmtpServer

# A certificate for 127.0.0.1 that only itself vouches for, and its key.
CERTIFICATE = Path(__file__).parent / "untrusted_server.pem"

pytestmark = pytest.mark.usefixtures("in_app")


@dataclass(frozen=True)
class EncryptedServer:
    """A mail server that takes mail after STARTTLS only, and with a `login` after that one alone."""

    port: int
    mailbox: SmtpServer


@contextmanager
def running(**login: Any) -> Iterator[EncryptedServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    mailbox, port = SmtpServer(), free_port()
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        **login,
    )
    controller.start()
    yield EncryptedServer(port, mailbox)
    controller.stop()


@pytest.fixture
def encrypted_server() -> Iterator[EncryptedServer]:
    with running() as server:
        yield server


def test_a_trusted_certificate_of_another_name_is_refused(
    make_app: Callable[..., Flask],
    encrypted_server: EncryptedServer,
    database: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    mail = {"MAIL_SERVER": "localhost", "MAIL_PORT": str(encrypted_server.port)}
    a_party(a_performance(), confirmed=False)
    run_worker(make_app(**mail, MAIL_USE_TLS="true"), once=True)
    (row,) = database.execute("SELECT delivery, last_error FROM mail").fetchall()
    assert row == (Delivery.QUEUED, "SSLCertVerificationError")
    assert encrypted_server.mailbox.messages == []


@pytest.mark.parametrize("trusted", [False, True])
def test_mail_goes_only_to_a_server_that_is_trusted(
    make_app: Callable[..., Flask],
    encrypted_server: EncryptedServer,
    database: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    app = make_app(MAIL_PORT=str(encrypted_server.port), MAIL_USE_TLS="true")
    a_party(a_performance(), confirmed=False)
    run_worker(app, once=True)
    (row,) = database.execute("SELECT delivery, last_error FROM mail").fetchall()
    if trusted:
        assert row == (Delivery.SENT, "")
    else:
        assert row == (Delivery.QUEUED, "SSLCertVerificationError")
    assert len(encrypted_server.mailbox.messages) == int(trusted)


def test_the_authorities_are_read_once() -> None:
    paths = ssl.get_default_verify_paths()
    assert smtp._tls(paths) is smtp._tls(paths)


def test_a_server_that_wants_a_login_gets_it(
    make_app: Callable[..., Flask],
    database: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    names: list[bytes] = []

    def check(_server: SMTP, _session: object, _envelope: object, _how: str, login: Any) -> Any:
        names.append(login.login)
        return AuthResult(success=login.password == b"right", handled=False)

    a_party(a_performance(), confirmed=False)
    (mail,) = database.execute("SELECT id FROM mail").fetchall()
    with running(auth_required=True, authenticator=check) as server:
        mail_server = {"MAIL_PORT": str(server.port), "MAIL_USE_TLS": "true"}
        for password, becomes in (("wrong", Delivery.QUEUED), ("right", Delivery.SENT)):
            login = {"MAIL_USERNAME": "box-office", "MAIL_PASSWORD": password}
            with (
                make_app(**mail_server, **login).app_context(),
                contextlib.suppress(NotYetDelivered),
            ):
                deliver(mail.id, read_draft, sending="7", last_try=False)
            (row,) = database.execute("SELECT delivery FROM mail").fetchall()
            assert row.delivery == becomes
    assert set(names) == {b"box-office"}
