"""E-mail addresses: which ones can be written to, and how the network spells them."""

import re
from email.utils import parseaddr

from email_validator import EmailNotValidError, validate_email

from azionelab.validation.text import is_one_line

# What providers say of their addresses, read in 2026-11; where each says so: docs/decisions/0004-mailboxes.md.
_SAME_DOMAINS = {"googlemail.com": "gmail.com", "me.com": "icloud.com", "mac.com": "icloud.com"}
_PROTON = ("proton.me", "protonmail.com", "protonmail.ch", "pm.me")
_IGNORED = {"gmail.com": "."} | dict.fromkeys(_PROTON, "._-")
_SUBDOMAINS = ("fastmail.com", "fastmail.fm")  # anything@name.fastmail.com is name@fastmail.com
_OUTLOOK = """
    outlook.com outlook.it outlook.fr outlook.de outlook.es hotmail.com hotmail.it hotmail.co.uk hotmail.fr
    hotmail.de hotmail.es live.com live.it live.co.uk live.fr live.de msn.com
"""
_PLUS = ("gmail.com", *_OUTLOOK.split(), *_PROTON, *_SUBDOMAINS, "icloud.com")
_YAHOO = """
    yahoo.com yahoo.it yahoo.co.uk yahoo.fr yahoo.de yahoo.es ymail.com
"""
_TAG_MARKS = dict.fromkeys(_PLUS, "+") | dict.fromkeys(_YAHOO.split(), "-")


def normalize_address(typed: str) -> str:
    """The address as people read it, its domain in normal form; ValueError when it is none.

    Only the form is checked. What stands before the @ has to be ASCII: few servers take more.
    """
    try:
        checked = validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except (EmailNotValidError, UnicodeError) as error:
        raise ValueError("no e-mail address") from error
    return checked.normalized


def normalize_account_address(typed: str) -> str:
    """The address as a staff account has it; ValueError when it is none."""
    return normalize_address(typed.strip()).lower()


def parse_sender_address(typed: str) -> str:
    """The address in `Name <address>`, or in an address alone, in one line; else ValueError."""
    name, address = parseaddr(typed)
    # What it does not understand it leaves out: a second address, half of a bracket, a line's rest.
    read = f"{name}<{address}>" if name else address
    if not is_one_line(typed) or _essence(typed) not in (_essence(read), f"<{address}>"):
        raise ValueError("not one e-mail address")
    return normalize_address(address)


def ascii_address(address: str) -> str:
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


def mailbox_key(address: str) -> str:
    """What stands for the mailbox behind a valid address: the same however its owner may write it.

    Tags, dots and domains are folded only where the provider documents that it ignores them; elsewhere
    `a.b@` and `ab@` may be two people's.
    """
    name, _, domain = address.rpartition("@")
    # A domain is in normal form already; folding makes strasse.de of straße.de, another one.
    name, domain = name.casefold(), domain.lower()
    domain = _SAME_DOMAINS.get(domain, domain)
    owner, _, provider = domain.partition(".")
    if provider in _SUBDOMAINS:
        name, domain = owner, provider
    if mark := _TAG_MARKS.get(domain):
        owner, tag, _ = name.partition(mark)
        # At Yahoo the word before the "-" is not the owner's name, but one that stands for all their tags.
        name = (f"{owner}-" if tag == "-" else owner) or name
    for sign in _IGNORED.get(domain, ""):
        name = name.replace(sign, "") or name
    return f"{name}@{domain}"


def _essence(text: str) -> str:
    """A text without spaces, and without the quotes that a name with commas stands in."""
    return re.sub(r'[\s"\\]', "", text)
