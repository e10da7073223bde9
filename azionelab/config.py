"""Settings: typed, read once from the environment, wrong ones refused by name.

Every setting NAME may also be given as NAME_FILE, the path of a file that holds the value (Docker
secrets). `.env.example` describes them all. Outside development (`FLASK_DEBUG=true`) a missing or
unsafe setting stops the start: `unsafe_settings` is that list, and `flask check --deploy` prints it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import URL

from azionelab.environment import SettingsReader

LOCALES = ("it", "en")
_PLACEHOLDERS = ("change", "example", "placeholder", "secret", "insecure", "local", "dev")
# Names that nobody's mail comes from (RFC 2606, RFC 6762).
_RESERVED_DOMAIN = re.compile(
    r"(^|\.)(example|invalid|localhost|localdomain|local|test|example\.(com|net|org))$"
)
_MIN_SECRET = 32  # characters; token_urlsafe(32) gives 43


class ConfigError(Exception):
    """Settings that cannot be used: `problems` holds one line for each, led by its name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Config:
    """What the operator decided. Durations are in the unit that the name ends with."""

    debug: bool
    secret_key: str = field(repr=False)
    secret_key_fallbacks: list[str] = field(repr=False)
    database_url: URL
    database_pool_size: int
    site_base_url: str
    site_name: str
    privacy_url: str | None
    contact_email: str | None
    allowed_hosts: list[str]
    csrf_trusted_origins: list[str]
    cors_allowed_origins: list[str]
    trusted_proxies: int
    time_zone: ZoneInfo
    default_locale: str
    hold_minutes: int
    retention_days: int
    page_cache_seconds: int
    booking_rate_limit: str
    login_rate_limit: str
    mail_server: str | None
    mail_port: int
    mail_use_tls: bool
    mail_use_ssl: bool
    mail_username: str | None
    mail_password: str | None = field(repr=False)
    mail_default_sender: str
    mail_timeout_seconds: int
    frontend_dist: Path

    def flask_settings(self) -> dict[str, Any]:
        """These settings under the names that Flask and its extensions read."""
        host = urlsplit(self.site_base_url)
        secure = host.scheme == "https"
        return {
            "SECRET_KEY": self.secret_key,
            "SECRET_KEY_FALLBACKS": self.secret_key_fallbacks,
            "AZIONELAB": self,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": {
                "pool_size": self.database_pool_size,
                "max_overflow": 2,
                # An error's text would quote names and addresses into the log.
                "hide_parameters": True,
                "pool_timeout": 10,
                "connect_args": {
                    "connect_timeout": 5,
                    "options": "-c timezone=UTC -c lock_timeout=5s -c statement_timeout=15s"
                    " -c idle_in_transaction_session_timeout=60s",
                },
            },
            "PROPAGATE_EXCEPTIONS": False,
            "TRUSTED_HOSTS": None if self.debug and not self.allowed_hosts else self.allowed_hosts,
            "PREFERRED_URL_SCHEME": host.scheme,
            "MAX_CONTENT_LENGTH": 256 * 1024,
            "MAX_FORM_MEMORY_SIZE": 128 * 1024,
            "SESSION_COOKIE_SECURE": secure,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_NAME": "__Host-session" if secure else "session",
            "BABEL_DEFAULT_LOCALE": self.default_locale,
            "BABEL_DEFAULT_TIMEZONE": self.time_zone.key,
            "FRONTEND_DIST": self.frontend_dist,
            "MAIL_SERVER": self.mail_server or "localhost",
            "MAIL_PORT": self.mail_port,
            "MAIL_USE_TLS": self.mail_use_tls,
            "MAIL_USE_SSL": self.mail_use_ssl,
            "MAIL_USERNAME": self.mail_username,
            "MAIL_PASSWORD": self.mail_password,
            "MAIL_DEFAULT_SENDER": self.mail_default_sender,
            # A person may type slowly; the form answers a stale token by asking for one more press.
            "WTF_CSRF_TIME_LIMIT": 6 * 3600,
            "WTF_CSRF_TRUSTED_HOSTS": [urlsplit(o).netloc for o in self.csrf_trusted_origins],
        }


def load_config(environ: Mapping[str, str]) -> Config:
    """The settings in `environ`.

    Raises ConfigError with a line for each wrong one; in production also for each unsafe one.
    """
    reader = SettingsReader(environ)
    debug = reader.boolean("FLASK_DEBUG", default=False)
    config = Config(
        debug=debug,
        secret_key=reader.text("SECRET_KEY", None),
        secret_key_fallbacks=reader.words("SECRET_KEY_FALLBACKS"),
        database_url=reader.database_url(),
        database_pool_size=reader.integer("DATABASE_POOL_SIZE", 4, 1, 100),
        site_base_url=reader.origin("SITE_BASE_URL", "http://127.0.0.1:8000" if debug else None),
        site_name=reader.text("SITE_NAME", "AzioneLab"),
        privacy_url=reader.url("PRIVACY_URL"),
        contact_email=reader.email("CONTACT_EMAIL"),
        allowed_hosts=reader.words("ALLOWED_HOSTS"),
        csrf_trusted_origins=reader.origins("CSRF_TRUSTED_ORIGINS"),
        cors_allowed_origins=reader.origins("CORS_ALLOWED_ORIGINS"),
        trusted_proxies=reader.integer("TRUSTED_PROXIES", 0, 0, 5),
        time_zone=reader.time_zone("TIME_ZONE", "Europe/Rome"),
        default_locale=reader.choice("DEFAULT_LOCALE", "it", LOCALES),
        hold_minutes=reader.integer("HOLD_MINUTES", 30, 1, 7 * 24 * 60),
        retention_days=reader.integer("RETENTION_DAYS", 30, 1, 3650),
        page_cache_seconds=reader.integer("PAGE_CACHE_SECONDS", 1, 0, 60),
        booking_rate_limit=reader.rate("BOOKING_RATE_LIMIT", "30 per minute"),
        login_rate_limit=reader.rate("LOGIN_RATE_LIMIT", "10 per minute"),
        mail_server=reader.optional("MAIL_SERVER"),
        mail_port=reader.integer("MAIL_PORT", 587, 1, 65535),
        mail_use_tls=reader.boolean("MAIL_USE_TLS", default=True),
        mail_use_ssl=reader.boolean("MAIL_USE_SSL", default=False),
        mail_username=reader.optional("MAIL_USERNAME"),
        mail_password=reader.optional("MAIL_PASSWORD"),
        mail_default_sender=reader.text(
            "MAIL_DEFAULT_SENDER", "noreply@localhost" if debug else None
        ),
        mail_timeout_seconds=reader.integer("MAIL_TIMEOUT_SECONDS", 20, 1, 300),
        frontend_dist=Path(
            reader.text(
                "FRONTEND_DIST",
                str(Path(__file__).resolve().parent.parent / "static_frontend" / "dist"),
            )
        ),
    )
    problems = reader.problems
    if not debug:
        told = {_setting(problem).removesuffix("_FILE") for problem in problems}
        problems += [p for p in unsafe_settings(config) if _setting(p) not in told]
    if problems:
        raise ConfigError(problems)
    return config


def unsafe_settings(config: Config) -> list[str]:
    """What must change before real visitors come (the mission's "Production Readiness").

    Returns a line for each unsafe setting, led by its name; an empty list when all is well.
    """
    problems = []
    if config.debug:
        problems.append("FLASK_DEBUG: is on; set FLASK_DEBUG=false")
    if len(config.secret_key) < _MIN_SECRET or _looks_like_placeholder(config.secret_key):
        problems.append(
            f"SECRET_KEY: must be random and at least {_MIN_SECRET} characters long;"
            " make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    problems += [
        f"SECRET_KEY_FALLBACKS: an entry is shorter than {_MIN_SECRET} characters"
        for key in config.secret_key_fallbacks
        if len(key) < _MIN_SECRET
    ]
    problems += _unsafe_addresses(config) + _unsafe_mail(config)
    password = config.database_url.password
    if password is not None and _looks_like_placeholder(str(password)):
        problems.append("DATABASE_URL: its password (or DATABASE_PASSWORD) is a placeholder")
    return problems


def _unsafe_addresses(config: Config) -> list[str]:
    site = urlsplit(config.site_base_url)
    problems = []
    if site.scheme != "https":
        problems.append(
            f"SITE_BASE_URL: {config.site_base_url} is not https; set the public https address"
        )
    if not config.allowed_hosts:
        problems.append("ALLOWED_HOSTS: is empty; list the public host names")
    elif site.hostname and site.hostname not in config.allowed_hosts:
        problems.append(f"ALLOWED_HOSTS: lacks {site.hostname}, the host of SITE_BASE_URL")
    problems += [
        f"ALLOWED_HOSTS: {host} allows more than a real public host name"
        for host in config.allowed_hosts
        if host == "*" or host.startswith(".")
    ]
    if not config.csrf_trusted_origins:
        problems.append("CSRF_TRUSTED_ORIGINS: is empty; list the public https origins")
    elif config.site_base_url not in config.csrf_trusted_origins:
        problems.append(f"CSRF_TRUSTED_ORIGINS: lacks {config.site_base_url}, SITE_BASE_URL itself")
    for name, origins in (
        ("CSRF_TRUSTED_ORIGINS", config.csrf_trusted_origins),
        ("CORS_ALLOWED_ORIGINS", config.cors_allowed_origins),
    ):
        problems += [f"{name}: {o} is not https" for o in origins if not o.startswith("https://")]
    return problems


def _unsafe_mail(config: Config) -> list[str]:
    problems = []
    if config.mail_server is None:
        problems.append("MAIL_SERVER: is missing; bookings are confirmed by e-mail")
    if config.mail_use_tls and config.mail_use_ssl:
        problems.append("MAIL_USE_SSL: cannot be on together with MAIL_USE_TLS")
    if config.mail_username and not (config.mail_use_tls or config.mail_use_ssl):
        problems.append("MAIL_USE_TLS: is off, so MAIL_PASSWORD would travel in the clear")
    sender_host = config.mail_default_sender.rpartition("@")[2].rstrip(">")
    if "." not in sender_host or _RESERVED_DOMAIN.search(sender_host.casefold()):
        problems.append("MAIL_DEFAULT_SENDER: must be a real address of yours")
    return problems


def _setting(problem: str) -> str:
    return problem.partition(":")[0]


def _looks_like_placeholder(value: str) -> bool:
    folded = value.casefold()
    words = folded.replace("-", " ").replace("_", " ").replace(".", " ").split()
    return any(w.startswith(_PLACEHOLDERS) for w in words) or len(set(folded)) < 6
