"""Parse environment variables one by one, and collect the problems."""

import re
import socket
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from limits import parse_many
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from azionelab.validation.email_addresses import normalize_address, parse_sender_address
from azionelab.validation.text import has_visible_character, is_one_line

_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True} | {
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
_PAGE = re.compile(r"https?://[!-~]+")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
# A name in the DNS or an internal one, where Compose allows "_". A name of numbers only is an address (RFC 3696, 2).
_HOST_NAME = re.compile(r"(?=.{1,253}$)([\w-]{1,63}\.)*(?![0-9]+\.?$)[\w-]{1,63}\.?", re.ASCII)
_SEVERAL_HOSTS = re.compile(r"(postgres[a-z+]*://(?:[^/?@]*@)?)([^/?@]*,[^/?@]*)(/[^?]*)(.*)")
_BIND_ADDRESS = re.compile(r"(localhost|[0-9.]+|\[[0-9A-Fa-f:.]+\]):([1-9][0-9]{0,4})")
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:]+\]|[^:\[\]]+)(?::([0-9]+))?")
_MAX_PORT = 65535


class SettingsReader:
    """Reads settings by name and collects all `problems` instead of raising at the first.

    A setting NAME may also be given as NAME_FILE, the path of a file with the value. Each problem is a line that
    starts with the setting's name. After a problem the method returns a valid or empty value, so that the
    remaining settings are checked, too.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._environ = environ

    def optional(self, name: str) -> str | None:
        """The value, stripped, or None when it is empty or not set."""
        path = self._environ.get(f"{name}_FILE")
        if not path:
            return self._environ.get(name, "").strip() or None
        if self._environ.get(name):
            self.problems.append(f"{name}: is set, and {name}_FILE too; keep one")
        try:
            return Path(path).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            problem = f"{name}_FILE: cannot read {path} ({type(error).__name__})"
            if isinstance(error, PermissionError):
                problem += "; every user has to be able to read it: run docker/new-secrets"
            self.problems.append(problem)
            return None

    def text(self, name: str, default: str | None) -> str:
        """The value, or `default`. With the default None the setting is required."""
        value = self.optional(name) or default
        if value is None:
            if not any(problem.startswith(name) for problem in self.problems):
                self.problems.append(f"{name}: is missing")
            return ""
        return value

    def single_line(self, name: str, default: str, longest: int) -> str:
        """A single line, as mail subjects need it, of at most `longest` characters."""
        value = self.text(name, default)
        if not (is_one_line(value) and has_visible_character(value) and len(value) <= longest):
            self.problems.append(
                f"{name}: is not one line of at most {longest} characters; set {name}={default}"
            )
        return value

    def comma_separated(self, name: str) -> list[str]:
        """A comma-separated list."""
        return [w.strip() for w in (self.optional(name) or "").split(",") if w.strip()]

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of the `allowed` values."""
        value = self.text(name, default)
        if value not in allowed:
            self.problems.append(f"{name}: {value!r} is not one of {', '.join(allowed)}")
        return value

    def boolean(self, name: str, *, default: bool) -> bool:
        """A boolean: true, 1, yes, on, or false, 0, no, off."""
        value = self.text(name, str(default)).lower()
        if value not in _BOOLEANS:
            self.problems.append(f"{name}: {value!r} is neither true nor false")
        return _BOOLEANS.get(value, default)

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """An integer from `low` to `high`."""
        value = self.text(name, str(default))
        if not (re.fullmatch("[0-9]{1,9}", value) and low <= int(value) <= high):
            self.problems.append(f"{name}: {value!r} is not a whole number from {low} to {high}")
            return default
        return int(value)

    def origin(self, name: str, default: str | None) -> str:
        """An origin: scheme, host and port, without path or trailing slash."""
        value = self.text(name, default).rstrip("/")
        self._check_origin(name, value)
        return value

    def origins(self, name: str) -> list[str]:
        """Comma-separated origins."""
        values = [origin.rstrip("/") for origin in self.comma_separated(name)]
        for value in values:
            self._check_origin(name, value)
        return values

    def url(self, name: str) -> str | None:
        """The URL of a page, on this site or another, or None when it is not set."""
        value = self.optional(name)
        if value and not (_PAGE.fullmatch(value) and _can_be_split(value)):
            self.problems.append(f"{name}: {value!r} is not like https://www.theatre.org/privacy")
        return value

    def sentry_dsn(self, name: str) -> str | None:
        """Sentry's DSN, or None when it is not set. A problem's text never quotes it."""
        value = self.optional(name)
        if value is None:
            return None
        # Imported here: the health check reads settings, too, and would wait for this import each time.
        from sentry_sdk.utils import BadDsn, Dsn  # noqa: PLC0415

        try:
            Dsn(value)
        except (BadDsn, ValueError):
            self.problems.append(f"{name}: is not like https://key@sentry.theatre.org/1")
        return value

    def email(self, name: str) -> str | None:
        """An e-mail address without a display name, or None when it is not set."""
        value = self.optional(name)
        try:
            if value:
                normalize_address(value)
        except ValueError:
            self.problems.append(f"{name}: {value!r} is not like boxoffice@theatre.org")
        return value

    def sender(self, name: str, default: str | None) -> str:
        """The mails' sender: an address, or a display name and an address."""
        value = self.text(name, default)
        try:
            if value:
                parse_sender_address(value)
        except ValueError:
            self.problems.append(f"{name}: {value!r} is not like Box office <tickets@theatre.org>")
        return value

    def host(self, name: str) -> str | None:
        """A host name or IP address, without a port, or None when it is not set."""
        value = self.optional(name)
        if value and not _is_host(value):
            self.problems.append(
                f"{name}: {value!r} is not a server's name or address such as mail.theatre.org"
            )
        return value

    def bind_addresses(self, name: str, default: str) -> list[str]:
        """Comma-separated bind addresses: an address of this machine with a port, or a Unix socket.

        With a wrong address gunicorn would retry for five seconds and exit without naming the setting.
        """
        addresses = [a.strip() for a in self.text(name, default).split(",") if a.strip()]
        for address in addresses:
            if why := _find_bind_problem(address):
                self.problems.append(
                    f"{name}: {address!r} {why}; set {name}=127.0.0.1:8000, or leave it empty"
                )
        return addresses

    def time_zone(self, name: str, default: str) -> ZoneInfo:
        """A time zone of the IANA database."""
        value = self.text(name, default)
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.problems.append(f"{name}: {value!r} is not a time zone such as Europe/Rome")
            return ZoneInfo(default)

    def rate(self, name: str, default: str) -> str:
        """A rate in the limits library's notation, such as "30 per minute". A rate of 0 is refused."""
        value = self.text(name, default)
        try:
            allows_some = all(rate.amount for rate in parse_many(value))
        except ValueError:
            allows_some = False
        if not allows_some:
            self.problems.append(f"{name}: {value!r} is not a rate such as '30 per minute'")
        return value

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """IP addresses and networks, separated by commas or spaces."""
        networks = []
        for value in (self.optional(name) or "").replace(",", " ").split():
            try:
                networks.append(ip_network(value, strict=False))
            except ValueError:
                self.problems.append(
                    f"{name}: {value!r} is not an address or network such as 192.0.2.0/24"
                )
        return networks

    def database_url(self) -> URL:
        """DATABASE_URL for psycopg, with DATABASE_PASSWORD inserted."""
        return self._database("DATABASE", self.text("DATABASE_URL", None))

    def migration_database_url(self) -> URL | None:
        """MIGRATION_DATABASE_URL likewise, or None when it is not set."""
        value = self.optional("MIGRATION_DATABASE_URL")
        url = self._database("MIGRATION_DATABASE", value or "")
        return url if value else None

    def _database(self, name: str, value: str) -> URL:
        value = _hosts_as_parameters(value)
        try:
            url = make_url(value) if value else make_url("postgresql://")
        except (ArgumentError, ValueError):
            url = make_url("unreadable://")
        if url.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
            self.problems.append(f"{name}_URL: is not like postgresql://user:password@host/name")
        if password := self.optional(f"{name}_PASSWORD"):
            if url.password:
                self.problems.append(
                    f"{name}_PASSWORD: {name}_URL contains a password, too; keep one"
                )
            url = url.set(password=password)
        return url.set(drivername="postgresql+psycopg")

    def _check_origin(self, name: str, value: str) -> None:
        if value and not (_ORIGIN.fullmatch(value) and _can_be_split(value)):
            self.problems.append(f"{name}: {value!r} is not like https://tickets.theatre.org")


def _hosts_as_parameters(url: str) -> str:
    """Convert a libpq URL with several hosts (`//a:5432,b:5432/name`) into one with host parameters.

    SQLAlchemy accepts several hosts as parameters only. Either all ports are given, or none.
    """
    several = _SEVERAL_HOSTS.fullmatch(url)
    if several is None:
        return url
    start, hosts, name, parameters = several.groups()
    ends = [_HOST_AND_PORT.fullmatch(host) for host in hosts.split(",")]
    if not all(ends):
        return url
    names = ",".join(end[1].strip("[]") for end in ends if end)
    ports = ",".join(end[2] or "5432" for end in ends if end)
    return f"{start}{name}?host={names}&port={ports}{parameters.replace('?', '&', 1)}"


def web_processes(reader: SettingsReader) -> tuple[int, int]:
    """The number of web processes, and of threads in each."""
    return reader.integer("WEB_WORKERS", 2, 1, 64), reader.integer("WEB_THREADS", 4, 1, 64)


def _find_bind_problem(address: str) -> str | None:
    """Why gunicorn cannot bind to this address, or None if it can."""
    if address.startswith("unix:"):
        folder = Path(address.removeprefix("unix:")).parent
        return None if folder.is_dir() else f"is in {folder}, which is not a folder"
    found = _BIND_ADDRESS.fullmatch(address)
    if found is None or int(found[2]) > _MAX_PORT:
        return "is not like 0.0.0.0:8000 or unix:/run/site.sock"
    host = found[1].strip("[]")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except OSError:
        return "is not an address of this machine"
    return None


def _can_be_split(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return bool(_HOST_NAME.fullmatch(text))
    return True
