"""Rate limits of login attempts, per network and per account, that do not lock the owner out.

A browser in which the account logged in before, or set a password by a link, has a signed cookie and attempts of
its own. While it has some left nothing else is counted, so nobody can use up the owner's attempts, not even from
the same network. Others have three counters, which also count addresses without an account:

1. Per network: LOGIN_RATE_LIMIT.
2. Per account and network: somebody who guesses from one network exhausts only their own attempts.
3. Per account from all networks: against distributed guessing. An owner with a new browser meanwhile sets a new
   password by mail, which makes the browser known.

An attempt is counted before its password is checked, so that parallel attempts do not slip through. The
right password resets all but the first.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, after_this_request, current_app, request
from flask_login import current_user, user_logged_in
from flask_security.signals import password_reset
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.exceptions import TooManyRequests

from azionelab.staff.models import User
from azionelab.tokens import signing_keys
from azionelab.validation.email_addresses import normalize_account_address
from azionelab.web.rate_limits import RateLimit, visitor_network

P = ParamSpec("P")
R = TypeVar("R")

PER_ACCOUNT_AND_NETWORK = "10 per 15 minutes"
PER_ACCOUNT = "100 per hour"
PER_DEVICE = "10 per 15 minutes; 100 per day"
PER_SECOND_STEP = "20 per hour"  # of six digits, of which three are right at any time
_DEVICE_LIFE = timedelta(days=180)

limit_tries = RateLimit("login", lambda settings: settings.login_rate_limit)
_per_account_and_network = RateLimit("login-account-network", lambda _: PER_ACCOUNT_AND_NETWORK)
_per_account = RateLimit("login-account", lambda _: PER_ACCOUNT)
_per_device = RateLimit("login-device", lambda _: PER_DEVICE, spares_box_office=False)
_per_second_step = RateLimit("second-step", lambda _: PER_SECOND_STEP, spares_box_office=False)


def init_login_limits(app: Flask) -> None:
    """Set a signed cookie at each login, so that the browser counts as known for that account."""
    user_logged_in.connect(remember_device, app)
    password_reset.connect(remember_device, app)


def limit_logins(view: Callable[P, R]) -> Callable[P, R]:
    """Limit the login view per known browser, or per network and per account."""

    @wraps(view)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        if request.method == "POST":
            _count_login(_digest(request.form.get("email", "")))
        return view(*args, **kwargs)

    return limited


def limit_password_changes(view: Callable[P, R]) -> Callable[P, R]:
    """Limit the view that asks for the current password, so that nobody guesses it on a phone left logged in."""

    @limit_tries
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        if request.method == "POST" and current_user.is_authenticated:
            count_password(current_user)
        return view(*args, **kwargs)

    return limited


def count_password(user: User) -> None:
    """Count a try of the password of somebody who is logged in; raises TooManyRequests."""
    _per_account_and_network.count(_from_here(_digest(user.email)))


def count_code(user: User) -> None:
    """Count a try of a code of the second step; raises TooManyRequests.

    A known browser has tries of its own: whoever knows the password only cannot use them up.
    """
    account = _digest(user.email)
    _per_second_step.count(f"{account}/{_known_device(account) or ''}")


def _count_login(account: str) -> None:
    device = _known_device(account)
    if device is not None and _has_tries(device):
        return
    limit_tries.count()
    _per_account_and_network.count(_from_here(account))
    _per_account.count(account)


def _has_tries(device: str) -> bool:
    try:
        _per_device.count(device)
    except TooManyRequests:
        return False
    return True


def _from_here(account: str) -> str:
    return f"{account}/{visitor_network()}"


def _digest(email: str) -> str:
    """The counter key of an account: a digest, so that no counter or cookie holds an address."""
    try:
        address = normalize_account_address(email)
    except ValueError:
        address = ""  # invalid addresses share one counter
    return hashlib.sha256(address.encode()).hexdigest()


def remember_device(_app: Flask, user: User, **_facts: object) -> None:
    """Give this browser the cookie that makes it known for the account, and reset the account's counts."""
    account = _digest(user.email)
    device = _known_device(account) or f"{account}/{secrets.token_urlsafe(9)}"

    # After the request, when the library's transaction has ended.
    @after_this_request
    def write(response: Response) -> Response:
        _per_account_and_network.forget(_from_here(account))
        _per_account.forget(account)
        _per_device.forget(device)
        _per_second_step.forget(f"{account}/{device}")
        response.set_cookie(
            _cookie_of(account),
            _signer().sign(device).decode(),
            max_age=_DEVICE_LIFE,
            path="/staff",
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def _known_device(account: str) -> str | None:
    """The name of this browser, if the account was logged in here; the same for all of the release before."""
    try:
        signed = _signer().unsign(
            request.cookies.get(_cookie_of(account), ""), max_age=int(_DEVICE_LIFE.total_seconds())
        )
    except BadSignature:
        return None
    device = signed.decode()
    return device if device.partition("/")[0] == account else None


def _cookie_of(account: str) -> str:
    return f"device-{account[:12]}"


def _signer() -> TimestampSigner:
    return TimestampSigner(signing_keys(), salt="azionelab.staff.device")
