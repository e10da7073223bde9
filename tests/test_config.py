"""Settings: invalid ones are refused by name; production refuses all unsafe ones at once."""

import re
import secrets
import subprocess
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from psycopg.conninfo import conninfo_to_dict

from azionelab.app import create_app
from azionelab.ops.processes.worker import conninfo
from azionelab.settings.config import Config
from azionelab.settings.loading import ConfigError, load_config
from azionelab.settings.production import advice, unsafe_settings
from tests.support.processes import AS_NO_SUPERUSER, PYTHON, ROOT, clean_environment

DEVELOPMENT = {
    "FLASK_DEBUG": "true",
    "SECRET_KEY": "anything",
    "DATABASE_URL": "postgresql://azionelab:pa%2Fss@db.internal:5433/theatre",
}
PRODUCTION = {
    "SECRET_KEY": "Qm5vX0c2RkpsV3pTQ1h1aE9yTnA4eXQ3RGdLYjRhZQ",
    "DATABASE_URL": "postgresql://azionelab:Nw7f2RqZ8k@postgres/azionelab",
    "SITE_BASE_URL": "https://biglietti.teatro.it",
    "ALLOWED_HOSTS": "biglietti.teatro.it",
    "CSRF_TRUSTED_ORIGINS": "https://biglietti.teatro.it",
    "MAIL_SERVER": "smtp.teatro.it",
    "MAIL_DEFAULT_SENDER": "Biglietteria <biglietteria@teatro.it>",
}


def problems(settings: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        load_config(settings)
    return refusal.value.problems


def named(lines: list[str]) -> list[str]:
    return [line.partition(":")[0] for line in lines]


def test_development_needs_a_key_and_a_database_only() -> None:
    config = load_config(DEVELOPMENT)
    assert config.database_url.password == "pa/ss"
    assert config.database_url.drivername == "postgresql+psycopg"
    assert config.time_zone == ZoneInfo("Europe/Rome")
    assert (config.default_locale, config.hold_minutes, config.mail_server) == ("it", 30, None)
    assert (config.privacy_url, config.contact_email) == (None, None)
    assert named(problems({"FLASK_DEBUG": "true"})) == ["SECRET_KEY", "DATABASE_URL"]


def test_the_database_password_may_come_by_itself(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("pa/ss\n")
    apart = DEVELOPMENT | {"DATABASE_URL": "postgresql://azionelab@postgres/theatre"}
    config = load_config(apart | {"DATABASE_PASSWORD_FILE": str(secret)})
    assert config.database_url.password == "pa/ss"
    assert config.database_url.host == "postgres"


@pytest.mark.parametrize(
    ("hosts", "output"),
    [
        ("one:5433,two:5434", ("one,two", "5433,5434")),
        ("one,two:5434", ("one,two", "5432,5434")),
        ("[2001:db8::1]:5433,[2001:db8::2]", ("2001:db8::1,2001:db8::2", "5433,5432")),
    ],
)
def test_several_hosts_in_libpqs_format(hosts: str, output: tuple[str, str]) -> None:
    url = f"postgresql://azionelab:pa%2Fss@{hosts}/theatre?target_session_attrs=read-write"
    parameters = conninfo_to_dict(
        conninfo(load_config(DEVELOPMENT | {"DATABASE_URL": url}).database_url)
    )
    assert (parameters["host"], parameters["port"]) == output
    assert parameters["password"] == "pa/ss"
    assert parameters["dbname"] == "theatre"
    assert parameters["target_session_attrs"] == "read-write"


def test_two_passwords_for_the_database_are_refused() -> None:
    assert named(problems(DEVELOPMENT | {"DATABASE_PASSWORD": "another"})) == ["DATABASE_PASSWORD"]


def test_a_placeholder_for_the_database_password_is_refused() -> None:
    apart = PRODUCTION | {"DATABASE_URL": "postgresql://azionelab@postgres/azionelab"}
    assert named(problems(apart | {"DATABASE_PASSWORD": "change-me"})) == ["DATABASE_URL"]
    owner = PRODUCTION | {"MIGRATION_DATABASE_URL": "postgresql://owner@postgres/azionelab"}
    assert load_config(owner | {"MIGRATION_DATABASE_PASSWORD": "Nw7f2RqZ8k"}).migration_database_url
    guessed = problems(owner | {"MIGRATION_DATABASE_PASSWORD": "change-me"})
    assert named(guessed) == ["MIGRATION_DATABASE_URL"]


def test_production_takes_safe_settings() -> None:
    config = load_config(PRODUCTION)
    assert not config.debug
    assert unsafe_settings(config) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite:///theatre.db"),
        ("DATABASE_URL", "not an address"),
        ("DATABASE_URL", "postgresql://host:port/name"),
        ("DATABASE_URL", "postgresql://host,other:port/name"),
        ("DATABASE_POOLER", "pgbouncer"),
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_POOL_SIZE", "1"),
        ("DATABASE_POOL_SIZE", "3"),
        ("DATABASE_POOL_SIZE", "101"),
        ("WEB_WORKERS", "0"),
        ("WEB_THREADS", "65"),
        ("SITE_NAME", "Teatro\nBcc: all@theatre.org"),
        ("SITE_NAME", "\u200b"),
        ("SITE_NAME", "x" * 81),
        ("SITE_BASE_URL", "tickets.theatre.org"),
        ("SITE_BASE_URL", "https://tickets.theatre.org/path"),
        ("SITE_BASE_URL", "https://[broken"),
        ("SITE_BASE_URL", "https://theatre.org:99999"),
        ("CSRF_TRUSTED_ORIGINS", "https://a.theatre.org, theatre.org"),
        ("CORS_ALLOWED_ORIGINS", "*"),
        ("PRIVACY_URL", "www.theatre.org/privacy"),
        ("PRIVACY_URL", "javascript:alert(1)"),
        ("PRIVACY_URL", "https://theatre.org/our privacy"),
        ("CONTACT_EMAIL", "theatre.org"),
        ("CONTACT_EMAIL", "Box office <box@theatre.org>"),
        ("TRUSTED_PROXIES", "-1"),
        ("TIME_ZONE", "Europe/Roma"),
        ("TIME_ZONE", "../etc/passwd"),
        ("DEFAULT_LOCALE", "fr"),
        ("HOLD_MINUTES", "half an hour"),
        ("HOLD_MINUTES", "30.5"),
        ("HOLD_MINUTES", "9" * 5000),
        ("HOLD_MINUTES", "٣٠"),
        ("RETENTION_DAYS", "0"),
        ("BOOKING_RATE_LIMIT", "often"),
        ("BOOKING_RATE_LIMIT", "0 per minute"),
        ("LOGIN_RATE_LIMIT", "10 per fortnight"),
        ("LOGIN_RATE_LIMIT", "10 per minute; 0 per day"),
        ("BOX_OFFICE_NETWORKS", "foyer"),
        ("BOX_OFFICE_NETWORKS", "192.0.2.0/33"),
        ("MAIL_SERVER", "smtp.teatro.it:587"),
        ("MAIL_SERVER", "smtp://smtp.teatro.it"),
        ("MAIL_SERVER", "smtp teatro it"),
        ("MAIL_SERVER", "smtp..teatro.it"),
        ("MAIL_SERVER", "192.0.2.256"),
        ("MAIL_SERVER", "[2001:db8::7]"),
        ("MAIL_PORT", "65536"),
        ("MAIL_USE_TLS", "2"),
        ("MAIL_USE_SSL", "ja"),
        ("MAIL_DEFAULT_SENDER", "box.teatro.it"),
        ("MAIL_DEFAULT_SENDER", "@teatro.it"),
        ("MAIL_DEFAULT_SENDER", "a@teatro.it, b@teatro.it"),
        ("MAIL_DEFAULT_SENDER", "a@teatro.it; b@teatro.it"),
        ("MAIL_DEFAULT_SENDER", "A <a@teatro.it>, B <b@teatro.it>"),
        ("MAIL_DEFAULT_SENDER", "<box@teatro.it"),
        ("MAIL_DEFAULT_SENDER", "Box <box@teatro.it"),
        ("MAIL_DEFAULT_SENDER", "Box <box@@teatro.it>"),
        ("MAIL_DEFAULT_SENDER", "Box, office <box@teatro.it>"),
        ("MAIL_DEFAULT_SENDER", "Box: office <box@teatro.it>"),
        ("MAIL_DEFAULT_SENDER", "Box <box office@teatro.it>"),
        ("MAIL_DEFAULT_SENDER", "Box\nBcc: x@y.it <box@teatro.it>"),
        ("MAIL_DEFAULT_SENDER", '"Box\nBcc: x@y.it" <box@teatro.it>'),
        ("MAIL_DEFAULT_SENDER", "noreply@localhost"),
        ("MAIL_TIMEOUT_SECONDS", "0"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    assert named(problems(DEVELOPMENT | {name: value})) == [name]


def test_each_thread_has_a_connection() -> None:
    assert load_config(DEVELOPMENT | {"DATABASE_POOL_SIZE": "4"}).database_pool_size == 4
    assert load_config(DEVELOPMENT).database_pool_size == 4
    assert load_config(DEVELOPMENT | {"WEB_THREADS": "8"}).database_pool_size == 8
    (line,) = problems(DEVELOPMENT | {"WEB_THREADS": "8", "DATABASE_POOL_SIZE": "7"})
    assert line.startswith("DATABASE_POOL_SIZE: 7 ")
    assert "set DATABASE_POOL_SIZE=8" in line


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://biglietti.teatro.it", "biglietti.teatro.it"),
        ("http://biglietti.teatro.it:8080", "biglietti.teatro.it"),
        ("http://localhost", "tickets.your-theatre.org"),
        ("https://10.0.0.5", "tickets.your-theatre.org"),
    ],
)
def test_the_advice_about_addresses_is_valid(address: str, host: str) -> None:
    hosts = {"ALLOWED_HOSTS": "", "CSRF_TRUSTED_ORIGINS": ""}
    output = problems(PRODUCTION | hosts | {"SITE_BASE_URL": address})
    assert [line.partition("; ")[2].removeprefix("set ") for line in output] == [
        f"the public address as SITE_BASE_URL=https://{host}",
        f"ALLOWED_HOSTS={host}",
        f"CSRF_TRUSTED_ORIGINS=https://{host}",
    ]
    advised = {"ALLOWED_HOSTS": host, "CSRF_TRUSTED_ORIGINS": f"https://{host}"}
    load_config(PRODUCTION | advised | {"SITE_BASE_URL": f"https://{host}"})


def test_an_invalid_debug_value_is_off() -> None:
    assert named(problems(DEVELOPMENT | {"FLASK_DEBUG": "perhaps"}))[0] == "FLASK_DEBUG"
    assert named(problems(PRODUCTION | {"FLASK_DEBUG": "perhaps"})) == ["FLASK_DEBUG"]


def test_wrong_values_are_named_all_at_once() -> None:
    wrong = {"HOLD_MINUTES": "x", "MAIL_PORT": "y", "TIME_ZONE": "z", "SECRET_KEY": ""}
    assert named(problems(DEVELOPMENT | wrong)) == [
        "SECRET_KEY", "TIME_ZONE", "HOLD_MINUTES", "MAIL_PORT",
    ]  # fmt: skip


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "mail_password"
    secret.write_text("from the file\n", encoding="utf-8")
    config = load_config(DEVELOPMENT | {"MAIL_PASSWORD_FILE": str(secret)})
    assert config.mail_password == "from the file"


def test_a_file_and_a_value_contradict_each_other(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("from the file", encoding="utf-8")
    assert problems(DEVELOPMENT | {"SECRET_KEY_FILE": str(secret)}) == [
        "SECRET_KEY: is set, and SECRET_KEY_FILE too; keep one"
    ]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    secret = tmp_path / "key"
    if content:
        secret.write_bytes(content)
    settings = {**DEVELOPMENT, "SECRET_KEY": "", "SECRET_KEY_FILE": str(secret)}
    assert named(problems(settings)) == ["SECRET_KEY_FILE"]


def test_an_unreadable_file_is_reported_with_its_remedy(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.touch(mode=0)
    script = (
        "import os; from azionelab.settings.loading import load_config; load_config(os.environ)"
    )
    done = subprocess.run(
        [*AS_NO_SUPERUSER, PYTHON, "-c", script],
        cwd=ROOT,
        env=clean_environment(DEVELOPMENT | {"SECRET_KEY": "", "SECRET_KEY_FILE": str(secret)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"SECRET_KEY_FILE: cannot read {secret} (PermissionError); every" in done.stderr
    assert "docker/new-secrets" in done.stderr


def test_an_empty_file_is_a_missing_setting(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n", encoding="utf-8")
    settings = {**DEVELOPMENT, "SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "key")}
    assert problems(settings) == ["SECRET_KEY: is missing"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "change-me-to-a-long-random-string-of-letters"),
        ("SECRET_KEY", "a" * 64),
        ("SECRET_KEY_FALLBACKS", "an-old-one"),
        ("SECRET_KEY", "Qm5vX0c2" * 6),
        ("SECRET_KEY", "Qm5vX0c2RkpsV3pTQ1" * 2 + "Qm5v"),
        ("SECRET_KEY", "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("SECRET_KEY", "ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210"),
        ("SECRET_KEY_FALLBACKS", "Qm5vX0c2" * 6),
        ("SITE_BASE_URL", "http://biglietti.teatro.it"),
        ("SITE_BASE_URL", "https://localhost"),
        ("SITE_BASE_URL", "https://example.com"),
        ("SITE_BASE_URL", "https://tickets.example.org"),
        ("SITE_BASE_URL", "https://site.example"),
        ("SITE_BASE_URL", "https://site.test"),
        ("SITE_BASE_URL", "https://backend"),
        ("SITE_BASE_URL", "https://203.0.113.7"),
        ("SITE_BASE_URL", "https://[2001:db8::7]"),
        ("ALLOWED_HOSTS", "biglietti.teatro.it, *.teatro.it"),
        ("ALLOWED_HOSTS", "biglietti.teatro.it, localhost"),
        ("ALLOWED_HOSTS", "biglietti.teatro.it, 127.0.0.1"),
        ("ALLOWED_HOSTS", "biglietti.teatro.it:443"),
        ("ALLOWED_HOSTS", "biglietti.teatro.it, www.example.com"),
        ("CSRF_TRUSTED_ORIGINS", "https://biglietti.teatro.it, https://localhost"),
        ("CSRF_TRUSTED_ORIGINS", "https://biglietti.teatro.it, https://10.0.0.5"),
        ("CSRF_TRUSTED_ORIGINS", "https://biglietti.teatro.it:8443"),
        ("CORS_ALLOWED_ORIGINS", "https://localhost:4200"),
        ("CORS_ALLOWED_ORIGINS", "https://app.site.example"),
        ("MAIL_SERVER", "smtp.example.org"),
        ("MAIL_SERVER", "mail.site.test"),
        ("MAIL_USE_TLS", "false"),
        ("MAIL_PASSWORD", "Zt8vQw1xPk"),
        ("MAIL_USERNAME", "biglietteria"),
        ("CONTACT_EMAIL", "box@theatre.example"),
        ("PRIVACY_URL", "https://www.example.com/privacy"),
        ("DATABASE_URL", "postgresql://azionelab:azionelab@postgres/tickets"),
        ("DATABASE_URL", "postgresql://azionelab:Tickets_db@postgres/tickets_db"),
        ("DATABASE_URL", "postgresql://azionelab:password@postgres/azionelab"),
        ("DATABASE_URL", "postgresql://azionelab:12345678@postgres/azionelab"),
        ("DATABASE_URL", "postgresql://azionelab:qwertyuiop@postgres/azionelab"),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", "www.teatro.it"),
        ("ALLOWED_HOSTS", "biglietti.teatro.it, *"),
        ("ALLOWED_HOSTS", "biglietti.teatro.it, .teatro.it"),
        ("CSRF_TRUSTED_ORIGINS", ""),
        ("CSRF_TRUSTED_ORIGINS", "https://www.teatro.it"),
        ("CSRF_TRUSTED_ORIGINS", "https://biglietti.teatro.it, http://teatro.it"),
        ("CORS_ALLOWED_ORIGINS", "http://teatro.it"),
        ("EMBED_ORIGINS", "http://teatro.it"),
        ("MAIL_SERVER", ""),
        ("MAIL_USE_SSL", "true"),
        ("MAIL_DEFAULT_SENDER", "box-office@theatre.example"),
        ("MAIL_DEFAULT_SENDER", "Example <you@example.org>"),
        ("DATABASE_URL", "postgresql://azionelab:change-me@postgres/azionelab"),
        ("DATABASE_URL", "postgresql://azionelab:aaaaaaaa@postgres/azionelab"),
    ],
)
def test_production_refuses_an_unsafe_setting_by_name(name: str, value: str) -> None:
    # Half of an account is told by the half that is missing.
    halves = {"MAIL_PASSWORD": "MAIL_USERNAME", "MAIL_USERNAME": "MAIL_PASSWORD"}
    output = problems(PRODUCTION | {name: value})
    assert halves.get(name, name) in named(output)
    for line in output:
        assert re.search(r" [A-Z_]+=", line), "the line to change"


def test_a_password_never_travels_in_the_clear() -> None:
    login = {"MAIL_USERNAME": "box", "MAIL_PASSWORD": "Zt8vQw1xPk", "MAIL_USE_TLS": "false"}
    assert named(problems(PRODUCTION | login)) == ["MAIL_USE_TLS"]


@pytest.mark.parametrize(
    "password", ["change-me", "password", "Password1", "box-office", "aaaaaaaa"]
)
def test_a_placeholder_for_the_mail_password_is_refused(password: str) -> None:
    login = {"MAIL_USERNAME": "box-office", "MAIL_PASSWORD": password}
    assert named(problems(PRODUCTION | login)) == ["MAIL_PASSWORD"]


@pytest.mark.parametrize("server", ["mail", "localhost", "10.1.2.3", "::1", "relay.internal"])
def test_unencrypted_mail_on_a_private_network_is_a_warning(server: str) -> None:
    plain = {"MAIL_SERVER": server, "MAIL_USE_TLS": "false"}
    assert "MAIL_USE_TLS" in named(advice(load_config(PRODUCTION | plain)))
    assert "MAIL_USE_TLS" not in named(advice(load_config(PRODUCTION | {"MAIL_SERVER": server})))


COMPLETE = PRODUCTION | {
    "PRIVACY_URL": "https://www.teatro.it/privacy",
    "CONTACT_EMAIL": "biglietteria@teatro.it",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CSRF_TRUSTED_ORIGINS", "https://biglietti.teatro.it, https://www.teatro.it"),
        ("MAIL_PORT", "465"),
        ("PRIVACY_URL", ""),
        ("CONTACT_EMAIL", ""),
        ("DATABASE_URL", "postgresql://azionelab:Nw7f2RqZ8k@db.provider.com/azionelab"),
        ("DATABASE_URL", "postgresql://azionelab:Nw7f2RqZ8k@8.8.8.8/azionelab?sslmode=require"),
    ],
)
def test_unusual_values_are_accepted_with_a_warning(name: str, value: str) -> None:
    assert advice(load_config(COMPLETE)) == []
    assert named(advice(load_config(COMPLETE | {name: value}))) == [name]


def test_random_keys_are_accepted() -> None:
    for _ in range(200):
        load_config(PRODUCTION | {"SECRET_KEY": secrets.token_urlsafe(48)})
        load_config(PRODUCTION | {"SECRET_KEY": secrets.token_hex(32)})


@pytest.mark.parametrize("domain", ["locale.it", "devoto.it", "atta.it", "changes.theatre"])
def test_real_domains_are_not_placeholders(domain: str) -> None:
    load_config(PRODUCTION | {"MAIL_DEFAULT_SENDER": f"box-office@{domain}"})


@pytest.mark.parametrize(
    "sender",
    [
        "biglietteria@teatro.it",
        "<biglietteria@teatro.it>",
        "Così è (se vi pare) <biglietteria@teatro.it>",
        "Teatro O.K.<biglietteria@teatro.it>",
        '"Caffè, teatro \\"Da Ada\\"" <biglietteria@teatro.it>',
        "Caffè <biglietteria@caffè.it>",
    ],
)
def test_mails_may_be_from_an_address_with_a_name(sender: str) -> None:
    settings = DEVELOPMENT | {"MAIL_DEFAULT_SENDER": sender}
    assert load_config(settings).mail_default_sender == sender


@pytest.mark.parametrize(
    "server",
    ["mailserver", "mail_server", "mail.teatro.it", "mail.teatro.it.", "192.0.2.1", "2001:db8::7"],
)
def test_a_mail_server_is_a_name_or_an_address(server: str) -> None:
    assert load_config(PRODUCTION | {"MAIL_SERVER": server}).mail_server == server


def test_production_without_settings_names_every_one_it_needs() -> None:
    assert named(problems({})) == [
        "SECRET_KEY",
        "DATABASE_URL",
        "SITE_BASE_URL",
        "MAIL_DEFAULT_SENDER",
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "MAIL_SERVER",
    ]


def test_unreadable_and_unsafe_settings_are_named_together() -> None:
    settings = PRODUCTION | {"HOLD_MINUTES": "x", "SECRET_KEY": "short", "MAIL_PORT": "0"}
    assert named(problems(settings)) == ["HOLD_MINUTES", "MAIL_PORT", "SECRET_KEY"]


def test_no_message_or_repr_shows_a_secret() -> None:
    told_nowhere = {
        "SECRET_KEY": "change-me-9aTqXv",
        "SECRET_KEY_FALLBACKS": "old-4fWpZr",
        "MAIL_PASSWORD": "mail-7kLmNs",
        "DATABASE_URL": "postgresql://azionelab:secret-2bHjYc@postgres/azionelab",
    }
    output = "\n".join(problems(PRODUCTION | told_nowhere))
    output += repr(load_config(PRODUCTION | told_nowhere | {"FLASK_DEBUG": "true"}))
    for secret in ("9aTqXv", "4fWpZr", "7kLmNs", "2bHjYc"):
        assert secret not in output


def test_the_application_does_not_start_with_wrong_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "false")
    monkeypatch.setenv("SECRET_KEY", "short")
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        create_app()


def test_cookies_are_for_https_only_when_the_site_is() -> None:
    def settings(config: Config) -> tuple[object, object]:
        flask = config.flask_settings()
        return flask["SESSION_COOKIE_SECURE"], flask["SESSION_COOKIE_NAME"]

    assert settings(load_config(PRODUCTION)) == (True, "__Host-session")
    assert settings(load_config(DEVELOPMENT)) == (False, "session")
