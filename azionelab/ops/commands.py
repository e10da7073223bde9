"""The operators' commands: `flask create-admin`, `load-season`, `check`, `doctor` and others."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TextIO

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_babel import force_locale

from azionelab.bookings.mails.resending import resend_failed
from azionelab.database import db, now
from azionelab.ops.alerts.sending import deliver
from azionelab.ops.alerts.watcher import watch_command
from azionelab.ops.alerts.watching import NobodyListens, send_test_alert
from azionelab.ops.checks import deployment as deploy_check
from azionelab.ops.checks import doctor
from azionelab.ops.checks.secret_keys import accept_key
from azionelab.ops.checks.unusual_settings import read_env_file
from azionelab.ops.processes.worker import worker_command
from azionelab.ops.season.commands import (
    demo_season_command,
    load_season_command,
    local_time,
    write_season_command,
)
from azionelab.ops.smoke.commands import smoke_command
from azionelab.ops.with_database import with_database
from azionelab.staff.accounts import account_address, create_account, has_admin
from azionelab.staff.invitations import find_invited_admin, link_address, link_to_begin
from azionelab.staff.models import RoleName
from azionelab.staff.tokens import MAX_TOKEN_HOURS, Scope, issue_token
from azionelab.validation.email_addresses import normalize_address
from azionelab.validation.text import has_visible_character, is_one_line

_ENV = Path(__file__).resolve().parents[2] / ".env"


def register_commands(app: Flask) -> None:
    """Add this application's commands to `flask`."""
    for command in (
        create_admin_command,
        create_token_command,
        load_season_command,
        write_season_command,
        check_command,
        doctor_command,
        mail_doctor_command,
        test_alert_command,
        resend_failed_command,
        accept_secret_key_command,
        smoke_command,
        worker_command,
        watch_command,
        demo_season_command,
    ):
        app.cli.add_command(command)


@click.command("create-admin")
@click.argument("email", required=False)
@click.option(
    "--role",
    type=click.Choice([role.value for role in RoleName]),
    default=RoleName.ADMIN.value,
    show_default=True,
)
@click.option("--name", default="", help="Shown at the door, as in “by Anna”.")
@click.option(
    "--password-file",
    type=click.File(encoding="utf-8"),
    help="Read the password from the first line of this file (- for standard input).",
)
@click.option(
    "--link",
    is_flag=True,
    help="Print a link by which the owner sets the password. Again, the same link, until it is used.",
)
@click.option(
    "--first",
    is_flag=True,
    help="Do nothing if an administrator can log in. With --link, EMAIL may be left out for one who was invited.",
)
@with_database
def create_admin_command(
    email: str | None,
    role: str,
    name: str,
    password_file: TextIO | None,
    *,
    link: bool,
    first: bool,
) -> None:
    """Create a staff account; without --role, an administrator's."""
    if link and password_file:
        raise click.UsageError("--link and --password-file exclude each other")
    if first and has_admin(db.session()):
        click.echo("There is an administrator who can log in; nothing was changed.")
        return
    if first and link and not email:
        email = find_invited_admin()
    if not email:
        raise click.UsageError("Missing argument 'EMAIL'.")
    try:
        # The commands' messages are English, whatever the site's language is.
        with force_locale("en"):
            address = account_address(email)  # before the prompt for a password
            if link:
                _print_link(address, role, name)
                return
            user = create_account(address, role, _password(password_file), name)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{user.email} may log in now ({role}).")


def _print_link(address: str, role: str, name: str) -> None:
    link = link_to_begin(address, role, name)
    if link is None:
        click.echo(f"{address} has an account with a password; nothing was changed.")
        return
    until = local_time(link.expires_at)
    click.echo(f"{address} sets the password by this link, once, until {until}:", err=True)
    click.echo(link_address(link))


def _password(file: TextIO | None) -> str:
    if file is None:
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    try:
        return file.readline().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise click.ClickException("the password file is not UTF-8: save it as UTF-8") from error


@click.command("create-token")
@click.argument("label")
@click.option("--hours", type=click.IntRange(1, MAX_TOKEN_HOURS), default=12, show_default=True)
@click.option("--scans-only", is_flag=True, help="No names, search, walk-ins or release of seats.")
@with_database
def create_token_command(label: str, hours: int, *, scans_only: bool) -> None:
    """Create a token for a device at the door; LABEL names the device: "Door A, Marta's phone"."""
    if not has_visible_character(label) or not is_one_line(label):
        raise click.UsageError("LABEL must be one line of text that names the device")
    scope = Scope.SCAN if scans_only else Scope.DOOR
    token, secret = issue_token(label.strip(), scope, hours)
    click.echo(
        f"Token {token.id} is valid for the door's API{' (scans only)' if scans_only else ''}"
        f" until {local_time(token.expires_at)}."
        " It is shown only once:",
        err=True,
    )
    click.echo(secret)


@click.command("resend-failed")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M"]),
    required=True,
    help="In the theatre's time zone.",
)
@click.option(
    "--bad-addresses",
    is_flag=True,
    help="Also mails to addresses that do not exist, as the mail server reported.",
)
@with_database
def resend_failed_command(since: datetime, bad_addresses: bool) -> None:
    """Resend all mails that were given up since a date and time."""
    zone = current_app.config["AZIONELAB"].time_zone
    mails = resend_failed(since.replace(tzinfo=zone), now(), bad_addresses=bad_addresses)
    click.echo(f"{mails} mails are queued to be sent again.")


@click.command("check")
@click.option(
    "--deploy", is_flag=True, help="Also check the settings against the rules for production."
)
@click.option("--serving", is_flag=True, help="Skip all checks that need the network.")
@click.option(
    "--env-file",
    type=click.File(encoding="utf-8"),
    default=lambda: str(_ENV) if _ENV.is_file() else None,
    help="Also look for unknown names and unusual values in this file (- for standard input).",
)
@with_appcontext
def check_command(deploy: bool, serving: bool, env_file: TextIO | None) -> None:
    """Check this installation; exit status 1 if a check fails."""
    config = current_app.config["AZIONELAB"]
    settings = read_env_file(env_file.read()) if env_file else None
    findings = deploy_check.check(config, deploy=deploy, serving=serving, env_file=settings)
    _print_table(findings)


@click.command("doctor")
@with_database
def doctor_command() -> None:
    """Check that the data is consistent, without changing it; exit status 1 if a check fails."""
    _print_table(doctor.run_checks())


@click.command("test-alert")
@with_database
def test_alert_command() -> None:
    """Send a test alert to ALERT_EMAIL and to the webhooks for alerts; exit status 1 if it could not be sent."""
    try:
        send_test_alert()
    except NobodyListens as error:
        raise click.ClickException(
            "nobody listens: set ALERT_EMAIL, or add a webhook for alerts"
        ) from error
    if not deliver():
        raise click.ClickException("the mail server did not take it: run `flask mail-doctor`")
    click.echo("Sent; a webhook that the worker calls follows within a minute. Is it there?")


@click.command("mail-doctor")
@click.argument("recipient", required=False)
@click.option(
    "--selector",
    "selectors",
    multiple=True,
    help="The name of your mail provider's DKIM key; left out, the usual ones are tried.",
)
@click.option("--dns", "name_server", help="Ask this name server (9.9.9.9, 127.0.0.1:5353).")
@with_appcontext
def mail_doctor_command(
    recipient: str | None, selectors: tuple[str, ...], name_server: str | None
) -> None:
    """Check what keeps mails from arriving, and send a test mail to RECIPIENT, if one is named.

    Exit status 1 if a check fails.
    """
    # The web processes, which have these commands too, do not load the DNS library.
    from azionelab.mail.domains import NameServers  # noqa: PLC0415
    from azionelab.ops.checks.mail_doctor import check_mail  # noqa: PLC0415

    if recipient:
        try:
            recipient = normalize_address(recipient)
        except ValueError as error:
            raise click.BadParameter(f"{recipient} is {error}", param_hint="RECIPIENT") from error
    config = current_app.config["AZIONELAB"]
    try:
        servers = NameServers(name_server)
    except ValueError as error:
        raise click.BadParameter(f"{name_server} is no IP address", param_hint="--dns") from error
    _print_table(check_mail(config, servers, selectors=selectors, recipient=recipient))


@click.command("accept-secret-key")
@with_database
def accept_secret_key_command() -> None:
    """Accept the current SECRET_KEY. Links and tickets that an earlier key signed stop working.

    Use it when the earlier key is lost, or was replaced on purpose without SECRET_KEY_FALLBACKS.
    """
    accept_key(current_app.config["AZIONELAB"])
    click.echo(
        "Links and tickets are signed with this SECRET_KEY from now on. Those sent before work only if"
        " their key is in SECRET_KEY_FALLBACKS; otherwise resend the tickets in the back office, under Mails."
    )


def _print_table(lines: Iterable[deploy_check.Finding | doctor.Result]) -> None:
    """Print each line as soon as it is known."""
    failed = False
    for line in lines:
        click.echo(str(line))
        failed |= line.failed
    if failed:
        click.get_current_context().exit(1)
