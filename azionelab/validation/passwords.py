"""The password policy, for forms and commands."""

from typing import Any

from flask import current_app
from flask_babel import gettext
from flask_security.password_util import PasswordUtil

from azionelab.validation.text import is_one_line

_MIN_SCORE = 3  # of zxcvbn's 0 to 4: more than 100 million guesses
_SCORED = 72  # characters; zxcvbn's time grows with the square of the length

MAX_LENGTH = 128  # characters; Flask-Security reports longer ones as too short


class PasswordPolicy(PasswordUtil):
    """Flask-Security's password checks, with our rules; too long passwords are never hashed."""

    def normalize(self, password: str) -> str:
        """The password in the form that is hashed; "" when it is too long."""
        normal: str = super().normalize(password)
        return normal if len(normal) <= MAX_LENGTH else ""

    def validate(
        self, password: str, is_register: bool, **kwargs: Any
    ) -> tuple[list[str] | None, str]:
        """The problems of a new password, and the password in the form that is hashed."""
        if password and not self.normalize(password):
            return [gettext("A password can have at most %(num)s characters.", num=MAX_LENGTH)], ""
        if not is_one_line(password):
            return [gettext("A password cannot contain line breaks or control characters.")], ""
        judged: tuple[list[str] | None, str] = super().validate(password, is_register, **kwargs)
        problems, normal = judged
        if not problems and _is_guessable(normal, kwargs.get("email") or kwargs["user"].email):
            return [gettext("This password is easy to guess. Please choose another.")], normal
        return problems, normal


def _is_guessable(password: str, email: str) -> bool:
    """Whether a password is a common one or a simple variation: a word and a year, a row of keys, a name.

    Scored by zxcvbn, whose lists include the 30,000 most common passwords (OWASP ASVS 5.0, 6.2.4). The
    theatre's name and the person's address count as common words (6.2.11).
    """
    from zxcvbn import zxcvbn  # noqa: PLC0415 (large word lists that most processes never need)

    name, _, domain = email.partition("@")
    known = ["azionelab", current_app.config["AZIONELAB"].site_name, name, domain, email]
    return bool(zxcvbn(password[:_SCORED], known)["score"] < _MIN_SCORE)
