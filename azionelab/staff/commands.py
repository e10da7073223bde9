"""Operators' commands about accounts."""

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from azionelab.database import db
from azionelab.staff.models import User
from azionelab.staff.second_factor.factors import reset_factors
from azionelab.validation.email_addresses import normalize_account_address


@click.command("reset-second-factor")
@click.argument("email")
@with_appcontext
def reset_second_factor_command(email: str) -> None:
    """Take an account's second step away, when phone and recovery codes are lost."""
    try:
        address = normalize_account_address(email)
    except ValueError as error:
        raise click.ClickException(f"{email} is not a valid e-mail address.") from error
    user_id = db.session.scalar(select(User.id).where(User.email == address))
    if user_id is None or not reset_factors(user_id):
        raise click.ClickException(f"{address} has no account.")
    click.echo(f"{address} logs in with the password alone now, and is logged out everywhere.")
