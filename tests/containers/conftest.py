"""The Compose stack in containers, set up by the commands of docs/deployment.md.

`make container-test` runs these; they need a Docker engine, Compose and the base images.
"""

import json
import secrets
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import urllib3
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.e2e.conftest import QUIET, watched
from tests.support.processes import PATIENCE, ROOT, eventually, free_ports
from tests.support.smtp import SmtpServer

HOST = "tickets.azionelab.theatre"
SITE = f"https://{HOST}"
PASSWORD = "correct horse battery staple"
# As in the docs.
COMPOSE = shlex.split("docker compose --env-file .env -f docker/compose.yml")
_TENTATIVE = 0x40  # IFA_F_TENTATIVE, linux/if_addr.h
SERVICES = ("entrance", "nginx", "backend", "worker", "postgres", "backup")

SEASON = """\
[[venue]]
name = "{slug} hall"

[[show]]
slug = "{slug}"
title = "{slug}"

[[performance]]
show = "{slug}"
venue = "{slug} hall"
starts = "+2 days 20:30"
capacity = {capacity}
"""


def run(*command: str | Path, check: bool = True, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a program; its output is kept, and shown when it fails though it should not have."""
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        **({"input": "", "timeout": 4 * PATIENCE} | how),
    )
    if check and done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def new_certificate(folder: Path) -> None:
    """A throw-away certificate for HOST, where the stack looks for it."""
    folder.mkdir(exist_ok=True)
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"),
        *("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"),
        *("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"),
    )
    (folder / "privkey.pem").chmod(0o644)  # nginx in the container is another user


@dataclass(frozen=True)
class Evening:
    """A performance that the stack's programme shows."""

    slug: str
    performance_id: int
    capacity: int


class Stack:
    """A deployment: a folder with .env, secrets and certificate, and a Compose project of its own."""

    def __init__(
        self, folder: Path, name: str, smtp: SmtpServer, source: Path = ROOT, **settings: str
    ) -> None:
        self.folder = folder
        self.name = name
        self.source = source  # the release's folder; another one after an upgrade
        self.overlays: tuple[str, ...] = ()  # of docker/, as compose.http.yml
        self.database = "postgres"  # the service that `sql` asks
        self.http_port, self.https_port = free_ports(2)
        self.env_file = folder / ".env"
        run(source / "docker" / "new-secrets", folder / "secrets")
        earlier_keys = folder / "secrets" / "secret_key_fallbacks"
        earlier_keys.chmod(0o644)
        earlier_keys.write_text(secrets.token_hex(32))
        new_certificate(folder / "certificates")
        shutil.copy(source / ".env.example", self.env_file)
        self.set(
            FLASK_DEBUG="false",
            SITE_BASE_URL=SITE,
            ALLOWED_HOSTS=HOST,
            CSRF_TRUSTED_ORIGINS=SITE,
            MAIL_SERVER="mail",
            MAIL_PORT=str(smtp.port),
            MAIL_USE_TLS="false",
            MAIL_DEFAULT_SENDER="tickets@azionelab.theatre",
            SECRETS_DIR=str(folder / "secrets"),
            CERTIFICATES_DIR=str(folder / "certificates"),
            FORM_MIN_SECONDS="0",  # these visitors type at once
            HTTP_PORT=f"127.0.0.1:{self.http_port}",
            HTTPS_PORT=f"127.0.0.1:{self.https_port}",
            **settings,
        )
        run(source / "docker" / "tag", self.env_file)
        # The mail server is this test's, on the machine that the containers run on.
        self.surroundings = folder / "compose.surroundings.yml"
        self.overlay()

    def overlay(self, **parts: Any) -> None:
        """Say what is different around this stack, as in a compose file. (JSON is YAML.)"""
        services = {"worker": {"extra_hosts": ["mail:host-gateway"]}} | parts.pop("services", {})
        self.surroundings.write_text(json.dumps({"services": services} | parts))

    def set(self, **settings: str) -> None:
        """Change settings in .env, as with an editor."""
        lines = self.env_file.read_text().splitlines()
        for name, value in settings.items():
            places = [i for i, line in enumerate(lines) if line.startswith(f"{name}=")]
            for place in places:
                lines[place] = f"{name}={value}"
            if not places:
                lines.append(f"{name}={value}")
        self.env_file.write_text("\n".join(lines) + "\n")

    def setting(self, name: str) -> str:
        """What .env says."""
        lines = self.env_file.read_text().splitlines()
        return next(x.partition("=")[2] for x in lines if x.startswith(f"{name}="))

    def options(self) -> list[str | Path]:
        """What docker compose needs to know of this stack."""
        return [
            *("--project-name", self.name, "--env-file", self.env_file),
            *(
                part
                for file in ("compose.yml", *self.overlays)
                for part in ("-f", self.source / "docker" / file)
            ),
            *("-f", self.surroundings),
        ]

    def compose(self, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run docker compose as the README writes it."""
        return run("docker", "compose", *self.options(), *arguments, **how)

    def up(self, *arguments: str) -> None:
        """Start what does not run, and wait until all of it is healthy."""
        self.compose(
            "up",
            "--detach",
            "--no-build",
            "--wait",
            "--wait-timeout",
            f"{PATIENCE:.0f}",
            *arguments,
        )

    def flask(self, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run a flask command in a container of its own."""
        return self.compose("run", "--rm", "--no-TTY", "backend", "flask", *arguments, **how)

    def execute(self, service: str, *command: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run a command in a service's running container."""
        return self.compose("exec", "--no-TTY", service, *command, **how)

    def sql(self, query: str) -> str:
        """What the database answers, as its superuser."""
        command = ("psql", "--no-psqlrc", "-U", "postgres", "-d", "azionelab", "-Atc", query)
        return self.execute(self.database, *command).stdout.strip()

    def containers(self, service: str) -> list[dict[str, Any]]:
        """What Docker knows of a service's containers."""
        ids = self.compose("ps", "--all", "--quiet", service).stdout.split()
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", *ids).stdout)
        return found

    def request(
        self, path: str, method: str = "GET", *, port: int | None = None, **how: Any
    ) -> urllib3.BaseHTTPResponse:
        """Ask nginx by HTTPS, as a visitor who does not follow redirects."""
        pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            port or self.https_port,
            server_hostname=HOST,
            assert_hostname=HOST,
            ca_certs=str(self.folder / "certificates" / "fullchain.pem"),
            timeout=PATIENCE,
            retries=False,
        )
        headers = {"Host": HOST, "Accept-Language": "en"} | how.pop("headers", {})
        with pool:
            return pool.request(method, path, headers=headers, redirect=False, **how)

    def healthy(self) -> bool:
        """Whether the whole way from nginx to the database is open."""
        try:
            answer = self.request("/api/health")
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 200

    def wait_until_healthy(self) -> None:
        """Return when the site answers again."""
        eventually(self.healthy, "the site's health")

    def evening(self, capacity: int = 20) -> Evening:
        """Load a season of one performance, with the command that a theatre uses."""
        slug = f"play-{uuid4().hex[:8]}"
        season = SEASON.format(slug=slug, capacity=capacity)
        self.flask("load-season", "/dev/stdin", input=season)
        found = self.sql(
            "SELECT performance.id FROM performance JOIN show ON show.id = show_id"
            f" WHERE slug = '{slug}'"
        )
        return Evening(slug, int(found), capacity)

    def destroy(self) -> None:
        """Remove containers, networks and volumes."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)


@dataclass(frozen=True)
class Deployed:
    """A stack that was taken into production, and what each of the commands printed."""

    stack: Stack
    printed: Mapping[str, str]


@pytest.fixture(scope="session")
def engine() -> Mapping[str, Any]:
    """The Docker engine; without one these tests fail, and say what is missing."""
    for command in (("docker", "info"), ("docker", "compose", "version")):
        try:
            run(*command)
        except (OSError, AssertionError) as error:
            pytest.fail(f"a Docker engine with Compose is needed: {error}")
    network: list[dict[str, Any]] = json.loads(run("docker", "network", "inspect", "bridge").stdout)
    return network[0]


@pytest.fixture(scope="session")
def mail_server(engine: Mapping[str, Any]) -> Iterator[SmtpServer]:
    """A mail server outside of the stack, on the machine that the containers run on."""
    server = SmtpServer(engine["IPAM"]["Config"][0]["Gateway"])
    server.start()
    yield server
    server.stop()


@contextmanager
def prepared(smtp: SmtpServer, source: Path = ROOT, **settings: str) -> Iterator[Stack]:
    """A deployment that is not started yet; it is destroyed in the end."""
    # Closed to others as a whole, for what lies in it has to be readable by the containers.
    folder = Path(tempfile.mkdtemp(prefix="azionelab-stack-"))
    stack = Stack(folder, f"azionelab-{uuid4().hex[:8]}", smtp, source, **settings)
    try:
        yield stack
    finally:
        stack.destroy()
        shutil.rmtree(folder)


@pytest.fixture
def own_stack(deployed: Deployed, mail_server: SmtpServer) -> Iterator[Stack]:
    """A deployment for one test, not started yet; its images are built."""
    with prepared(mail_server) as stack:
        stack.set(AZIONELAB_TAG=deployed.stack.setting("AZIONELAB_TAG"))
        yield stack


@pytest.fixture(scope="session")
def deployed(mail_server: SmtpServer) -> Iterator[Deployed]:
    """A stack, built and started by the commands of docs/deployment.md in their order."""
    with prepared(mail_server) as stack:
        typed = commands("deployment.md", "docker/check-env")
        yield Deployed(stack, {" ".join(command): follow(stack, command) for command in typed})


def commands(page: str, first: str) -> list[list[str]]:
    """What a page of docs has an operator type, in the block of which a line begins with `first`."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (block,) = (part for part in text.split("```\n")[1::2] if f"\n{first}" in f"\n{part}")
    return [shlex.split(line.partition(" < ")[0]) for line in block.splitlines()]


def follow(stack: Stack, typed: list[str]) -> str:
    """Run a command of the docs on this stack; what it printed."""
    # What differs here: nobody types, the names are this stack's, and no authority knows its
    # certificate.
    here = {
        "run": ["run", "--no-TTY"],
        "exec": ["exec", "--no-TTY"],
        "you@theatre.org": ["admin@azionelab.theatre", "--name", "Anna", "--password-file", "-"],
        "https://tickets.theatre.org": [SITE, "--insecure"],
    }
    if typed[: len(COMPOSE)] == COMPOSE:
        command = [part for word in typed[len(COMPOSE) :] for part in here.get(word, [word])]
        given = {"create-admin": f"{PASSWORD}\n", "--deploy": stack.env_file.read_text()}
        done = stack.compose(*command, input="".join(given.get(word, "") for word in typed))
    elif typed == ["docker/new-secrets"]:
        done = run(stack.source / typed[0], stack.folder / "secrets")
    else:
        (script,) = typed
        assert script in {"docker/check-env", "docker/tag"}
        done = run(stack.source / script, stack.env_file)
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def stack(deployed: Deployed) -> Stack:
    """The stack that most tests share: each with an evening of its own, none leaves it broken."""
    return deployed.stack


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as driver:
        yield driver


def _addresses_are_settled() -> bool:
    """Whether none of the machine's IPv6 addresses is still being looked for elsewhere (proc(5), if_inet6)."""
    lines = Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines()
    return not any(int(line.split()[4], 16) & _TENTATIVE for line in lines)


@pytest.fixture
def open_page(playwright: Playwright, browser_path: str) -> Iterator[Callable[[Stack], Page]]:
    """Open a page in a browser that finds HOST at a stack's nginx."""
    browsers: list[Browser] = []

    def open_in(stack: Stack) -> Page:
        # A browser gives up what it loads when an address of the machine changes. Each container's link
        # gets one, and may use it a moment after the container is there.
        eventually(_addresses_are_settled, "the addresses of the containers' links")
        rules = f"MAP {HOST}:443 127.0.0.1:{stack.https_port}"
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=[*QUIET, f"--host-resolver-rules={rules}"]
        )
        browsers.append(browser)
        return watched(
            browser.new_page(
                viewport={"width": 390, "height": 844}, locale="en-GB", ignore_https_errors=True
            )
        )

    yield open_in
    for browser in browsers:
        browser.close()
