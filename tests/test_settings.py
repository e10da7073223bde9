"""Every setting with a wrong, an extreme and an empty value: refused by name, reported, or accepted.

"told" is what `flask check --deploy` tells a person to look at. A setting that is missing here fails.
"""

import os
import runpy
import subprocess
from pathlib import Path

import pytest
from azionelab_backup import BackupError
from azionelab_backup.settings import read_settings

from azionelab.ops.checks.deployment import check
from azionelab.ops.checks.unusual_settings import read_env_file, unusual_settings
from azionelab.settings.loading import ConfigError, load_config
from tests.support.processes import ROOT, clean_environment
from tests.test_check_env import check_env
from tests.test_config import COMPLETE

NAMES = read_env_file((ROOT / ".env.example").read_text(encoding="utf-8")).keys()
BASE = COMPLETE | {
    "TRUSTED_PROXIES": "1",
    "MAIL_USERNAME": "biglietteria",
    "MAIL_PASSWORD": "Zt8vQw1xPk",
    "RESTIC_REPOSITORY": "",
    "AZIONELAB_TAG": "0.4.0-3f7302fab1c2",
}
HOSTS = ",".join(["biglietti.teatro.it", *(f"h{n}.teatro.it" for n in range(99))])
KEYS = ",".join(f"{n:02}x0c2RkpsV3pTQ1h1aE9yTnA4eXQ3RGdLYjRhZQ" for n in range(11))
LONG = "x" * 300

# Wrong, extreme, empty.
TABLE = {
    "SECOND_FACTOR_REQUIRED": (
        "manager refused",
        "admin,staff,box_office,door,read_only fine",
        "fine",
    ),
    "FLASK_DEBUG": ("perhaps refused", "true refused", "fine"),
    "SECRET_KEY": ("short refused", f"{'a' * 10_000} refused", "refused"),
    "SECRET_KEY_FALLBACKS": ("an-old-one refused", f"{KEYS} told", "fine"),
    "DATABASE_URL": (
        "sqlite:///theatre.db refused",
        "postgresql://azionelab:Nw7f2RqZ8k@db.provider.com/azionelab told",
        "refused",
    ),
    # DATABASE_URL holds one here.
    "DATABASE_PASSWORD": ("change-me refused", f"{LONG} refused", "fine"),
    "MIGRATION_DATABASE_URL": (
        "sqlite:///theatre.db refused",
        "postgresql://owner:Nw7f2RqZ8k@db.provider.com/azionelab fine",
        "fine",
    ),
    "MIGRATION_DATABASE_PASSWORD": ("change-me fine", f"{LONG} fine", "fine"),
    "DATABASE_POOLER": ("pgbouncer refused", "true fine", "fine"),
    "DATABASE_POOL_SIZE": ("1 refused", "100 told", "fine"),
    "SITE_BASE_URL": ("tickets.theatre.org refused", f"https://{LONG}.it refused", "refused"),
    "SITE_NAME": ("\u200b refused", f"{'x' * 80} told", "fine"),
    "PRIVACY_URL": ("www.teatro.it refused", f"https://www.teatro.it/{LONG} fine", "told"),
    "CONTACT_EMAIL": ("teatro.it refused", f"{LONG}@teatro.it refused", "told"),
    "ALERT_EMAIL": ("teatro.it refused", f"{LONG}@teatro.it refused", "fine"),
    "ALLOWED_HOSTS": ("* refused", f"{HOSTS} fine", "refused"),
    "CSRF_TRUSTED_ORIGINS": (
        "http://biglietti.teatro.it refused",
        "https://biglietti.teatro.it,https://www.teatro.it told",
        "refused",
    ),
    "CORS_ALLOWED_ORIGINS": ("* refused", "https://a.teatro.it,https://b.teatro.it fine", "fine"),
    "EMBED_ORIGINS": ("* refused", "https://www.teatro.it,https://teatro.it fine", "fine"),
    "TRUSTED_PROXIES": ("one refused", "5 told", "refused"),
    "TIME_ZONE": ("Europe/Roma refused", "Etc/GMT+12 told", "fine"),
    "DEFAULT_LOCALE": ("fr refused", "IT refused", "fine"),
    "HOLD_MINUTES": ("soon refused", "10080 told", "fine"),
    "RETENTION_DAYS": ("0 refused", "3650 told", "fine"),
    "UNCONFIRMED_RETENTION_DAYS": ("0 refused", "3650 told", "fine"),
    "DATA_CONTROLLER": ("\u200b refused", f"{'x' * 200} fine", "fine"),
    "ACCESSIBILITY_LIMITS": ("\u200b refused", f"{'x' * 500} fine", "fine"),
    "ENFORCEMENT_BODY": ("\u200b refused", f"{LONG} refused", "fine"),
    "WAITLIST_OFFER_HOURS": ("0 refused", "168 fine", "fine"),
    "LATE_HOLD_MINUTES": ("-1 refused", "60 fine", "fine"),
    "REMINDER_HOURS": ("soon refused", "169 refused", "fine"),
    "CONFIRM_AGAIN_HOURS": ("157 refused", "156 fine", "fine"),
    "NIGHT_BEGINS": ("24 refused", "0 fine", "fine"),
    "NIGHT_ENDS": ("late refused", "23 fine", "fine"),
    "PAGE_CACHE_SECONDS": ("-1 refused", "60 told", "fine"),
    "BOOKING_RATE_LIMIT": ("often refused", "1000000 per second told", "fine"),
    "LOGIN_RATE_LIMIT": ("0 per minute refused", "1 per day told", "fine"),
    "MAILBOX_RATE_LIMIT": ("some refused", "1000 per minute told", "fine"),
    "UNCONFIRMED_SEATS_PER_NETWORK": ("none refused", "100000 told", "fine"),
    "UNCONFIRMED_PERCENT_PER_NETWORK": ("34% refused", "100 told", "fine"),
    "UNCONFIRMED_PERCENT": ("half refused", "1 told", "fine"),
    "PROOF_ABOVE_BOOKINGS": ("many refused", "100000 told", "fine"),
    "UNPROVEN_BOOKING_LIMIT": ("some refused", "1000000 per minute told", "fine"),
    "QUEUE_ABOVE_BOOKINGS": ("many refused", "100000 told", "fine"),
    "FORM_MIN_SECONDS": ("soon refused", "60 told", "fine"),
    "BOX_OFFICE_NETWORKS": ("foyer refused", "0.0.0.0/0 told", "fine"),
    "DISPOSABLE_DOMAINS": (
        "not_a_domain refused",
        f"{','.join(f'n{n}.example.com' for n in range(5_000))} fine",
        "fine",
    ),
    "DISPOSABLE_LIST": ("list.txt refused", "/nowhere.txt refused", "fine"),
    "MAIL_SERVER": ("smtp teatro it refused", f"{LONG} refused", "refused"),
    "MAIL_PORT": ("0 refused", "65535 told", "fine"),
    "MAIL_USE_TLS": ("ja refused", "false refused", "fine"),
    "MAIL_USE_SSL": ("ja refused", "true refused", "fine"),
    # Only the server knows which are right.
    "MAIL_USERNAME": ("nobody fine", f"{LONG} fine", "refused"),
    "MAIL_PASSWORD": ("password refused", f"{LONG} refused", "refused"),
    "MAIL_DEFAULT_SENDER": ("box.teatro.it refused", f"{LONG}@teatro.it refused", "refused"),
    "MAIL_TIMEOUT_SECONDS": ("0 refused", "300 told", "fine"),
    "MAIL_DOMAIN_CHECK": ("dns.teatro.it refused", "9.9.9.9 fine", "fine"),
    "APPLE_PASS": ("certificate refused", f"{LONG} refused", "fine"),
    "GOOGLE_WALLET_KEY": ("{} refused", f"{LONG} refused", "fine"),
    "GOOGLE_WALLET_ISSUER": ("theatre refused", "3388000000012345678 told", "fine"),
    "FRONTEND_DIST": ("/nowhere refused", "/ refused", "fine"),
    # Without it there are no pictures, and everything else works: `flask check` says so.
    "MEDIA_DIR": ("/nowhere fine", "/ fine", "fine"),
    "UPLOAD_MAX_MB": ("0 refused", "25 told", "fine"),
    "UPLOAD_MAX_MEGAPIXELS": ("many refused", "120 told", "fine"),
    "PORT": ("eighty refused", "65536 refused", "fine"),
    "GUNICORN_BIND": ("nonsense refused", "0.0.0.0:65536 refused", "fine"),
    "WEB_WORKERS": ("two refused", "64 told", "fine"),
    "WEB_THREADS": ("four refused", "64 told", "fine"),
    "LOG_LEVEL": ("loud refused", "debug told", "fine"),
    "LOG_FORMAT": ("xml refused", "json fine", "fine"),
    "SENTRY_DSN": ("sentry refused", "https://sentry.theatre.org refused", "fine"),
    "GIT_COMMIT": ("none fine", f"{LONG} fine", "fine"),
    "AZIONELAB_TAG": ("a b refused", f"{LONG} refused", "refused"),
    "BACKEND_CONTAINERS": ("many refused", "64 told", "fine"),
    "WORKER_CONTAINERS": ("0 refused", "64 told", "fine"),
    "SECRETS_DIR": ("secrets refused", "/nowhere refused", "fine"),
    "CERTIFICATES_DIR": ("certificates refused", "/nowhere refused", "fine"),
    "ACME_DIR": ("acme refused", "/a:b refused", "fine"),
    "HTTP_PORT": ("abc refused", "0.0.0.0:65536 refused", "fine"),
    "HTTPS_PORT": ("abc refused", "8443 told", "fine"),
    "PUBLIC_PORT": ("https refused", "65536 refused", "fine"),
    "HSTS_SECONDS": ("a year refused", "999999999 told", "fine"),
    "BOOKING_RATE": ("often refused", "999999 per second told", "fine"),
    "LOGIN_RATE": ("0 per minute refused", "1 per minute told", "fine"),
    "API_RATE": ("5r/s refused", "1 per minute told", "fine"),
    "DOOR_RATE": ("all refused", "1 per minute told", "fine"),
    "AUTHORITY_FILE": ("authority.pem refused", "/nowhere.pem refused", "fine"),
    "UPSTREAM_PROXY": ("proxy refused", "0.0.0.0/0 told", "refused"),
    "POSTGRES_IMAGE": ("postgres 17 refused", "postgres:18 refused", "fine"),
    "BACKUP_AT": ("4 am refused", "24:00 refused", "fine"),
    "VERIFY_DAY": ("someday refused", "never told", "fine"),
    "BACKUP_KEEP_DAYS": ("0 refused", "9999 told", "fine"),
    "BACKUP_KEEP_WEEKS": ("-1 refused", "9999 told", "fine"),
    "BACKUP_KEEP_MONTHS": ("ten refused", "9999 told", "fine"),
    "RESTIC_REPOSITORY": ("somewhere refused", "sftp:host:/folder refused", "fine"),
    # Only the place knows which are right.
    "AWS_ACCESS_KEY_ID": ("nobody fine", f"{LONG} fine", "fine"),
    "B2_ACCOUNT_ID": ("nobody fine", f"{LONG} fine", "fine"),
    "AZURE_ACCOUNT_NAME": ("nobody fine", f"{LONG} fine", "fine"),
    "RESTIC_REST_USERNAME": ("nobody fine", f"{LONG} fine", "fine"),
    "PROMETHEUS_PORT": ("abc refused", "65536 refused", "fine"),
    "GRAFANA_PORT": ("0.0.0.0:3000 refused", "65536 refused", "fine"),
}
CASES = {
    f"{name}-{kind}": (name, *(case.rpartition(" ")[::2]))
    for name, cases in TABLE.items()
    for kind, case in zip(("wrong", "extreme", "empty"), cases, strict=True)
}


def test_every_setting_is_in_the_table() -> None:
    assert TABLE.keys() == NAMES


@pytest.mark.parametrize("case", CASES)
def test_a_value_is_refused_reported_or_accepted(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, value, expected = CASES[case]
    (tmp_path / ".vite").mkdir()
    (tmp_path / ".vite" / "manifest.json").write_text("{}", encoding="utf-8")
    settings = BASE | {"FRONTEND_DIST": str(tmp_path)} | {name: value}
    if case == "FRONTEND_DIST-empty":
        settings[name] = str(tmp_path)  # its default is built, or not
    refused = [
        *_by_the_application(settings),
        *_by_gunicorn(settings, tmp_path, monkeypatch),
        *_by_nginx(settings),
        *_by_the_backups(settings),
        *_by_compose(settings, tmp_path / "env"),
    ]
    output = [] if refused else _told(settings)
    lines = [line for line in (*refused, *output) if line.startswith(f"{name}: ")]
    verdict = "fine" if not lines else "refused" if refused else "told"
    assert verdict == expected, (refused, output)
    # Nothing else is blamed: a setting is called by its own name.
    if expected == "fine":
        assert refused == []


def _by_the_application(settings: dict[str, str]) -> list[str]:
    try:
        config = load_config(settings)
    except ConfigError as error:
        return error.problems
    findings = check(config, deploy=True, serving=True)
    return [finding.text for finding in findings if finding.verdict == "FAIL"]


def _by_gunicorn(
    settings: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    with monkeypatch.context() as patch:
        for name in (
            "PORT",
            "GUNICORN_BIND",
            "WEB_WORKERS",
            "WEB_THREADS",
            "LOG_LEVEL",
            "LOG_FORMAT",
        ):
            patch.setenv(name, settings.get(name, ""))
        counts = folder / f"azionelab-counts-{os.getpid()}-x"
        patch.setenv("PROMETHEUS_MULTIPROC_DIR", str(counts))
        try:
            runpy.run_path(str(ROOT / "gunicorn.conf.py"))
        except SystemExit as refusal:
            return str(refusal).splitlines()
    return []


def _by_nginx(settings: dict[str, str]) -> list[str]:
    given = {"UPSTREAM_PROXY": "192.0.2.1"} | {k: v for k, v in settings.items() if v.isprintable()}
    # It ends before it would look for nginx.
    ours = {"SERVE": "upstream", "RUN_DIR": "/proc/nginx"}
    done = subprocess.run(
        ["docker/nginx/start.sh", "true"],
        cwd=ROOT,
        env=clean_environment(given | ours),
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in done.stderr.splitlines() if not line.startswith("/proc: ")]


def _by_the_backups(settings: dict[str, str]) -> list[str]:
    if not settings["DATABASE_URL"] or settings.get("DATABASE_PASSWORD"):
        return []
    secret = {"RESTIC_PASSWORD": "x"} if settings["RESTIC_REPOSITORY"] else {}
    try:
        read_settings(settings | secret)
    except BackupError as refusal:
        return str(refusal).removeprefix("wrong settings: ").split("; ")
    return []


def _by_compose(settings: dict[str, str], file: Path) -> list[str]:
    file.write_text("".join(f"{k}={v}\n" for k, v in settings.items()), encoding="utf-8")
    done = check_env(file)
    assert (done.returncode == 1) is bool(done.stderr), done
    return done.stderr.splitlines()


def _told(settings: dict[str, str]) -> list[str]:
    findings = check(load_config(settings), deploy=True, serving=True)
    remarks = [finding.text for finding in findings if finding.verdict == "look"]
    return [*remarks, *unusual_settings({}, settings)]
