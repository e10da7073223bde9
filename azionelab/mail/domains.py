"""Asks the DNS about mail domains: who takes their mail, and who may send in their name."""

from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.resolver

_PATIENCE = 5.0  # seconds for one question, over all name servers
_PORT = 53


class NoAnswer(Exception):
    """No name server answered, so nothing is known about the domain."""


class NameServers:
    """The system's name servers, or one other.

    `server` is an IP address, with `:port` where it is not 53; ValueError when it is none.
    """

    def __init__(self, server: str | None = None) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=server is None)
        except dns.resolver.NoResolverConfiguration:
            # Without a name server each question ends as one that nobody answers.
            self._resolver = dns.resolver.Resolver(configure=False)
        if server is not None:
            address, port = _split(server)
            self._resolver.nameservers = [address]
            self._resolver.port = port
        self._resolver.lifetime = _PATIENCE

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
        records = sorted(self._ask(domain, "MX"), key=lambda record: record.preference)
        if records:
            hosts = [record.exchange.to_text(omit_final_dot=True) for record in records]
            return [] if hosts in (["."], [""]) else hosts
        has_address = any(self._ask(domain, kind) for kind in ("A", "AAAA"))
        return [domain] if has_address else []

    def _ask(self, domain: str, kind: str) -> list[Any]:
        try:
            return list(self._resolver.resolve(domain, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise NoAnswer from error


def _split(server: str) -> tuple[str, int]:
    address, colon, port = server.rpartition(":")
    if colon and port.isdigit() and ":" not in address:
        return str(ip_address(address)), int(port)
    return str(ip_address(server)), _PORT
