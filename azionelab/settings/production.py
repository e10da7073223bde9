"""Production checks: settings that block start-up, and warnings.

`loading.load_config` refuses to start with an unsafe setting; `flask check --deploy` prints the same lines and
the warnings.
"""

import re
from ipaddress import ip_address
from itertools import pairwise
from urllib.parse import urlsplit

from azionelab.settings.config import Config

_MIN_SECRET = 32  # characters; token_urlsafe(32) gives 43
_MANY_KEYS = 10
_MIN_DIFFERENT = 6  # different characters in a secret
# Prefixes of placeholders. Shorter words have to match whole, since a random key may begin with them.
_PLACEHOLDERS = (
    "change", "example", "placeholder", "secret", "insecure", "local", "develop", "password",
    "passwd", "admin", "postgres", "azionelab", "letmein", "qwerty",
)  # fmt: skip
_SHORT_PLACEHOLDERS = {"dev", "pass", "your", "todo", "test", "none"}
# Reserved names, which no public site and no mail sender has: RFC 2606, 6761, 6762, 8375, ICANN 2024.
_NEVER_PUBLIC = re.compile(
    r"(^|\.)(example|invalid|localhost|localdomain|local|test|internal|home\.arpa|lan"
    r"|example\.(com|net|org))$"
)
# Of those, the names that not even an internal network may use.
_RESERVED = re.compile(r"(^|\.)(example|invalid|test|example\.(com|net|org))$")
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)
_SMTPS = 465  # RFC 8314: TLS from the start


def unsafe_settings(config: Config) -> list[str]:
    """Problems that block start-up in production.

    Returns a line for each unsafe setting, which starts with the setting's name; an empty list if there are none.
    """
    problems = []
    if config.debug:
        problems.append("FLASK_DEBUG: is on; set FLASK_DEBUG=false")
    problems += _unsafe_keys(config) + _unsafe_addresses(config) + _unsafe_mail(config)
    urls = {"DATABASE": config.database_url, "MIGRATION_DATABASE": config.migration_database_url}
    return problems + [
        f"{name}_URL: its password (or {name}_PASSWORD) is a placeholder or can be guessed;"
        f" give the role a random one, and set it as {name}_PASSWORD="
        for name, url in urls.items()
        if url is not None
        and url.password is not None
        and is_guessable(str(url.password), url.username, url.database)
    ]


def advice(config: Config) -> list[str]:
    """Warnings about allowed but unusual values; each line starts with the setting's name."""
    hosts = _casefold_all(config.allowed_hosts)
    looks = [
        f"CSRF_TRUSTED_ORIGINS: {origin} is not in ALLOWED_HOSTS, but its pages may submit our forms"
        for origin in config.csrf_trusted_origins
        if urlsplit(origin).hostname not in hosts
    ]
    server = config.mail_server
    if server and not _mail_is_encrypted(config) and is_private_host(server):
        looks.append(
            f"MAIL_USE_TLS: mails go to {server} unencrypted; nobody else may use that network"
        )
    if (config.mail_port == _SMTPS) != config.mail_use_ssl and _mail_is_encrypted(config):
        looks.append(
            f"MAIL_PORT: {config.mail_port} is unusual here: MAIL_USE_SSL=true belongs to {_SMTPS},"
            " MAIL_USE_TLS=true to 587"
        )
    looks += [
        f"{name}: is not set; it tells visitors who runs the site"
        for name, value in (
            ("PRIVACY_URL", config.privacy_url or config.data_controller),
            ("CONTACT_EMAIL", config.contact_email),
        )
        if not value
    ]
    if len(config.secret_key_fallbacks) > _MANY_KEYS:
        looks.append(
            f"SECRET_KEY_FALLBACKS: has {len(config.secret_key_fallbacks)} keys, and each is tried for"
            " every link; remove those that signed no ticket of a coming performance"
        )
    query = config.database_url.query
    far = [host for host in database_hosts(config) if not is_private_host(host)]
    if far and query.get("sslmode") not in ("verify-ca", "verify-full"):
        looks.append(
            f"DATABASE_URL: {far[0]} is not on a private network, and its certificate is not checked;"
            " add ?sslmode=verify-full&sslrootcert=system"
        )
    return looks


def is_guessable(secret: str, *names: str | None) -> bool:
    """Whether a secret is a placeholder, equals one of `names`, or is a pattern."""
    folded = secret.casefold()
    words = re.split(r"[-_. ]+", folded)
    return (
        folded in {(name or "").casefold() for name in names}
        or any(word.startswith(_PLACEHOLDERS) or word in _SHORT_PLACEHOLDERS for word in words)
        or len(set(folded)) < _MIN_DIFFERENT
        or _is_a_pattern(folded)
    )


def is_private_host(host: str) -> bool:
    """Whether a host is this machine or in a private network.

    A name without a dot is private: only the local network's DNS (Compose's) resolves it.
    """
    name = host.strip("[]").casefold().rstrip(".")
    try:
        address = ip_address(name)
    except ValueError:
        return "." not in name or bool(_NEVER_PUBLIC.search(name))
    return address.is_private


def is_reserved_host(host: str) -> bool:
    """Whether a host name is reserved for examples and tests."""
    return bool(_RESERVED.search(host.casefold().rstrip(".")))


def database_hosts(config: Config) -> list[str]:
    """The hosts in DATABASE_URL, without Unix sockets."""
    named = config.database_url.query.get("host", config.database_url.host or "")
    hosts = named.split(",") if isinstance(named, str) else named
    return [host for host in hosts if host and not host.startswith("/")]


def _unsafe_keys(config: Config) -> list[str]:
    problems = []
    if len(config.secret_key) < _MIN_SECRET or is_guessable(config.secret_key):
        problems.append(
            f"SECRET_KEY: must be random and at least {_MIN_SECRET} characters long; set SECRET_KEY="
            " to what this prints: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    problems += [
        f"SECRET_KEY_FALLBACKS: an entry is shorter than {_MIN_SECRET} characters or can be guessed;"
        " anyone who knows it can sign tickets: remove it from SECRET_KEY_FALLBACKS="
        for key in config.secret_key_fallbacks
        if len(key) < _MIN_SECRET or is_guessable(key)
    ]
    return problems


def _unsafe_addresses(config: Config) -> list[str]:
    site = urlsplit(config.site_base_url)
    advised = _advised_address(config)
    problems = []
    why = None if site.scheme == "https" else f"{config.site_base_url} is not https"
    if why := why or _not_public(site.hostname or ""):
        problems.append(f"SITE_BASE_URL: {why}; set the public address as SITE_BASE_URL={advised}")
    wanted = f"set ALLOWED_HOSTS={urlsplit(advised).hostname}"
    if not config.allowed_hosts:
        problems.append(f"ALLOWED_HOSTS: is empty; {wanted}")
    elif site.hostname and site.hostname not in _casefold_all(config.allowed_hosts):
        problems.append(f"ALLOWED_HOSTS: lacks the host of SITE_BASE_URL; {wanted}")
    problems += [
        f"ALLOWED_HOSTS: {why}; {wanted}" for why in map(_not_public, config.allowed_hosts) if why
    ]
    wanted = f"set CSRF_TRUSTED_ORIGINS={advised}"
    if not config.csrf_trusted_origins:
        problems.append(f"CSRF_TRUSTED_ORIGINS: is empty; {wanted}")
    elif advised not in config.csrf_trusted_origins and config.site_base_url:
        problems.append(f"CSRF_TRUSTED_ORIGINS: lacks SITE_BASE_URL itself; {wanted}")
    problems += _unsafe_origins("CSRF_TRUSTED_ORIGINS", config.csrf_trusted_origins)
    problems += _unsafe_origins("EMBED_ORIGINS", config.embed_origins)
    return problems + _unsafe_origins("CORS_ALLOWED_ORIGINS", config.cors_allowed_origins)


def _advised_address(config: Config) -> str:
    """SITE_BASE_URL with https and a public host, which the other addresses have to match."""
    site = urlsplit(config.site_base_url)
    if not site.hostname or _not_public(site.hostname):
        return "https://tickets.your-theatre.org"
    if site.scheme == "https":
        return config.site_base_url
    # http's port is dropped: https uses another one.
    return f"https://{site.hostname}"


def _unsafe_origins(name: str, origins: list[str]) -> list[str]:
    problems = []
    for origin in origins:
        parts = urlsplit(origin)
        why = None if parts.scheme == "https" else f"{origin} is not https"
        if why := why or _not_public(parts.hostname or ""):
            problems.append(f"{name}: {why}; remove it from {name}=")
    return problems


def _unsafe_mail(config: Config) -> list[str]:
    problems = []
    server, login = config.mail_server, (config.mail_username, config.mail_password)
    if server is None:
        problems.append(
            "MAIL_SERVER: is missing; bookings are confirmed by e-mail:"
            " set MAIL_SERVER= to your provider's"
        )
    elif is_reserved_host(server):
        problems.append(
            f"MAIL_SERVER: {server} is an example name; set MAIL_SERVER= to your provider's"
        )
    if config.mail_use_tls and config.mail_use_ssl:
        problems.append(
            "MAIL_USE_SSL: cannot be on together with MAIL_USE_TLS; set MAIL_USE_SSL=false for"
            " port 587, MAIL_USE_TLS=false for 465"
        )
    if not _mail_is_encrypted(config):
        if config.mail_username:
            problems.append(
                "MAIL_USE_TLS: is off, so MAIL_PASSWORD would be sent unencrypted;"
                " set MAIL_USE_TLS=true"
            )
        elif server and not is_private_host(server):
            problems.append(
                f"MAIL_USE_TLS: is off, so names and links would be sent to {server} unencrypted;"
                " set MAIL_USE_TLS=true"
            )
    if all(login) and is_guessable(config.mail_password or "", config.mail_username):
        problems.append(
            "MAIL_PASSWORD: is a placeholder or can be guessed;"
            " set MAIL_PASSWORD= to your provider's, or leave it and MAIL_USERNAME out"
        )
    elif any(login) and not all(login):
        missing = "MAIL_PASSWORD" if config.mail_username else "MAIL_USERNAME"
        problems.append(
            f"{missing}: is missing, and MAIL_USERNAME and MAIL_PASSWORD work only together;"
            f" set {missing}="
        )
    sender_host = config.mail_default_sender.rpartition("@")[2].rstrip(">")
    if _not_public(sender_host):
        problems.append(
            "MAIL_DEFAULT_SENDER: must be a real address of yours;"
            " set MAIL_DEFAULT_SENDER=boxoffice@your-theatre.org"
        )
    for name, host in (
        ("CONTACT_EMAIL", (config.contact_email or "").rpartition("@")[2]),
        ("ALERT_EMAIL", (config.alert_email or "").rpartition("@")[2]),
        ("PRIVACY_URL", urlsplit(config.privacy_url or "").hostname or ""),
    ):
        if is_reserved_host(host):
            problems.append(f"{name}: {host} is an example name; set {name}= to your own")
    return problems


def _mail_is_encrypted(config: Config) -> bool:
    return config.mail_use_tls or config.mail_use_ssl


def _not_public(host: str) -> str | None:
    """Why a host name is not publicly reachable, or None if it is."""
    name = host.casefold()
    if "*" in name or name.startswith("."):
        return f"{host} allows more than one public host name"
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        pass
    else:
        return f"{host} is an IP address, not a public host name"
    if not _HOST_NAME.fullmatch(name) or _NEVER_PUBLIC.search(name):
        return f"{host} is not a public host name"
    return None


def _casefold_all(names: list[str]) -> set[str]:
    return {name.casefold() for name in names}


def _is_a_pattern(text: str) -> bool:
    """Whether a text is a repeated prefix or a sequence such as "abcdef"."""
    repeats = any(
        text == (text[:period] * len(text))[: len(text)] for period in range(1, len(text) // 2 + 1)
    )
    steps = [ord(b) - ord(a) for a, b in pairwise(text)]
    runs = sum(step in (-1, 1) for step in steps) * 2 > len(steps)
    return repeats or runs
