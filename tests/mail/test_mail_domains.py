"""MAIL_DOMAIN_CHECK: what the DNS says of an address's domain, before a mail goes out, and what becomes of the booking."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask

from azionelab.bookings.models import Reservation
from azionelab.bookings.seats.holds import shorten_hold
from azionelab.bookings.visitor_changes.addresses import correct_unconfirmed
from azionelab.database import db, now
from azionelab.mail import domains
from azionelab.mail.refusals import IN_A_ROW_WITH_BAD_ADDRESSES, read_refusals
from azionelab.ops.processes.worker import run_worker
from tests.factories import a_party, a_performance, fresh
from tests.support.name_server import NameServer
from tests.support.people import logged_in
from tests.support.processes import free_port
from tests.support.smtp import SmtpServer

pytestmark = pytest.mark.usefixtures("in_app")
Database = psycopg.Connection[Any]
Work = Callable[..., None]
DOMAIN = "posta.example.org"
FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture
def names() -> Iterator[NameServer]:
    """A name server that knows the theatre's domain."""
    domains._takes_mail.cache_clear()  # another test's server may have had this port
    server = NameServer()
    server.records = {("theatre.example", "MX"): ["10 mx.theatre.example."]}
    server.start()
    yield server
    server.stop()


@pytest.fixture
def work(make_app: Callable[..., Flask], smtp_server: SmtpServer, names: NameServer) -> Work:
    """Send the mails that are due, as the worker does."""

    def run(**settings: str) -> None:
        given = {"MAIL_PORT": str(smtp_server.port), "MAIL_DOMAIN_CHECK": names.address}
        run_worker(make_app(**given | settings), once=True)

    return run


def book(email: str = f"ada@{DOMAIN}", **facts: Any) -> Reservation:
    """A visitor's booking that waits to be confirmed."""
    return a_party(a_performance(), confirmed=False, email=email, **facts)


def the_mail(database: Database) -> tuple[str, str, str]:
    """The only mail's state, whose fault it is, and the remark."""
    ((*found,),) = database.execute("SELECT delivery, refusal, last_error FROM mail").fetchall()
    return found[0], found[1], found[2]


def time_left(reservation: Reservation) -> timedelta:
    return fresh(reservation.id).hold_expires_at - now()


@pytest.mark.parametrize(
    "records",
    [
        pytest.param({}, id="does not exist"),
        pytest.param({(DOMAIN, "MX"): ["0 ."]}, id="says so"),
        pytest.param({(DOMAIN, "TXT"): ['"hello"']}, id="neither host nor address"),
    ],
)
def test_what_surely_takes_no_mail_is_refused_and_soon_frees_its_seats(
    work: Work,
    names: NameServer,
    smtp_server: SmtpServer,
    database: Database,
    records: dict[tuple[str, str], list[str]],
) -> None:
    names.records |= records
    reservation = book()
    assert time_left(reservation) > FIVE_MINUTES
    work()
    assert the_mail(database) == ("failed", "domain", "the domain takes no mail")
    assert smtp_server.attempts == 0
    assert timedelta(0) < time_left(reservation) <= FIVE_MINUTES


@pytest.mark.parametrize(
    "case", ["host", "address", "broken", "no answer", "name server without a way out", "off"]
)
def test_whatever_may_take_mail_is_sent_to(
    work: Work, names: NameServer, smtp_server: SmtpServer, database: Database, case: str
) -> None:
    settings = {}
    match case:
        case "host":
            names.records[DOMAIN, "MX"] = ["10 mx.posta.example.org."]
        case "address":
            names.records[DOMAIN, "AAAA"] = ["2001:db8::1"]
        case "broken":
            names.broken.add(DOMAIN)
        case "no answer":
            settings["MAIL_DOMAIN_CHECK"] = f"127.0.0.1:{free_port()}"
        case "name server without a way out":
            names.records.clear()
        case "off":
            settings["MAIL_DOMAIN_CHECK"] = "off"
    reservation = book()
    work(**settings)
    assert the_mail(database) == ("sent", "", "")
    assert len(smtp_server.messages) == 1
    assert time_left(reservation) > FIVE_MINUTES
    assert bool(names.asked) is (case not in ("no answer", "off"))


def test_the_dns_is_asked_for_the_name_in_ascii_and_once(
    work: Work, names: NameServer, smtp_server: SmtpServer
) -> None:
    names.records["xn--caff-8oa.example.org", "MX"] = ["10 mx.posta.example.org."]
    evening = a_performance()
    for person in ("ada", "bea"):
        a_party(evening, 1, confirmed=False, email=f"{person}@caffè.example.org")
        work()
    assert len(smtp_server.messages) == 2
    assert names.asked == ["xn--caff-8oa.example.org"]


def test_a_corrected_address_keeps_its_hold(database: Database) -> None:
    reservation = book()
    ((refused,),) = database.execute("SELECT id FROM mail").fetchall()
    assert correct_unconfirmed(
        reservation.performance_id, reservation.request_key, "ada@example.org"
    )
    shorten_hold(refused)  # the worker asked about the address before
    assert time_left(reservation) > FIVE_MINUTES


def test_invented_domains_do_not_accuse_the_mail_provider(work: Work) -> None:
    evening = a_performance(capacity=100)
    for number in range(IN_A_ROW_WITH_BAD_ADDRESSES):
        a_party(evening, 1, confirmed=False, email=f"guest@n{number}.{DOMAIN}")
    work()
    with db.engine.connect() as connection:
        assert not read_refusals(connection).by_provider


def test_staff_read_why_and_may_correct_it(in_app: Flask, work: Work) -> None:
    book()
    work()
    staff = logged_in(in_app, "staff")
    shown = staff.get("/admin/mails/?flt0_0=failed").text
    assert "domain does not exist or takes no mail" in shown
    assert "Correct the address" in shown
    # Not among those that are sent again by one press.
    assert "1 mail failed: its address does not exist" in staff.get("/admin/failed_mails/").text
