"""Unknown settings and unusual values: `flask check --deploy` lists them, nothing refuses them.

Reads the environment and `.env` as text, so it also covers the settings of nginx, the backups and Compose,
which the application does not parse.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from limits import parse_many

_EXAMPLE = Path(__file__).resolve().parents[3] / ".env.example"
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")
# Settings of other programs that .env may hold: OpenSSL, docker/stack.yml, Compose, Docker, Flask.
_FOREIGN_NAMES = {"SSL_CERT_FILE", "SSL_CERT_DIR", "REGISTRY", "FLASK_APP", "FLASK_SKIP_DOTENV"}
_FOREIGN_PREFIXES = ("COMPOSE_", "DOCKER_", "BUILDKIT_")
# The environment holds many programs' variables: report only names this similar to one of ours.
_SIMILARITY = 0.85

# The usual minimum and maximum, and what happens outside of them.
USUAL_NUMBERS = {
    "DATABASE_POOL_SIZE": (1, 32, "PostgreSQL accepts 100 connections in all by default"),
    "TRUSTED_PROXIES": (
        0,
        2,
        "few sites have so many proxies, and too high a number lets visitors forge their address",
    ),
    "HOLD_MINUTES": (
        5,
        1440,
        "mails take minutes, and others cannot book seats that are held for days",
    ),
    "RETENTION_DAYS": (
        7,
        366,
        "lists are needed after the performance, and names must not be kept for years",
    ),
    "UNCONFIRMED_RETENTION_DAYS": (
        1,
        30,
        "an address that nobody confirmed may be a stranger's",
    ),
    "UNCONFIRMED_SEATS_PER_NETWORK": (
        10,
        200,
        "a school class needs about 30, and one script can hold this many seats",
    ),
    "UNCONFIRMED_PERCENT_PER_NETWORK": (10, 50, "one script can hold this share of the house"),
    "UNCONFIRMED_PERCENT": (
        25,
        100,
        "more bookings get no hold, and later visitors who confirm sooner get the seats",
    ),
    "PROOF_ABOVE_BOOKINGS": (
        30,
        1_000,
        "a busy on-sale makes dozens of bookings, and a flood that is not noticed writes to thousands of strangers",
    ),
    "QUEUE_ABOVE_BOOKINGS": (
        0,
        20_000,
        "a rush is over before so many bookings wait to be confirmed",
    ),
    "FORM_MIN_SECONDS": (
        0,
        5,
        "browsers fill in a form for returning visitors, who then get no hold",
    ),
    "PAGE_CACHE_SECONDS": (0, 10, "visitors see a number of free seats that is this old"),
    "MAIL_TIMEOUT_SECONDS": (
        5,
        60,
        "mail servers answer within seconds, and one that hangs delays other mails",
    ),
    "UPLOAD_MAX_MB": (
        2,
        20,
        "pictures of phones have 3 to 10, and nginx keeps an upload in memory",
    ),
    "UPLOAD_MAX_MEGAPIXELS": (
        12,
        60,
        "phones make up to 50, and each takes memory while it is read",
    ),
    "WEB_WORKERS": (1, 16, "each needs memory and database connections"),
    "WEB_THREADS": (2, 16, "a busy thread makes the other threads of its process wait"),
    "BACKEND_CONTAINERS": (1, 8, "each has WEB_WORKERS processes"),
    "WORKER_CONTAINERS": (1, 8, "one sends more mails than most providers accept"),
    "HSTS_SECONDS": (86400, 63072000, "browsers forget it at once, or require https for years"),
    "BACKUP_KEEP_DAYS": (3, 60, "errors are often found days later, and backups contain names"),
    "BACKUP_KEEP_WEEKS": (0, 53, "backups contain names"),
    "BACKUP_KEEP_MONTHS": (0, 24, "backups contain names"),
}
# The same for rates, in requests a minute.
USUAL_RATES = {
    "BOOKING_RATE_LIMIT": (5, 600),
    "LOGIN_RATE_LIMIT": (3, 60),
    "MAILBOX_RATE_LIMIT": (0.05, 10),
    "UNPROVEN_BOOKING_LIMIT": (0.5, 60),
    "BOOKING_RATE": (5, 600),
    "LOGIN_RATE": (3, 60),
    "API_RATE": (120, 6000),
    "DOOR_RATE": (600, 60000),
}
USUAL_PATTERNS = {
    "LOG_LEVEL": (
        r"info|warning",
        "debug logs too much, and error omits the lines that explain a fault",
    ),
    "VERIFY_DAY": (r"(?!never).*", "a backup may be unusable if its restore was never tested"),
    "TIME_ZONE": (
        r"(?!UTC|GMT|Etc/).*",
        "performances would be shown in that zone, without summer time",
    ),
    "MAIL_PORT": (r"25|465|587|2525", "mail servers listen on 25, 465, 587 or 2525"),
    "AZIONELAB_TAG": (
        r"(?!local$).*",
        "a rollback needs the tag of the release that runs; run docker/tag",
    ),
    "SITE_NAME": (r".{1,40}", "mail programs cut long subjects"),
    "BOX_OFFICE_NETWORKS": (
        r"(?!.*[:.]0*/[0-9]\b).*",
        "a large part of the internet is exempt from the limits",
    ),
    "UPSTREAM_PROXY": (
        r"(?!.*[:.]0*/[0-9]\b).*",
        "a large part of the internet can forge visitors' addresses",
    ),
    "PUBLIC_PORT": (
        r"(?!80$|443$).*",
        "it is the default port of URLs; leave it empty",
    ),
    "HTTP_PORT": (r".*:.*", "a port alone listens on IPv6, too; write 0.0.0.0: before it"),
    "HTTPS_PORT": (r".*:.*", "a port alone listens on IPv6, too; write 0.0.0.0: before it"),
}


def read_env_file(text: str) -> dict[str, str]:
    """Parse the text of a .env file; values lose their quotes, other lines are ignored."""
    found = (_LINE.fullmatch(line) for line in text.splitlines())
    return {line[1]: _strip_quotes(line[2]) for line in found if line}


def unusual_settings(environ: Mapping[str, str], env_file: Mapping[str, str]) -> list[str]:
    """Describe each unknown setting and each unusual value, in lines that start with its name."""
    ours = {name: value for name, value in environ.items() if name in known_names()}
    # The environment overrides the file; an empty value means the default.
    values = {name: value for name, value in ({**env_file, **ours}).items() if value}
    return [*_unknown(env_file, environ), *_unusual(values)]


@cache
def known_names() -> frozenset[str]:
    """All settings, from .env.example; a test compares it with the code."""
    return frozenset(read_env_file(_EXAMPLE.read_text(encoding="utf-8")))


def _unknown(env_file: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    for name in env_file:
        if not _is_known(name):
            nearest = get_close_matches(name.upper(), known_names(), n=1)
            advice = f"; write {nearest[0]}=" if nearest else ""
            yield f"{name}: is not a setting, and nothing reads it{advice}"
    for name in environ.keys() - env_file.keys():
        if not _is_known(name) and (
            nearest := get_close_matches(name, known_names(), n=1, cutoff=_SIMILARITY)
        ):
            yield f"{name}: is not a setting, and nothing reads it; write {nearest[0]}="


def _is_known(name: str) -> bool:
    return (
        name.removesuffix("_FILE") in known_names()
        or name in known_names() | _FOREIGN_NAMES
        or name.startswith(_FOREIGN_PREFIXES)
    )


def _unusual(values: Mapping[str, str]) -> Iterator[str]:
    for name, value in values.items():
        if name in USUAL_NUMBERS:
            low, high, why = USUAL_NUMBERS[name]
            if re.fullmatch("[0-9]{1,9}", value) and not low <= int(value) <= high:
                yield f"{name}: {value} is unusual (from {low} to {high}): {why}"
        elif name in USUAL_RATES:
            least, most = USUAL_RATES[name]
            if (rate := _rate_per_minute(value)) is not None and not least <= rate <= most:
                yield f"{name}: {value} is unusual (from {least} to {most} a minute)"
        elif name in USUAL_PATTERNS:
            usual, why = USUAL_PATTERNS[name]
            if not re.fullmatch(usual, value):
                yield f"{name}: {value} is unusual: {why}"
    image = values.get("POSTGRES_IMAGE", "")
    if image and not re.search(r":17\b", image):
        yield f"POSTGRES_IMAGE: {image} does not name PostgreSQL 17, which the containers are tested with"


def _rate_per_minute(rate: str) -> float | None:
    """Requests a minute that the strictest part of a rate allows; None if it cannot be parsed."""
    try:
        return min(part.amount * 60 / part.get_expiry() for part in parse_many(rate))
    except (ValueError, ZeroDivisionError):
        return None


def _strip_quotes(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return re.sub(r"(^|\s)#.*", "", value).strip()
