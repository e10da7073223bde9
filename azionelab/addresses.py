"""E-mail addresses: which ones can be written to, and how the network spells them."""

import re
from email.utils import parseaddr

from email_validator import EmailNotValidError, validate_email

from azionelab.one_line import is_one_line


def normal_address(typed: str) -> str:
    """The address as people read it, its domain in normal form; ValueError when it is none.

    Only the form is checked. What stands before the @ has to be ASCII: few servers take more.
    """
    try:
        checked = validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except (EmailNotValidError, UnicodeError) as error:
        raise ValueError("no e-mail address") from error
    return checked.normalized


def named_address(typed: str) -> str:
    """The address in `Name <address>`, or in an address alone, in one line; else ValueError."""
    name, address = parseaddr(typed)
    # What it does not understand it leaves out: a second address, half of a bracket, a line's rest.
    read = f"{name}<{address}>" if name else address
    if not is_one_line(typed) or _essence(typed) not in (_essence(read), f"<{address}>"):
        raise ValueError("not one e-mail address")
    return normal_address(address)


def wire_address(address: str) -> str:
    """The address as mail servers know it; ValueError when it cannot be spelled so.

    By IDNA 2008: the older IDNA that Python and Flask-Mail know makes strasse.de of straße.de, which
    may be somebody else's.
    """
    if address.isascii():
        return address
    checked = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    if checked.ascii_email is None:
        raise ValueError("no address in ASCII")
    return checked.ascii_email


def _essence(text: str) -> str:
    """A text without spaces, and without the quotes that a name with commas stands in."""
    return re.sub(r'[\s"\\]', "", text)
