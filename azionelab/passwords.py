"""How long a password may be, wherever somebody types one."""

from typing import Any

from flask_babel import gettext
from flask_security.password_util import PasswordUtil

MAX_LENGTH = 1024  # characters; the library hashes no more than four times as many


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
        judged: tuple[list[str] | None, str] = super().validate(password, is_register, **kwargs)
        return judged
