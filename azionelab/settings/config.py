"""The typed settings (`Config`), and their translation into Flask's configuration.

Defaults and the names of the environment variables: loading.py.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import URL

from azionelab.database.connections import LIMITS, REACHABILITY

# Roles as settings name them; staff/models.py has the same names.
ROLES = ("admin", "staff", "box_office", "door", "read_only")
# MAIL_DOMAIN_CHECK, where it names no name server.
NO_DOMAIN_CHECK, SYSTEM_NAME_SERVERS = "off", "system"


@dataclass(frozen=True)
class Config:
    """All settings. Durations are in the unit at the end of the field's name."""

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
    data_controller: str | None
    contact_email: str | None
    alert_email: str | None
    accessibility_limits: str | None
    enforcement_body: str
    allowed_hosts: list[str]
    csrf_trusted_origins: list[str]
    cors_allowed_origins: list[str]
    embed_origins: list[str]
    trusted_proxies: int
    time_zone: ZoneInfo
    default_locale: str
    hold_minutes: int
    retention_days: int
    unconfirmed_retention_days: int
    waitlist_offer_hours: int
    late_hold_minutes: int
    reminder_hours: tuple[int, ...]  # before the curtain
    confirm_again_hours: int  # before the curtain; 0: nobody has to
    night_begins: int  # o'clock, in `time_zone`
    night_ends: int
    page_cache_seconds: int
    booking_rate_limit: str
    login_rate_limit: str
    second_factor_required: list[str]  # roles
    mailbox_rate_limit: str
    unconfirmed_seats_per_network: int
    unconfirmed_percent_per_network: int
    unconfirmed_percent: int
    proof_above_bookings: int
    unproven_booking_limit: str
    queue_above_bookings: int  # 0: only staff open a line
    form_min_seconds: int
    box_office_networks: list[IPv4Network | IPv6Network]
    disposable_domains: frozenset[str] = field(repr=False)  # in ASCII
    mail_server: str | None
    mail_port: int
    mail_use_tls: bool
    mail_use_ssl: bool
    mail_username: str | None
    mail_password: str | None = field(repr=False)
    mail_default_sender: str
    mail_timeout_seconds: int
    mail_domain_check: str  # NO_DOMAIN_CHECK, SYSTEM_NAME_SERVERS, or the address of a name server
    apple_pass: str | None = field(repr=False)  # read by wallet.py
    google_wallet_key: str | None = field(repr=False)
    google_wallet_issuer: str | None
    frontend_dist: Path
    media_dir: Path  # pictures of shows
    upload_max_mb: int  # of one picture
    upload_max_megapixels: int
    log_format: str
    sentry_dsn: str | None = field(repr=False)
    git_commit: str

    def session_parameters(self) -> dict[str, Any]:
        """Parameters for psycopg's connections in addition to the URL.

        A pooler in transaction mode assigns a server connection per transaction: statements prepared on one
        are unknown on the next. It accepts no `options` either.
        """
        if self.database_pooler:
            return {"prepare_threshold": None}
        return {"options": " ".join(f"-c {name}={value}" for name, value in LIMITS.items())}

    def flask_settings(self) -> dict[str, Any]:
        """Configuration values for Flask and its extensions."""
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
                # Error messages would otherwise quote names and addresses in the log.
                "hide_parameters": True,
                "pool_timeout": 10,
                "connect_args": {**REACHABILITY, **self.session_parameters()},
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
            # People type slowly. After this time the form asks the visitor to submit again.
            "WTF_CSRF_TIME_LIMIT": 6 * 3600,
            # Browsers may omit Referer; azionelab.web.form_checks checks Origin instead.
            "WTF_CSRF_SSL_STRICT": False,
        }
