"""Load all settings once from the environment, and refuse wrong ones by name.

Every setting NAME may also be given as NAME_FILE, the path of a file with the value (Docker secrets).
`.env.example` describes all settings. Outside of development (`FLASK_DEBUG=true`) an unsafe setting blocks
start-up (`production.unsafe_settings`); `flask check --deploy` prints the same problems.
"""

from collections.abc import Mapping
from pathlib import Path

from azionelab.languages import LOCALES
from azionelab.logs import FORMATS
from azionelab.settings.config import NO_DOMAIN_CHECK, ROLES, SYSTEM_NAME_SERVERS, Config
from azionelab.settings.environment import SettingsReader, web_processes
from azionelab.settings.production import unsafe_settings
from azionelab.validation.email_addresses import ascii_domain
from azionelab.validation.hours import MAX_HOURS, MOST, read_hours
from azionelab.validation.name_servers import parse_name_server

# Italy's authority for the accessibility of digital services (decreto legislativo 82/2022, article 20).
_ENFORCEMENT_BODY = "AgID, Agenzia per l'Italia digitale, www.agid.gov.it"


class ConfigError(Exception):
    """Invalid settings. `problems` has a line for each, which starts with the setting's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_config(environ: Mapping[str, str]) -> Config:
    """Read the settings in `environ`.

    Raises ConfigError with a line for each invalid setting; in production also for each unsafe one.
    """
    reader = SettingsReader(environ)
    debug = reader.boolean("FLASK_DEBUG", default=False)
    web_workers, web_threads = web_processes(reader)
    controller = reader.optional("DATA_CONTROLLER")
    limits = reader.optional("ACCESSIBILITY_LIMITS")
    config = Config(
        debug=debug,
        secret_key=reader.text("SECRET_KEY", None),
        secret_key_fallbacks=reader.comma_separated("SECRET_KEY_FALLBACKS"),
        database_url=reader.database_url(),
        migration_database_url=reader.migration_database_url(),
        database_pooler=reader.boolean("DATABASE_POOLER", default=False),
        database_pool_size=_pool_size(reader, web_threads),
        web_workers=web_workers,
        web_threads=web_threads,
        site_base_url=reader.origin("SITE_BASE_URL", "http://127.0.0.1:8000" if debug else None),
        site_name=reader.single_line("SITE_NAME", "AzioneLab", 80),
        privacy_url=reader.url("PRIVACY_URL"),
        data_controller=controller and reader.single_line("DATA_CONTROLLER", "", 200),
        contact_email=reader.email("CONTACT_EMAIL"),
        alert_email=reader.email("ALERT_EMAIL"),
        accessibility_limits=limits and reader.single_line("ACCESSIBILITY_LIMITS", "", 500),
        enforcement_body=reader.single_line("ENFORCEMENT_BODY", _ENFORCEMENT_BODY, 200),
        allowed_hosts=reader.comma_separated("ALLOWED_HOSTS"),
        csrf_trusted_origins=reader.origins("CSRF_TRUSTED_ORIGINS"),
        cors_allowed_origins=reader.origins("CORS_ALLOWED_ORIGINS"),
        embed_origins=reader.origins("EMBED_ORIGINS"),
        trusted_proxies=reader.integer("TRUSTED_PROXIES", 0, 0, 5),
        time_zone=reader.time_zone("TIME_ZONE", "Europe/Rome"),
        default_locale=reader.choice("DEFAULT_LOCALE", "it", LOCALES),
        hold_minutes=reader.integer("HOLD_MINUTES", 30, 1, 7 * 24 * 60),
        retention_days=reader.integer("RETENTION_DAYS", 30, 1, 3650),
        unconfirmed_retention_days=reader.integer("UNCONFIRMED_RETENTION_DAYS", 3, 1, 3650),
        waitlist_offer_hours=reader.integer("WAITLIST_OFFER_HOURS", 24, 1, 7 * 24),
        late_hold_minutes=reader.integer("LATE_HOLD_MINUTES", 15, 0, 60),
        reminder_hours=_hours(reader, "REMINDER_HOURS", "48, 3"),
        confirm_again_hours=reader.integer("CONFIRM_AGAIN_HOURS", 0, 0, MAX_HOURS - 12),
        night_begins=reader.integer("NIGHT_BEGINS", 22, 0, 23),
        night_ends=reader.integer("NIGHT_ENDS", 8, 0, 23),
        page_cache_seconds=reader.integer("PAGE_CACHE_SECONDS", 1, 0, 60),
        booking_rate_limit=reader.rate("BOOKING_RATE_LIMIT", "30 per minute"),
        login_rate_limit=reader.rate("LOGIN_RATE_LIMIT", "10 per minute"),
        second_factor_required=_roles(reader, "SECOND_FACTOR_REQUIRED"),
        mailbox_rate_limit=reader.rate("MAILBOX_RATE_LIMIT", "10 per hour"),
        unconfirmed_seats_per_network=reader.integer(
            "UNCONFIRMED_SEATS_PER_NETWORK", 30, 1, 100_000
        ),
        unconfirmed_percent_per_network=reader.integer(
            "UNCONFIRMED_PERCENT_PER_NETWORK", 34, 1, 100
        ),
        unconfirmed_percent=reader.integer("UNCONFIRMED_PERCENT", 50, 1, 100),
        proof_above_bookings=reader.integer("PROOF_ABOVE_BOOKINGS", 100, 1, 100_000),
        unproven_booking_limit=reader.rate("UNPROVEN_BOOKING_LIMIT", "30 per 10 minutes"),
        queue_above_bookings=reader.integer("QUEUE_ABOVE_BOOKINGS", 0, 0, 100_000),
        form_min_seconds=reader.integer("FORM_MIN_SECONDS", 2, 0, 60),
        box_office_networks=reader.networks("BOX_OFFICE_NETWORKS"),
        disposable_domains=_domains(reader, "DISPOSABLE_DOMAINS"),
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
        mail_domain_check=_domain_check(reader, "MAIL_DOMAIN_CHECK"),
        apple_pass=reader.optional("APPLE_PASS"),
        google_wallet_key=reader.optional("GOOGLE_WALLET_KEY"),
        google_wallet_issuer=reader.optional("GOOGLE_WALLET_ISSUER"),
        frontend_dist=Path(
            reader.text(
                "FRONTEND_DIST",
                str(Path(__file__).resolve().parents[2] / "static_frontend" / "dist"),
            )
        ),
        media_dir=Path(
            reader.text(
                "MEDIA_DIR", str(Path(__file__).resolve().parents[2] / "instance" / "media")
            )
        ),
        upload_max_mb=reader.integer("UPLOAD_MAX_MB", 12, 1, 25),
        upload_max_megapixels=reader.integer("UPLOAD_MAX_MEGAPIXELS", 50, 1, 120),
        log_format=reader.choice("LOG_FORMAT", "text", FORMATS),
        sentry_dsn=reader.sentry_dsn("SENTRY_DSN"),
        git_commit=reader.optional("GIT_COMMIT") or "",
    )
    problems = reader.problems
    if not debug:
        told = {_name_of(problem).removesuffix("_FILE") for problem in problems}
        problems += [p for p in unsafe_settings(config) if _name_of(p) not in told]
    if problems:
        raise ConfigError(problems)
    return config


def _roles(reader: SettingsReader, name: str) -> list[str]:
    """Some of ROLES, separated by commas."""
    roles = reader.comma_separated(name)
    unknown = [role for role in roles if role not in ROLES]
    reader.problems.extend(f"{name}: {role!r} is not one of {', '.join(ROLES)}" for role in unknown)
    return roles


def _hours(reader: SettingsReader, name: str, default: str) -> tuple[int, ...]:
    """Hours before the curtain."""
    value = reader.text(name, default)
    try:
        return read_hours(value)
    except ValueError:
        reader.problems.append(
            f"{name}: {value!r} is neither 'none' nor up to {MOST} hours from 1 to {MAX_HOURS} such as '{default}'"
        )
        return read_hours(default)


def _domains(reader: SettingsReader, name: str) -> frozenset[str]:
    """Domains, one a line or separated by commas; the rest of a line after # is a comment."""
    found = set()
    for number, line in enumerate((reader.optional(name) or "").splitlines(), 1):
        for typed in line.partition("#")[0].replace(",", " ").split():
            try:
                found.add(ascii_domain(typed))
            except ValueError:
                # One problem, not thousands, of a file that is something else.
                reader.problems.append(
                    f"{name}: {typed[:80]!r} in line {number} is not a domain such as mailinator.com"
                )
                return frozenset()
    return frozenset(found)


def _domain_check(reader: SettingsReader, name: str) -> str:
    """Whom to ask about the domains of visitors' addresses."""
    value = reader.text(name, NO_DOMAIN_CHECK)
    if value in (NO_DOMAIN_CHECK, SYSTEM_NAME_SERVERS):
        return value
    try:
        parse_name_server(value)
    except ValueError:
        reader.problems.append(
            f"{name}: {value!r} is neither off nor system nor a name server's address such as 9.9.9.9"
        )
        return NO_DOMAIN_CHECK
    return value


def _pool_size(reader: SettingsReader, threads: int) -> int:
    """DATABASE_POOL_SIZE: at least one per thread, or threads would wait for connections and time out."""
    size = reader.integer("DATABASE_POOL_SIZE", max(threads, 4), 1, 100)
    if size < threads:
        reader.problems.append(
            f"DATABASE_POOL_SIZE: {size} is less than WEB_THREADS ({threads}), and each thread needs a"
            f" connection; set DATABASE_POOL_SIZE={threads}, or leave it empty"
        )
    return size


def _name_of(problem: str) -> str:
    return problem.partition(":")[0]
