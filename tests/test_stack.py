"""docker/stack.yml passes the same settings as Compose, and requires the same ones."""

from typing import Any

import pytest
import yaml

from tests.support.processes import ROOT
from tests.test_config import PRODUCTION


def services(name: str) -> dict[str, dict[str, Any]]:
    """What a file of docker/ says of each service."""
    text = (ROOT / "docker" / name).read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    return found


# A swarm has no container that could run migrations: a person does, and the owner's password stays with them.
MIGRATIONS = {"MIGRATION_DATABASE_URL", "MIGRATION_DATABASE_PASSWORD_FILE"}
# And nothing beside nginx that would hold its ports: a swarm replaces it machine by machine.
ENTRANCE = {"ENTRANCE"}
STACK, COMPOSE = services("stack.yml"), services("compose.yml")


@pytest.mark.parametrize("service", ["nginx", "backend", "worker"])
def test_it_passes_the_same_settings_as_compose(service: str) -> None:
    passed = COMPOSE[service]["environment"].keys() - MIGRATIONS - ENTRANCE
    assert STACK[service]["environment"].keys() == passed


@pytest.mark.parametrize("service", ["backend", "worker"])
def test_it_has_the_same_secrets_as_compose(service: str) -> None:
    wanted = [
        secret for secret in COMPOSE[service]["secrets"] if secret != "database_owner_password"
    ]
    assert STACK[service]["secrets"] == wanted


@pytest.mark.parametrize("service", ["nginx", "backend", "worker"])
def test_a_setting_is_passed_under_its_name(service: str) -> None:
    for name, value in STACK[service]["environment"].items():
        if "$" in value:
            assert value.startswith("${" + name), name


def test_missing_required_settings_are_reported_before_the_start() -> None:
    for name in PRODUCTION.keys() - {"SECRET_KEY"}:
        assert STACK["backend"]["environment"][name].startswith(f"${{{name}:?"), name


def test_its_logs_are_json_whatever_env_says() -> None:
    assert STACK["backend"]["environment"]["LOG_FORMAT"] == "json"
