"""What somebody looks for in a list: kept in their session, named in addresses by a random id.

Names belong into no address and no log, yet a page of results needs an address of its own: it can then be
paged, sorted, filtered, and come back to.
"""

import secrets

from flask import Flask, session
from flask_login import current_user, user_logged_out

PARAMETER = "find"  # of an address
MAX_TEXT = 100  # characters; nobody's name is longer, and a cookie holds 4 KB
_KEPT = 8  # of each session, the newest
_SEARCHES = "searches"


def init_searches(app: Flask) -> None:
    """Forget what somebody looked for when they log out."""
    user_logged_out.connect(_forget, app)


def keep_search(view: str, text: str) -> str:
    """Keep what was looked for in the list of `view`, and say the id by which it is found again."""
    kept = [list(search) for search in session.get(_SEARCHES, [])]
    wanted = [current_user.id, view, text[:MAX_TEXT]]
    known = next((identity for identity, *search in kept if search == wanted), None)
    identity = known or secrets.token_urlsafe(9)
    others = [search for search in kept if search[0] != identity]
    session[_SEARCHES] = [[identity, *wanted], *others][:_KEPT]
    return identity


def find_search(view: str, identity: str) -> str | None:
    """What this person looked for in that list under this id; None when it is not kept any more."""
    for kept, owner, where, text in session.get(_SEARCHES, []):
        if (kept, owner, where) == (identity, current_user.id, view):
            return str(text)
    return None


def _forget(_app: Flask, **_facts: object) -> None:
    session.pop(_SEARCHES, None)
