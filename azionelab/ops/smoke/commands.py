"""The `flask smoke` command."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from azionelab.ops.smoke import hidden_performance
from azionelab.ops.smoke.journey import Journey
from azionelab.ops.smoke.public_checks import check_public_site
from azionelab.ops.smoke.report import CheckFailed, Report
from azionelab.ops.smoke.visitor import Site


class _Origin(click.ParamType[str]):
    name = "url"

    def convert(self, value: str, param: Any, ctx: Any) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            self.fail(f"{value!r} is not like https://tickets.theatre.org", param, ctx)
        return f"{parts.scheme}://{parts.netloc}"


class _HostPort(click.ParamType[tuple[str, int]]):
    name = "host:port"

    def convert(self, value: str, param: Any, ctx: Any) -> tuple[str, int]:
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal():
            self.fail(f"{value!r} is not like 127.0.0.1:8443", param, ctx)
        return host.strip("[]"), int(port)


@click.command("smoke")
@click.option("--url", type=_Origin(), required=True, help="The site's public URL.")
@click.option("--public-only", is_flag=True, help="Book nothing; the database is not needed.")
@click.option("--mail-to", help="Book with this address, and wait until the mail is sent.")
@click.option(
    "--mail-wait",
    default=60.0,
    show_default=True,
    help="How long to wait for the mail, in seconds.",
)
@click.option(
    "--timeout", default=10.0, show_default=True, help="How long to wait for an answer, in seconds."
)
@click.option("--insecure", is_flag=True, help="Accept any certificate.")
@click.option("--connect-to", type=_HostPort(), help="Connect there, whatever the DNS says.")
@click.option("--connect-to-http", type=_HostPort(), help="The same for the redirect from http.")
@click.option(
    "--as-proxy-to",
    type=_HostPort(),
    help="Connect there without TLS, as the proxy that terminates it.",
)
@with_appcontext
def smoke_command(
    url: str, public_only: bool, mail_to: str | None, mail_wait: float, **network: Any
) -> None:
    """Test the site as a visitor: book, confirm, check in, cancel; exit status 1 if a step fails.

    The booking is for a hidden performance, which is removed afterwards with all its data.
    """
    if network["as_proxy_to"] and (network["connect_to"] or network["connect_to_http"]):
        raise click.UsageError(
            "--as-proxy-to cannot be combined with --connect-to or --connect-to-http"
        )
    report = Report()
    site = Site(url, **network)
    check_public_site(report, site)
    if not public_only:
        _book(report, site, mail_to, mail_wait)
    click.echo(report.conclude())
    if report.failed:
        click.get_current_context().exit(1)


def _book(report: Report, site: Site, mail_to: str | None, mail_wait: float) -> None:
    try:
        with _signals_as_interrupts(), hidden_performance.exclusive():
            if left := hidden_performance.remove():
                click.echo(f"      (removed the data that {left} earlier check(s) left)")
            created: list[hidden_performance.HiddenPerformance] = []
            try:
                if report.attempt(
                    "hidden performance", lambda: created.append(hidden_performance.create())
                ):
                    Journey(site, created[0], mail_to, mail_wait).run(report)
            finally:
                report.attempt("all of it removed", _remove)
    except hidden_performance.AlreadyRunning:
        report.attempt("hidden performance", _another_runs)
    except SQLAlchemyError as error:
        report.attempt("database", _raise, error)


def _remove() -> None:
    hidden_performance.remove()


def _another_runs() -> None:
    raise CheckFailed("another smoke check is running; try again when it has ended")


def _raise(error: Exception) -> None:
    raise error


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Turn SIGTERM into KeyboardInterrupt, so that the check still removes what it created."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
