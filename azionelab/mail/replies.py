"""Classifies a mail server's refusal: whose fault it is.

The enhanced status code decides (RFC 3463, later ones from IANA's registry of 2024), else the refused command and
the basic code (RFC 5321).
"""

import re
from enum import StrEnum


class Fault(StrEnum):
    """Whose fault a refusal is."""

    RECIPIENT = "recipient"  # the address: another try changes nothing
    PROVIDER = (
        "provider"  # ours or the mail provider's: it will be fixed, so the mail is tried again
    )
    UNCLEAR = "unclear"  # the recipient's, unless others are refused as well
    # The address again, but it was the DNS that said so before any server was asked: says nothing of the provider.
    DOMAIN = "domain"


class Stage(StrEnum):
    """The SMTP command that was refused."""

    SENDER = "MAIL FROM"  # and all commands before it
    RECIPIENT = "RCPT TO"
    DATA = "DATA"


_ENHANCED = re.compile(rb"[\s-]*([245])\.(\d{1,3})\.(\d{1,3})\b")

# Basic codes that are always our fault: bad commands (500 to 504), a login that is missing, wrong or disabled
# (RFC 4954, RFC 5248).
_OURS = {500, 501, 502, 503, 504, 523, 524, 525, 530, 534, 535, 538}
_NO_MAIL_THERE = {521, 556}  # RFC 7504: that host or domain takes no mail

_SUBJECTS = {
    1: Fault.RECIPIENT,  # the address
    2: Fault.RECIPIENT,  # the mailbox: disabled, full
    3: Fault.PROVIDER,  # the mail system: full, accepts nothing, message too big
    4: Fault.PROVIDER,  # network and routing
    5: Fault.PROVIDER,  # the protocol
    6: Fault.PROVIDER,  # content that cannot be carried on
    7: Fault.PROVIDER,  # security and policy: sender blocked, quota, login, DKIM, SPF
}
# Subcodes whose fault differs from that of their subject.
_DETAILS = {
    (1, 7): Fault.PROVIDER,  # the sender's address has no valid form
    (1, 8): Fault.PROVIDER,  # the sender's domain is none
    (4, 1): Fault.UNCLEAR,  # no answer from the host; some servers say it of an unknown mailbox
    (4, 4): Fault.UNCLEAR,  # no route: a domain that is misspelt, or a broken name server
    (7, 0): Fault.UNCLEAR,
    (
        7,
        1,
    ): Fault.UNCLEAR,  # not authorized: a blocked sender, or a mailbox that takes few people's mail
    (7, 2): Fault.RECIPIENT,  # a mailing list that is not open
    (7, 17): Fault.RECIPIENT,  # the mailbox has another owner now (RFC 7293)
    (7, 18): Fault.RECIPIENT,  # the domain has
}


def enhanced_code(reply: bytes) -> tuple[int, int, int] | None:
    """The enhanced status code at the start of a reply, if any."""
    found = _ENHANCED.match(reply)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def whose_fault(stage: Stage, code: int, reply: bytes) -> Fault:
    """The fault of a permanent refusal (5xx) of a command."""
    if stage is Stage.SENDER or code in _OURS:
        return Fault.PROVIDER
    enhanced = enhanced_code(reply)
    # Some servers send a class that contradicts the basic code, or an unknown subject: these are ignored.
    if enhanced and enhanced[0] == code // 100 and enhanced[1] in _SUBJECTS:
        return _DETAILS.get(enhanced[1:], _SUBJECTS[enhanced[1]])
    if stage is Stage.RECIPIENT and code in _NO_MAIL_THERE:
        return Fault.RECIPIENT
    # 550 and similar codes mean "no such mailbox" as well as "not from you".
    return Fault.UNCLEAR
