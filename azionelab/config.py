"""Settings: typed, read once from the environment, wrong ones refused by name.

Every setting NAME may also be given as NAME_FILE, the path of a file that holds the value (Docker
secrets). `.env.example` describes them all. Outside development (`FLASK_DEBUG=true`) a missing or
unsafe setting stops the start: `safety.unsafe_settings` is that list, and `flask check --deploy`
prints it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import URL

from azionelab.database import LIMITS
from azionelab.environment import SettingsReader, web_processes
from azionelab.logs import FORMATS
from azionelab.safety import unsafe_settings

LOCALES = ("it", "en")


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
    migration_database_url: URL | None
    database_pool_size: int
    web_workers: int
    web_threads: int
    database_pooler: bool
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
    mailbox_rate_limit: str
    unconfirmed_seats_per_network: int
    unconfirmed_percent_per_network: int
    unconfirmed_percent: int
    box_office_networks: list[IPv4Network | IPv6Network]
    mail_server: str | None
    mail_port: int
    mail_use_tls: bool
    mail_use_ssl: bool
    mail_username: str | None
    mail_password: str | None = field(repr=False)
    mail_default_sender: str
    mail_timeout_seconds: int
    frontend_dist: Path
    log_format: str
    sentry_dsn: str | None = field(repr=False)
    git_commit: str

    def session_parameters(self) -> dict[str, Any]:
        """What psycopg is to open connections with, beside the address.

        A pooler in transaction mode lends another server connection for each transaction: statements
        prepared on one are unknown on the next, and it takes no `options`.
        """
        if self.database_pooler:
            return {"prepare_threshold": None}
        return {"options": " ".join(f"-c {name}={value}" for name, value in LIMITS.items())}

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
                "connect_args": {"connect_timeout": 5, **self.session_parameters()},
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
            # Browsers may keep the Referer to themselves; azionelab.pages looks at the Origin.
            "WTF_CSRF_SSL_STRICT": False,
        }


def load_config(environ: Mapping[str, str]) -> Config:
    """The settings in `environ`.

    Raises ConfigError with a line for each wrong one; in production also for each unsafe one.
    """
    reader = SettingsReader(environ)
    debug = reader.boolean("FLASK_DEBUG", default=False)
    web_workers, web_threads = web_processes(reader)
    config = Config(
        debug=debug,
        secret_key=reader.text("SECRET_KEY", None),
        secret_key_fallbacks=reader.words("SECRET_KEY_FALLBACKS"),
        database_url=reader.database_url(),
        migration_database_url=reader.migration_database_url(),
        database_pooler=reader.boolean("DATABASE_POOLER", default=False),
        database_pool_size=_pool_size(reader, web_threads),
        web_workers=web_workers,
        web_threads=web_threads,
        site_base_url=reader.origin("SITE_BASE_URL", "http://127.0.0.1:8000" if debug else None),
        site_name=reader.line("SITE_NAME", "AzioneLab", 80),
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
        mailbox_rate_limit=reader.rate("MAILBOX_RATE_LIMIT", "10 per hour"),
        unconfirmed_seats_per_network=reader.integer(
            "UNCONFIRMED_SEATS_PER_NETWORK", 30, 1, 100_000
        ),
        unconfirmed_percent_per_network=reader.integer(
            "UNCONFIRMED_PERCENT_PER_NETWORK", 34, 1, 100
        ),
        unconfirmed_percent=reader.integer("UNCONFIRMED_PERCENT", 50, 1, 100),
        box_office_networks=reader.networks("BOX_OFFICE_NETWORKS"),
        mail_server=reader.host("MAIL_SERVER"),
        mail_port=reader.integer("MAIL_PORT", 587, 1, 65535),
        mail_use_tls=reader.boolean("MAIL_USE_TLS", default=True),
        mail_use_ssl=reader.boolean("MAIL_USE_SSL", default=False),
        mail_username=reader.optional("MAIL_USERNAME"),
        mail_password=reader.optional("MAIL_PASSWORD"),
        mail_default_sender=reader.sender(
            "MAIL_DEFAULT_SENDER", "noreply@theatre.example" if debug else None
        ),
        mail_timeout_seconds=reader.integer("MAIL_TIMEOUT_SECONDS", 20, 1, 300),
        frontend_dist=Path(
            reader.text(
                "FRONTEND_DIST",
                str(Path(__file__).resolve().parent.parent / "static_frontend" / "dist"),
            )
        ),
        log_format=reader.choice("LOG_FORMAT", "text", FORMATS),
        sentry_dsn=reader.sentry_dsn("SENTRY_DSN"),
        git_commit=reader.optional("GIT_COMMIT") or "",
    )
    problems = reader.problems
    if not debug:
        told = {_setting(problem).removesuffix("_FILE") for problem in problems}
        problems += [p for p in unsafe_settings(config) if _setting(p) not in told]
    if problems:
        raise ConfigError(problems)
    return config


def _pool_size(reader: SettingsReader, threads: int) -> int:
    """DATABASE_POOL_SIZE: a thread without a connection waits for another one's, and then gives up."""
    size = reader.integer("DATABASE_POOL_SIZE", max(threads, 4), 1, 100)
    if size < threads:
        reader.problems.append(
            f"DATABASE_POOL_SIZE: {size} is less than WEB_THREADS, the {threads} threads that share"
            f" them; set DATABASE_POOL_SIZE={threads}, or leave it empty"
        )
    return size


def _setting(problem: str) -> str:
    return problem.partition(":")[0]
