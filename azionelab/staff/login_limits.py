"""How often somebody may try to log in: per network, and per account without locking its owner out.

Three counts of tries, the same for an address without an account:

1. Per network: LOGIN_RATE_LIMIT.
2. Per account and network: a stranger who guesses from one network uses up their own tries only.
3. Per account from everywhere: against guessing from many networks. A browser in which the account was
   logged in before, or set a new password by mail, carries a signed cookie and does not count here.

A try is counted before it is judged, so that many at once are not let by; the right password forgets the
second and third count.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import ParamSpec, TypeVar

from flask import Flask, Response, after_this_request, current_app, request
from flask_login import current_user, user_logged_in
from flask_security.signals import password_reset
from itsdangerous import BadSignature, TimestampSigner

from azionelab.staff.models import User
from azionelab.tokens import signing_keys
from azionelab.validation.email_addresses import normalize_account_address
from azionelab.web.rate_limits import RateLimit, visitor_network

P = ParamSpec("P")
R = TypeVar("R")

PER_ACCOUNT_AND_NETWORK = "10 per 15 minutes"
PER_ACCOUNT = "100 per hour"
_DEVICE_LIFE = timedelta(days=180)

limit_tries = RateLimit("login", lambda settings: settings.login_rate_limit)
_per_account_and_network = RateLimit("login-account-network", lambda _: PER_ACCOUNT_AND_NETWORK)
_per_account = RateLimit("login-account", lambda _: PER_ACCOUNT)


def init_login_limits(app: Flask) -> None:
    """Have browsers remember, by a signed cookie, which accounts were logged in there."""
    user_logged_in.connect(_remember_device, app)
    password_reset.connect(_remember_device, app)


def limit_logins(view: Callable[P, R]) -> Callable[P, R]:
    """The view of the login form, limited per network and per account."""

    @limit_tries
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        if request.method == "POST":
            _count_account(request.form.get("email", ""))
        return view(*args, **kwargs)

    return limited


def limit_password_changes(view: Callable[P, R]) -> Callable[P, R]:
    """The view that asks for the password of today: who finds a phone logged in guesses no better there."""

    @limit_tries
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        if request.method == "POST" and current_user.is_authenticated:
            _per_account_and_network.count(_from_here(_digest(current_user.email)))
        return view(*args, **kwargs)

    return limited


def _count_account(typed: str) -> None:
    account = _digest(typed)
    _per_account_and_network.count(_from_here(account))
    if not _is_known_device(account):
        _per_account.count(account)


def _from_here(account: str) -> str:
    return f"{account}/{visitor_network()}"


def _digest(email: str) -> str:
    """What an account is counted by: no address is kept in a count or a cookie."""
    try:
        address = normalize_account_address(email)
    except ValueError:
        address = ""  # belongs to no account: all such tries are one
    return hashlib.sha256(address.encode()).hexdigest()


def _remember_device(_app: Flask, user: User, **_facts: object) -> None:
    account = _digest(user.email)

    # At the request's end: the library's own transaction is over then.
    @after_this_request
    def write(response: Response) -> Response:
        _per_account_and_network.forget(_from_here(account))
        _per_account.forget(account)
        response.set_cookie(
            _cookie_of(account),
            _signer().sign(account).decode(),
            max_age=_DEVICE_LIFE,
            path="/staff",
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def _is_known_device(account: str) -> bool:
    try:
        signed = _signer().unsign(
            request.cookies.get(_cookie_of(account), ""), max_age=int(_DEVICE_LIFE.total_seconds())
        )
    except BadSignature:
        return False
    return signed == account.encode()


def _cookie_of(account: str) -> str:
    return f"device-{account[:12]}"


def _signer() -> TimestampSigner:
    return TimestampSigner(signing_keys(), salt="azionelab.staff.device")
