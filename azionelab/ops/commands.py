"""The operators' commands: `flask create-admin`, `load-season`, `check`, `doctor` and others."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TextIO, TypeVar

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_babel import force_locale
from psycopg.errors import InsufficientPrivilege, UndefinedColumn, UndefinedTable
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from azionelab.bookings.mails.resending import resend_failed
from azionelab.database import now, violated_constraint
from azionelab.database.errors import describe_unreachable
from azionelab.demo.pictures import add_pictures
from azionelab.demo.season import DatabaseInUse, write_demo_season
from azionelab.ops.checks import deployment as deploy_check
from azionelab.ops.checks import doctor, roles
from azionelab.ops.checks.schema import NOT_MIGRATED
from azionelab.ops.checks.secret_keys import accept_key
from azionelab.ops.checks.unusual_settings import read_env_file
from azionelab.ops.processes.worker import worker_command
from azionelab.ops.smoke.commands import smoke_command
from azionelab.shows.season import load_season
from azionelab.shows.season_file import SeasonError
from azionelab.staff.accounts import account_address, create_account
from azionelab.staff.models import RoleName
from azionelab.staff.tokens import MAX_TOKEN_HOURS, Scope, issue_token
from azionelab.validation.email_addresses import normalize_address
from azionelab.validation.text import has_visible_character, is_one_line

_ENV = Path(__file__).resolve().parents[2] / ".env"

P = ParamSpec("P")
R = TypeVar("R")


def register_commands(app: Flask) -> None:
    """Add this application's commands to `flask`."""
    for command in (
        create_admin_command,
        create_token_command,
        load_season_command,
        check_command,
        doctor_command,
        mail_doctor_command,
        resend_failed_command,
        accept_secret_key_command,
        smoke_command,
        worker_command,
        demo_season_command,
    ):
        app.cli.add_command(command)


def _with_database(command: Callable[P, R]) -> Callable[P, R]:
    """Run a command in the application context; database errors become one-line messages."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except OperationalError as error:
            raise click.ClickException(describe_unreachable(error)) from error
        except DBAPIError as error:
            if isinstance(error.orig, InsufficientPrivilege):
                raise click.ClickException(roles.NO_RIGHTS) from error
            if not isinstance(error.orig, UndefinedTable | UndefinedColumn):
                raise
            raise click.ClickException(NOT_MIGRATED) from error

    in_context: Callable[P, R] = with_appcontext(run)
    return in_context


@click.command("create-admin")
@click.argument("email")
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
@_with_database
def create_admin_command(email: str, role: str, name: str, password_file: TextIO | None) -> None:
    """Create a staff account; without --role, an administrator's."""
    try:
        # The commands' messages are English, whatever the site's language is.
        with force_locale("en"):
            address = account_address(email)  # before the prompt for a password
            user = create_account(address, role, _password(password_file), name)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{user.email} may log in now ({role}).")


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
@_with_database
def create_token_command(label: str, hours: int, *, scans_only: bool) -> None:
    """Create a token for a device at the door; LABEL names the device: "Door A, Marta's phone"."""
    if not has_visible_character(label) or not is_one_line(label):
        raise click.UsageError("LABEL must be one line of text that names the device")
    scope = Scope.SCAN if scans_only else Scope.DOOR
    token, secret = issue_token(label.strip(), scope, hours)
    click.echo(
        f"Token {token.id} is valid for the door's API{' (scans only)' if scans_only else ''}"
        f" until {_local(token.expires_at)}."
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
@_with_database
def resend_failed_command(since: datetime, bad_addresses: bool) -> None:
    """Resend all mails that were given up since a date and time."""
    zone = current_app.config["AZIONELAB"].time_zone
    mails = resend_failed(since.replace(tzinfo=zone), now(), bad_addresses=bad_addresses)
    click.echo(f"{mails} mails are queued to be sent again.")


def _local(moment: datetime) -> str:
    """A datetime in the theatre's time zone."""
    return f"{moment.astimezone(current_app.config['AZIONELAB'].time_zone):%Y-%m-%d %H:%M %Z}"


@click.command("load-season")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_with_database
def load_season_command(file: Path) -> None:
    """Add the venues, shows and performances of FILE; seasons/example.toml shows the format."""
    try:
        loaded = load_season(file)
    except SeasonError as error:
        problems = "\n".join(f"  {problem}" for problem in error.problems)
        raise click.ClickException(f"nothing was loaded from {file}:\n{problems}") from error
    for one, other in loaded.overlaps:
        performances = " and ".join(
            f"{row.show.title}, {_local(row.starts_at)}" for row in (one, other)
        )
        click.echo(
            f"warning: {one.venue.name} has two performances at once: {performances}", err=True
        )
    click.echo(
        f"Loaded {loaded.venues} venues, {loaded.shows} shows, {loaded.performances} performances."
    )


@click.command("demo-season")
@click.option("--force", is_flag=True, help="In production too, and beside real bookings.")
@click.option(
    "--pictures/--no-pictures", default=True, help="Draw posters too, which takes a while."
)
@_with_database
def demo_season_command(*, force: bool, pictures: bool) -> None:
    """Write an invented season with some hundred bookings in every state, to look at and to try.

    No mail is sent about bookings of the past: the addresses end in example.org, which nobody has.
    """
    if not (force or current_app.config["AZIONELAB"].debug):
        raise click.ClickException(
            "this is a production site, where invented bookings would be taken for real ones;"
            " --force writes them all the same"
        )
    try:
        written = write_demo_season(into_used=force)
    except DatabaseInUse as error:
        raise click.ClickException(
            "this database has reservations, and invented ones would be taken for real; --force"
            " writes them all the same"
        ) from error
    except IntegrityError as error:
        if violated_constraint(error) != "uq_show_slug":
            raise
        raise click.ClickException(
            "the demonstration season is in this database already"
        ) from error
    click.echo(f"Wrote {written}.")
    if pictures:
        click.echo(add_pictures())


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
@_with_database
def doctor_command() -> None:
    """Check that the data is consistent, without changing it; exit status 1 if a check fails."""
    _print_table(doctor.run_checks())


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
@_with_database
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
