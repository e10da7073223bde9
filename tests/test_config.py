"""Settings: read by name, wrong ones refused by name, production's unsafe ones all at once."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from azionelab import create_app
from azionelab.config import Config, ConfigError, load_config, unsafe_settings

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


def test_two_passwords_for_the_database_are_refused() -> None:
    assert named(problems(DEVELOPMENT | {"DATABASE_PASSWORD": "another"})) == ["DATABASE_PASSWORD"]


def test_a_placeholder_for_the_database_password_is_refused() -> None:
    apart = PRODUCTION | {"DATABASE_URL": "postgresql://azionelab@postgres/azionelab"}
    assert named(problems(apart | {"DATABASE_PASSWORD": "change-me"})) == ["DATABASE_URL"]


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
        ("DATABASE_POOL_SIZE", "0"),
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
        ("LOGIN_RATE_LIMIT", "10 per fortnight"),
        ("MAIL_PORT", "65536"),
        ("MAIL_USE_TLS", "2"),
        ("MAIL_USE_SSL", "ja"),
        ("MAIL_TIMEOUT_SECONDS", "0"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    assert named(problems(DEVELOPMENT | {name: value})) == [name]


def test_an_unreadable_debug_switch_is_off() -> None:
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
        ("SITE_BASE_URL", "http://biglietti.teatro.it"),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", "www.teatro.it"),
        ("ALLOWED_HOSTS", "biglietti.teatro.it, *"),
        ("ALLOWED_HOSTS", "biglietti.teatro.it, .teatro.it"),
        ("CSRF_TRUSTED_ORIGINS", ""),
        ("CSRF_TRUSTED_ORIGINS", "https://www.teatro.it"),
        ("CSRF_TRUSTED_ORIGINS", "https://biglietti.teatro.it, http://teatro.it"),
        ("CORS_ALLOWED_ORIGINS", "http://teatro.it"),
        ("MAIL_SERVER", ""),
        ("MAIL_USE_SSL", "true"),
        ("MAIL_DEFAULT_SENDER", "noreply@localhost"),
        ("MAIL_DEFAULT_SENDER", "box-office@theatre.example"),
        ("MAIL_DEFAULT_SENDER", "Example <you@example.org>"),
        ("DATABASE_URL", "postgresql://azionelab:change-me@postgres/azionelab"),
        ("DATABASE_URL", "postgresql://azionelab:aaaaaaaa@postgres/azionelab"),
    ],
)
def test_production_refuses_an_unsafe_setting_by_name(name: str, value: str) -> None:
    assert name in named(problems(PRODUCTION | {name: value}))


def test_a_password_never_travels_in_the_clear() -> None:
    login = {"MAIL_USERNAME": "box", "MAIL_PASSWORD": "Zt8", "MAIL_USE_TLS": "false"}
    assert named(problems(PRODUCTION | login)) == ["MAIL_USE_TLS"]


@pytest.mark.parametrize("domain", ["locale.it", "devoto.it", "atta.it", "changes.theatre"])
def test_real_domains_are_not_taken_for_placeholders(domain: str) -> None:
    load_config(PRODUCTION | {"MAIL_DEFAULT_SENDER": f"box-office@{domain}"})


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


def test_no_message_and_no_representation_tells_a_secret() -> None:
    secrets = {
        "SECRET_KEY": "change-me-9aTqXv",
        "SECRET_KEY_FALLBACKS": "old-4fWpZr",
        "MAIL_PASSWORD": "mail-7kLmNs",
        "DATABASE_URL": "postgresql://azionelab:secret-2bHjYc@postgres/azionelab",
    }
    told = "\n".join(problems(PRODUCTION | secrets))
    told += repr(load_config(PRODUCTION | secrets | {"FLASK_DEBUG": "true"}))
    for secret in ("9aTqXv", "4fWpZr", "7kLmNs", "2bHjYc"):
        assert secret not in told


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
