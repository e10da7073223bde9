"""The mail server must be who it says it is: nothing is sent to one that cannot prove it."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from flask import Flask

from azionelab.mail.models import Delivery
from azionelab.ops.worker import run_worker
from tests.stage import a_party, a_performance
from tests.support.processes import free_port
from tests.support.smtp import SmtpServer

# A certificate for 127.0.0.1 that only itself vouches for, and its key.
CERTIFICATE = Path(__file__).parent / "untrusted_server.pem"

pytestmark = pytest.mark.usefixtures("in_app")


@dataclass(frozen=True)
class EncryptedServer:
    """A mail server that takes mail after STARTTLS only."""

    port: int
    mailbox: SmtpServer


@pytest.fixture
def encrypted_server() -> Iterator[EncryptedServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    mailbox, port = SmtpServer(), free_port()
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True
    )
    controller.start()
    yield EncryptedServer(port, mailbox)
    controller.stop()


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
