"""Finds who acts in the current request, job or command, for the log of changes."""

import click
from flask import g, has_request_context, request

from azionelab.database.actors import Actor
from azionelab.logs import request_id

_JOB = "job-"


def find_actor() -> Actor | None:
    """The logged-in account, the API token's holder or the program; None for a visitor.

    It asks the database nothing: an account counts once the request has looked it up, as every page for staff does.
    """
    if not has_request_context():
        return Actor(source=_program())
    if "actor" in g:
        found: Actor = g.actor
        return found
    user = g.get("_login_user")  # Flask-Login's, set when `current_user` was loaded
    if user is None or not user.is_authenticated:
        return None
    return Actor(account_id=user.id, address=request.remote_addr or "")


def act_with_token(token_id: int, *, is_device: bool, program: str = "") -> None:
    """Record the changes of this request under an API token: of a device at the door, or of a `program`."""
    address = request.remote_addr or ""
    g.actor = Actor(token_id=token_id, is_device=is_device, source=program, address=address)


def _program() -> str:
    if (request_id.get() or "").startswith(_JOB):
        return "worker"
    command = click.get_current_context(silent=True)
    return str(command.info_name) if command and command.info_name else "program"
