"""E-mail addresses: which ones can be written to, and how the network spells them."""

from email_validator import EmailNotValidError, validate_email


def normal_address(typed: str) -> str:
    """The address as people read it, its domain in normal form; ValueError when it is none.

    Only the form is checked. What stands before the @ has to be ASCII: few servers take more.
    """
    try:
        checked = validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except (EmailNotValidError, UnicodeError) as error:
        raise ValueError("no e-mail address") from error
    return checked.normalized


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
