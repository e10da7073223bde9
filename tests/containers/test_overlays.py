"""The Compose overlays are valid, and the local one runs."""

import json
import os
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.containers.conftest import PASSWORD, SITE, Stack, run
from tests.support import journey
from tests.support.processes import ROOT, eventually
from tests.test_config import PRODUCTION

DOCKER = ROOT / "docker"
OVERLAYS = sorted(path.name for path in DOCKER.glob("compose.*.yml"))
# What an overlay cannot do without, and who gets it.
NEEDED = {
    "compose.authority.yml": ("AUTHORITY_FILE", "/srv/authority.pem", "worker"),
    "compose.disposable.yml": ("DISPOSABLE_LIST", "/srv/disposable_domains", "backend"),
    "compose.offsite.yml": ("RESTIC_REPOSITORY", "s3:https://s3.example.org/azionelab", "backup"),
    "compose.sentry.yml": ("SENTRY_DSN", "https://key@sentry.example.org/1", "worker"),
    "compose.upstream-tls.yml": ("UPSTREAM_PROXY", "192.0.2.7", "nginx"),
}


def config(*overlays: str, check: bool = True, **settings: str) -> str:
    """What Compose makes of .env.example and the files; or why it refuses them."""
    done = run(
        *("docker", "compose", "--env-file", ROOT / ".env.example"),
        *(part for name in ("compose.yml", *overlays) for part in ("-f", DOCKER / name)),
        *("config", "--format", "json"),
        env=dict(os.environ) | settings,
        check=check,
    )
    return done.stdout if check else done.stderr


def test_the_example_settings_are_enough_for_the_stack() -> None:
    assert set(json.loads(config())["services"]) == {
        "entrance", "nginx", "backend", "worker", "postgres", "backup",
    }  # fmt: skip


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_valid_and_names_missing_settings(overlay: str) -> None:
    if overlay not in NEEDED:
        config(overlay)
        return
    name, value, service = NEEDED[overlay]
    assert f"required variable {name} is missing" in config(overlay, check=False)
    services = json.loads(config(overlay, **{name: value}))["services"]
    assert value in services[service]["environment"].values()


def test_ports_are_published_over_ipv4_only() -> None:
    ports = json.loads(config(HTTP_PORT="", HTTPS_PORT=""))["services"]["entrance"]["ports"]
    assert [port["published"] for port in ports] == ["80", "443"]
    assert {port.get("host_ip") for port in ports} == {"0.0.0.0"}  # noqa: S104 (by IPv4, and only so)


def test_a_private_certificate_authority_is_trusted(stack: Stack) -> None:
    inside = ("--connect-to", "entrance:8443", "--connect-to-http", "entrance:8080")
    smoke = ("smoke", "--url", SITE, "--public-only", *inside)
    stranger = stack.flask(*smoke, check=False)
    assert "CERTIFICATE_VERIFY_FAILED" in stranger.stdout + stranger.stderr
    stack.set(AUTHORITY_FILE=str(stack.folder / "certificates" / "fullchain.pem"))
    stack.overlays = ("compose.authority.yml",)
    try:
        assert "FAIL" not in stack.flask(*smoke).stdout
    finally:
        stack.set(AUTHORITY_FILE="")
        stack.overlays = ()


def test_the_swarm_example_is_valid() -> None:
    settings = PRODUCTION | {"REGISTRY": "registry.example.org", "AZIONELAB_TAG": "1.0.0"}
    parsed = run(
        *("docker", "stack", "config", "-c", DOCKER / "stack.yml"), env=dict(os.environ) | settings
    )
    assert "registry.example.org/azionelab-backend:1.0.0" in parsed.stdout


def test_one_command_installs_the_local_overlay(
    own_stack: Stack, open_page: Callable[[Stack], Page]
) -> None:
    stack = own_stack
    site = f"http://localhost:{stack.http_port}"
    kept = ("SECRETS_DIR", "HTTP_PORT", "HTTPS_PORT")
    settings = {name: stack.setting(name) for name in kept}
    stack.env_file.write_text((ROOT / ".env.example").read_text(encoding="utf-8"))
    stack.set(**settings)  # port 80 of this machine may be somebody's
    stack.overlays = ("compose.http.yml",)

    def install(*options: str) -> str:
        whose = ("--env-file", stack.env_file, "--project-name", stack.name)
        return run(ROOT / "docker" / "install", *whose, "-f", stack.surroundings, *options).stdout

    # There is no mail server: links are in the log. (The visit that an installation makes has one, too.)
    link = re.compile(re.escape(site) + r"/[a-z]+/bookings/\S+")

    def links() -> set[str]:
        return set(link.findall(stack.compose("logs", "--no-color", "worker").stdout))

    told = install("--http", "--admin", "admin@azionelab.theatre", "--yes")
    invitation = re.search(re.escape(site) + r"/staff/accept/\S+", told)
    assert invitation
    assert f"{site}/admin/\n" in told
    checked = stack.flask("check", "--deploy", check=False).stdout
    assert "BACKUPS: made, and a restore was tried" in checked
    page = open_page(stack)
    page.goto(invitation[0])
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main form button").click()
    expect(page).to_have_url(re.compile("/staff/login|/admin/"))

    # Again it changes nothing; a container that is gone comes back.
    ran = [stack.containers(service)[0]["Id"] for service in ("backend", "nginx")]
    stack.compose("rm", "--stop", "--force", "worker")
    settings_before = stack.env_file.read_text()
    assert "/staff/accept/" not in install("--yes")
    assert [stack.containers(service)[0]["Id"] for service in ("backend", "nginx")] == ran
    assert stack.containers("worker")[0]["State"]["Health"]["Status"] == "healthy"
    assert stack.env_file.read_text() == settings_before

    before = links()
    evening = stack.evening()
    page.goto(f"{site}/performances/{evening.performance_id}/book")
    journey.book(page, "Ada Rossi", "ada@azionelab.org", 2)
    found = eventually(lambda: links() - before, "the mail's link in the log")
    page.goto(found.pop())
    expect(page.get_by_label("Yes, we are coming")).to_be_visible()
