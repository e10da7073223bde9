"""Asks the DNS about mail domains: who takes their mail, and who may send in their name.

Nothing but the worker and `flask mail-doctor` imports this: it loads the DNS library.
"""

import time
from functools import lru_cache
from typing import Any

import dns.exception
import dns.resolver

from azionelab.settings.config import SYSTEM_NAME_SERVERS
from azionelab.validation.name_servers import parse_name_server

_PATIENCE = 5.0  # seconds for one question, over all name servers
_MAILS_PATIENCE = 2.0  # the same while a mail waits for the answer
_REMEMBERED = (
    600.0  # seconds that a process remembers what it was told of a domain, ten minutes at most
)


class NoAnswer(Exception):
    """No name server answered, so nothing is known about the domain."""


class NameServers:
    """The system's name servers, or one other.

    `server` is an IP address, with `:port` where it is not 53; ValueError when it is none. `patience` are the seconds for
    one question.
    """

    def __init__(self, server: str | None = None, *, patience: float = _PATIENCE) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=server is None)
        except dns.resolver.NoResolverConfiguration:
            # Without a name server each question ends as one that nobody answers.
            self._resolver = dns.resolver.Resolver(configure=False)
        if server is not None:
            address, port = parse_name_server(server)
            self._resolver.nameservers = [address]
            self._resolver.port = port
        self._resolver.lifetime = patience

    def find_texts(self, domain: str) -> list[str]:
        """The TXT records of a domain, each joined to one text; none for a domain that does not exist."""
        return [
            b"".join(record.strings).decode(errors="replace") for record in self._ask(domain, "TXT")
        ]

    def find_mail_hosts(self, domain: str) -> list[str]:
        """The hosts that take a domain's mail (RFC 5321, 5.1), the preferred one first.

        Without MX records the domain itself is the host, if it has an address. None for a domain that takes no
        mail: it does not exist, or says so (RFC 7505).
        """
        try:
            records = sorted(self._records(domain, "MX"), key=lambda record: record.preference)
            if records:
                hosts = [record.exchange.to_text(omit_final_dot=True) for record in records]
                return [] if hosts in (["."], [""]) else hosts
            has_address = any(self._records(domain, kind) for kind in ("A", "AAAA"))
        except dns.resolver.NXDOMAIN:
            return []
        return [domain] if has_address else []

    def _ask(self, domain: str, kind: str) -> list[Any]:
        try:
            return self._records(domain, kind)
        except dns.resolver.NXDOMAIN:
            return []

    def _records(self, domain: str, kind: str) -> list[Any]:
        try:
            return list(self._resolver.resolve(domain, kind, search=False))
        except dns.resolver.NoAnswer:
            return []
        except dns.resolver.NXDOMAIN:
            raise
        except dns.exception.DNSException as error:
            raise NoAnswer from error


def takes_no_mail(domain: str, ask: str, own_domain: str) -> bool:
    """Whether a domain takes no mail for sure: the DNS says so, and knows that the theatre's `own_domain` takes some.

    A name server that knows not even that one, as in a network without a way out, is not believed. No answer means
    False. `ask` is the setting MAIL_DOMAIN_CHECK; the domains are in ASCII.
    """
    period = int(time.monotonic() / _REMEMBERED)
    return _takes_mail(domain, ask, period) is False and bool(_takes_mail(own_domain, ask, period))


@lru_cache(maxsize=4096)
def _takes_mail(domain: str, ask: str, _period: int) -> bool | None:
    """Whether a domain takes mail; None when nobody answered. `_period` makes it forget."""
    server = None if ask == SYSTEM_NAME_SERVERS else ask
    try:
        return bool(NameServers(server, patience=_MAILS_PATIENCE).find_mail_hosts(domain))
    except NoAnswer:
        return None
