"""E-mail addresses: validation, normal form, ASCII form, and the mailbox behind an address."""

import re
from collections.abc import Collection
from email.utils import parseaddr

from email_validator import EmailNotValidError, validate_email

from azionelab.validation.text import is_one_line

# The providers' documented rules, as of 2026-11; sources in docs/decisions/0004-mailboxes.md.
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
_DOMAIN = re.compile(
    r"(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_TAG_MARKS = dict.fromkeys(_PLUS, "+") | dict.fromkeys(_YAHOO.split(), "-")


def normalize_address(typed: str) -> str:
    """Normalize an address for display; raises ValueError when it is not valid.

    Checks the syntax only. The local part must be ASCII: few servers accept more.
    """
    try:
        checked = validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except (EmailNotValidError, UnicodeError) as error:
        raise ValueError("no e-mail address") from error
    return checked.normalized


def normalize_account_address(typed: str) -> str:
    """Normalize an address as staff accounts store it, in lower case; raises ValueError."""
    return normalize_address(typed.strip()).lower()


def parse_sender_address(typed: str) -> str:
    """The address in `Name <address>` or in a bare address, on one line; raises ValueError."""
    name, address = parseaddr(typed)
    # parseaddr silently drops what it cannot parse: a second address, a lone bracket, trailing text.
    read = f"{name}<{address}>" if name else address
    if not is_one_line(typed) or _compact(typed) not in (_compact(read), f"<{address}>"):
        raise ValueError("not one e-mail address")
    return normalize_address(address)


def ascii_address(address: str) -> str:
    """The address in ASCII, for mail servers; raises ValueError when there is no such form.

    Uses IDNA 2008: the IDNA 2003 of Python and Flask-Mail turns straße.de into strasse.de, which may be
    another person's domain.
    """
    if address.isascii():
        return address
    checked = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    if checked.ascii_email is None:
        raise ValueError("no address in ASCII")
    return checked.ascii_email


def ascii_domain_of(address: str) -> str:
    """The domain of an address, in ASCII (IDNA 2008) and lower case; raises ValueError when it has no such form."""
    return ascii_address(address).rpartition("@")[2].lower()


def ascii_domain(typed: str) -> str:
    """A domain in ASCII and lower case; raises ValueError when it is none, or has no dot."""
    domain = typed.lower()
    if not domain.isascii():
        domain = ascii_domain_of(f"a@{domain}")
    if not _DOMAIN.fullmatch(domain):
        raise ValueError("no domain")
    return domain


def is_in_domains(address: str, domains: Collection[str]) -> bool:
    """Whether an address is in one of the `domains`, as `ascii_domain` writes them, or below one."""
    try:
        labels = ascii_domain_of(address).split(".")
    except ValueError:
        return False
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))


def mailbox_key(address: str) -> str:
    """A key that is equal for all spellings of a valid address that reach the same mailbox.

    Removes tags and dots and unifies domains only where the provider documents that it ignores them;
    elsewhere `a.b@` and `ab@` may belong to two people.
    """
    name, _, domain = address.rpartition("@")
    # The domain is normalized already; casefold() would turn straße.de into strasse.de, another domain.
    name, domain = name.casefold(), domain.lower()
    domain = _SAME_DOMAINS.get(domain, domain)
    owner, _, provider = domain.partition(".")
    if provider in _SUBDOMAINS:
        name, domain = owner, provider
    if mark := _TAG_MARKS.get(domain):
        owner, tag, _ = name.partition(mark)
        # At Yahoo the word before the "-" is not the owner's name but the common prefix of their tags.
        name = (f"{owner}-" if tag == "-" else owner) or name
    for sign in _IGNORED.get(domain, ""):
        name = name.replace(sign, "") or name
    return f"{name}@{domain}"


def _compact(text: str) -> str:
    """The text without whitespace, quotes and backslashes."""
    return re.sub(r'[\s"\\]', "", text)
