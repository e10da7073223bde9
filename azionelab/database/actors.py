"""Who acts in a transaction: told to the database once, for the log of changes and the versions of rows.

Triggers read it (migrations 0013 and `audit_log`). It is set for the transaction alone, so that a pooler cannot mix up two
of them. A visitor's transaction says nothing, which costs no round trip.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import Flask, current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

_FINDER = "azionelab.actor"
_ANNOUNCE = text(
    "SELECT set_config('azionelab.account', :account, true), set_config('azionelab.token', :token, true),"
    " set_config('azionelab.token_kind', :token_kind, true), set_config('azionelab.source', :source, true),"
    " set_config('azionelab.address', :address, true)"
)


@dataclass(frozen=True)
class Actor:
    """An account, the holder of an API token, or else a command or job (`source`).

    Of a ProgramToken `source` is the program's name. `is_device` tells a token of the door (ApiToken) from that of another program (ProgramToken). `address` is the
    network address of the request.
    """

    account_id: int | None = None
    token_id: int | None = None
    is_device: bool = True
    source: str = ""
    address: str = ""


def init_actors(app: Flask, find: Callable[[], Actor | None]) -> None:
    """Let `find` name who acts when a transaction begins: None for a visitor."""
    app.extensions[_FINDER] = find


def announce_current(session: Session) -> None:
    """Tell the database who acts in this transaction, if it is no visitor."""
    find = current_app.extensions.get(_FINDER)
    actor = find() if find else None
    if actor is not None:
        _send(session, actor)


def announce(session: Session, actor: Actor) -> None:
    """Tell the database that `actor` acts; the address of the request is added."""
    find = current_app.extensions.get(_FINDER)
    current = find() if find else None
    if current is not None and current.account_id == actor.account_id is not None:
        return  # announced at the start
    _send(session, replace(actor, address=current.address if current else ""))


def _send(session: Session, actor: Actor) -> None:
    session.execute(
        _ANNOUNCE,
        {
            "account": _text(actor.account_id),
            "token": _text(actor.token_id),
            "token_kind": "door" if actor.is_device else "api",
            "source": actor.source,
            "address": actor.address,
        },
    )


def _text(number: int | None) -> str:
    return "" if number is None else str(number)
