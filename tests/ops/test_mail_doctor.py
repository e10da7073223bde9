"""`flask mail-doctor`: names what keeps mails from arriving, and sends a test mail."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from flask import Flask

from azionelab.mail.domains import NameServers
from tests.support.name_server import NameServer
from tests.support.processes import free_port
from tests.support.smtp import SmtpServer

CERTIFICATE = Path(__file__).parents[1] / "mail" / "untrusted_server.pem"
GOOD = {
    ("theatre.example", "MX"): ["10 mx.theatre.example."],
    ("theatre.example", "TXT"): ['"v=spf1 include:spf.provider.example -all"', '"other=1"'],
    ("spf.provider.example", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 -all"'],
    ("s1._domainkey.theatre.example", "TXT"): ['"v=DKIM1; k=rsa; " "p=MIIB"'],
    ("_dmarc.theatre.example", "TXT"): ['"v=DMARC1; p=reject"'],
}
Doctor = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def names() -> Iterator[NameServer]:
    """A name server by whose records all is well."""
    server = NameServer()
    server.records = dict(GOOD)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def doctor(make_app: Callable[..., Flask], smtp_server: SmtpServer, names: NameServer) -> Doctor:
    """Run `flask mail-doctor` with settings: its exit status, and its lines."""

    def run(*arguments: str, **settings: str) -> tuple[int, list[str]]:
        app = make_app(**{"MAIL_PORT": str(smtp_server.port)} | settings)
        args = ["mail-doctor", "--dns", names.address, *arguments]
        done = app.test_cli_runner().invoke(args=args)
        return done.exit_code, done.output.splitlines()

    return run


def findings(lines: list[str]) -> dict[str, str]:
    """The verdict and the text of each line, by its topic."""
    return {line[6:].partition(":")[0]: line for line in lines}


def test_all_is_well(doctor: Doctor, smtp_server: SmtpServer) -> None:
    code, lines = doctor()
    assert code == 0
    assert [line[:4].strip() for line in lines] == ["ok", "ok", "look", "ok", "ok"]
    assert findings(lines).keys() == {"MAIL_SERVER", "MX", "SPF", "DKIM", "DMARC"}
    assert "v=spf1 include:spf.provider.example -all" in lines[2]
    assert smtp_server.messages == []


def test_a_test_mail_is_sent(doctor: Doctor, smtp_server: SmtpServer) -> None:
    code, lines = doctor("ada@example.org", SITE_NAME="Teatro <Prova>")
    (delivered,) = smtp_server.messages
    assert code == 0
    assert lines[-1].startswith("look  TEST: the mail server took the test mail")
    assert delivered.recipients == ["ada@example.org"]
    assert delivered.sender == "box-office@theatre.example"
    assert "Teatro <Prova>" in delivered.text()
    assert "Teatro &lt;Prova&gt;" in delivered.html()


def test_a_refused_test_mail_is_said(doctor: Doctor, smtp_server: SmtpServer) -> None:
    smtp_server.refuse_recipients = "550 5.1.1 no such user"
    code, lines = doctor("ada@example.org")
    assert code == 1
    assert lines[-1].startswith("FAIL  TEST: the mail server did not take the test mail")
    assert "ada@" not in lines[-1]


def test_an_address_that_is_none_is_refused(doctor: Doctor, smtp_server: SmtpServer) -> None:
    code, lines = doctor("ada")
    assert (code, smtp_server.messages) == (2, [])
    assert "RECIPIENT: ada is no e-mail address" in lines[-1]


def test_a_name_server_that_is_none_is_refused(doctor: Doctor) -> None:
    code, lines = doctor("--dns", "resolver.example")
    assert code == 2
    assert "--dns: resolver.example is no IP address" in lines[-1]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"MAIL_SERVER": ""}, "FAIL  MAIL_SERVER: is empty"),
        ({"MAIL_PORT": "1"}, "FAIL  MAIL_PORT: 127.0.0.1:1 refuses connections"),
        ({"MAIL_USE_TLS": "true"}, "FAIL  MAIL_USE_TLS: "),
        ({"MAIL_USE_SSL": "true"}, "FAIL  MAIL_USE_SSL: "),
        ({"MAIL_USERNAME": "a", "MAIL_PASSWORD": "secret-b"}, "FAIL  MAIL_USERNAME: "),
        ({"MAIL_SERVER": "no-such-host.invalid"}, "FAIL  MAIL_SERVER: no-such-host.invalid:"),
    ],
)
def test_a_wrong_setting_of_the_server_is_named(
    doctor: Doctor, wrong: dict[str, str], line: str
) -> None:
    code, lines = doctor("ada@example.org", **wrong)
    assert code == 1
    assert lines[0].startswith(line)
    assert not any("TEST" in text or "secret-b" in text for text in lines)


@pytest.mark.parametrize(
    ("host", "password", "line"),
    [
        ("127.0.0.1", "right", "ok    MAIL_SERVER: 127.0.0.1:"),
        ("127.0.0.1", "wrong", "FAIL  MAIL_PASSWORD: "),
        ("localhost", "right", "FAIL  MAIL_SERVER: localhost:"),
    ],
)
def test_login_and_certificate(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, host: str, password: str, line: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def is_known(_server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> AuthResult:
        return AuthResult(success=given.password == b"right", handled=False)

    controller = Controller(
        SmtpServer(),
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=is_known,
    )
    controller.start()
    try:
        _, lines = doctor(
            MAIL_SERVER=host,
            MAIL_PORT=str(controller.port),
            MAIL_USE_TLS="true",
            MAIL_USERNAME="box-office",
            MAIL_PASSWORD=password,
        )
    finally:
        controller.stop()
    assert lines[0].startswith(line)


DEEP = {(f"p{n}.example", "TXT"): [f'"v=spf1 include:p{n + 1}.example -all"'] for n in range(11)}


@pytest.mark.parametrize(
    ("records", "start"),
    [
        ({("theatre.example", "MX"): []}, "FAIL  MX: theatre.example takes no mail"),
        ({("theatre.example", "MX"): ["0 ."]}, "FAIL  MX: theatre.example takes no mail"),
        ({("theatre.example", "TXT"): ['"other=1"']}, "FAIL  SPF: theatre.example has no record"),
        (
            {("theatre.example", "TXT"): ['"v=spf1 -all"', '"v=spf1 mx -all"']},
            "FAIL  SPF: theatre.example has 2 records",
        ),
        (
            {("theatre.example", "TXT"): ['"v=spf1 mx +all"']},
            "FAIL  SPF: the record of theatre.example allows everybody",
        ),
        (
            {("theatre.example", "TXT"): ['"v=spf1 include:p0.example -all"'], **DEEP},
            "FAIL  SPF: the record of theatre.example needs more than 10 questions",
        ),
        (
            {("theatre.example", "TXT"): ['"v=spf1 include:theatre.example -all"']},
            "FAIL  SPF: the record of theatre.example needs more than 10 questions",
        ),
        (
            {("s1._domainkey.theatre.example", "TXT"): []},
            "look  DKIM: no key of theatre.example under the usual names",
        ),
        (
            {("s1._domainkey.theatre.example", "TXT"): ['"v=DKIM1; p="']},
            "FAIL  DKIM: the key s1 of theatre.example was withdrawn",
        ),
        ({("_dmarc.theatre.example", "TXT"): []}, "FAIL  DMARC: theatre.example has no record"),
        (
            {("_dmarc.theatre.example", "TXT"): ['"v=DMARC1; p=none"']},
            "look  DMARC: theatre.example only watches",
        ),
        (
            {("_dmarc.theatre.example", "TXT"): ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']},
            "FAIL  DMARC: _dmarc.theatre.example has 2 records",
        ),
        (
            {("_dmarc.theatre.example", "TXT"): ['"v=DMARC1; rua=mailto:a@example.org"']},
            "FAIL  DMARC: the record of theatre.example names no policy",
        ),
    ],
)
def test_a_record_that_is_wrong_is_named(
    doctor: Doctor, names: NameServer, records: dict[tuple[str, str], list[str]], start: str
) -> None:
    names.records |= records
    code, lines = doctor()
    assert [line for line in lines if line.startswith(start)], lines
    assert code == (1 if start.startswith("FAIL") else 0)


def test_a_domain_below_falls_under_the_record_above(doctor: Doctor, names: NameServer) -> None:
    names.records[("_dmarc.theatre.example", "TXT")] = ['"v=DMARC1; p=reject; sp=none"']
    _, lines = doctor(MAIL_DEFAULT_SENDER="Box office <box-office@tickets.theatre.example>")
    assert findings(lines)["DMARC"].startswith("look  DMARC: theatre.example only watches")


def test_the_providers_key_is_looked_for_by_its_name(doctor: Doctor, names: NameServer) -> None:
    names.records[("prov-7._domainkey.theatre.example", "TXT")] = ['"p=MIIB"']
    assert findings(doctor("--selector", "prov-7")[1])["DKIM"].startswith("ok")
    code, lines = doctor("--selector", "prov-8")
    assert code == 1
    assert findings(lines)["DKIM"].startswith("FAIL  DKIM: there is no key at prov-8._domainkey")


def test_without_a_name_server_the_rest_is_checked(doctor: Doctor, smtp_server: SmtpServer) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    code, lines = doctor("ada@example.org", "--dns", nobody)
    assert code == 0
    assert [line[:11] for line in lines] == ["ok    MAIL_", "look  DNS: ", "look  TEST:"]
    assert len(smtp_server.messages) == 1


def test_a_domain_without_mail_hosts_takes_mail_itself(names: NameServer) -> None:
    names.records[("plain.example", "A")] = ["192.0.2.7"]
    asked = NameServers(names.address)
    assert asked.find_mail_hosts("plain.example") == ["plain.example"]
    assert asked.find_mail_hosts("nowhere.example") == []
    names.records[("two.example", "MX")] = ["20 b.example.", "10 a.example."]
    assert asked.find_mail_hosts("two.example") == ["a.example", "b.example"]
