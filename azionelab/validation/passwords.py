"""What a password may be, wherever somebody types one."""

from typing import Any

from flask import current_app
from flask_babel import gettext
from flask_security.password_util import PasswordUtil

from azionelab.validation.text import is_one_line

_HARD_ENOUGH = 3  # of zxcvbn's 0 to 4: more than 100 million guesses
_JUDGED = 72  # characters: judging takes time with their square

MAX_LENGTH = 128  # characters: of longer ones the library says that they are too short


class Passwords(PasswordUtil):
    """Flask-Security's judge of passwords. What is longer than any matches none, and is not hashed."""

    def normalize(self, password: str) -> str:
        """The password as it is hashed; nothing of one that is too long."""
        normal: str = super().normalize(password)
        return normal if len(normal) <= MAX_LENGTH else ""

    def validate(
        self, password: str, is_register: bool, **kwargs: Any
    ) -> tuple[list[str] | None, str]:
        """What is wrong with a new password, in words, and the password as it is hashed."""
        if password and not self.normalize(password):
            return [gettext("A password has at most %(num)s characters.", num=MAX_LENGTH)], ""
        if not is_one_line(password):
            return [gettext("A password has no line breaks or control characters.")], ""
        judged: tuple[list[str] | None, str] = super().validate(password, is_register, **kwargs)
        problems, normal = judged
        if not problems and _is_easy(normal, kwargs.get("email") or kwargs["user"].email):
            return [gettext("This password is easy to guess. Please choose another.")], normal
        return problems, normal


def _is_easy(password: str, email: str) -> bool:
    """Whether a password is a common one or little more: a word and a year, a row of keys, a name.

    By zxcvbn's lists, the 30,000 most common passwords among them, and by how people vary them (OWASP
    ASVS 5.0, 6.2.4); the theatre's name and the person's address count as common (6.2.11).
    """
    from zxcvbn import zxcvbn  # noqa: PLC0415 (its word lists, which most processes never need)

    name, _, domain = email.partition("@")
    known = ["azionelab", current_app.config["AZIONELAB"].site_name, name, domain, email]
    return bool(zxcvbn(password[:_JUDGED], known)["score"] < _HARD_ENOUGH)
