"""Only nginx is reachable from outside, by the entrance's ports, and containers have the least privileges."""

from pathlib import Path
from typing import Any

import pytest

from tests.containers.conftest import SERVICES, Stack, run

OURS = ("nginx", "backend", "worker", "backup")


def networks(container: dict[str, Any], stack: Stack) -> set[str]:
    names = container["NetworkSettings"]["Networks"]
    return {name.removeprefix(f"{stack.name}_") for name in names}


def connects(stack: Stack, service: str, host: str, port: int) -> bool:
    """Whether a container gets a TCP connection."""
    command = ("timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{host}/{port}")
    return stack.execute(service, *command, check=False).returncode == 0


def test_only_the_entrance_publishes_ports(stack: Stack) -> None:
    published = {
        service: {
            int(binding["HostPort"])
            for container in stack.containers(service)
            for bindings in container["NetworkSettings"]["Ports"].values()
            for binding in bindings or []
        }
        for service in SERVICES
    }
    assert published.pop("entrance") == {stack.http_port, stack.https_port}
    assert published == {service: set() for service in SERVICES if service != "entrance"}


def test_who_is_on_which_network(stack: Stack) -> None:
    where = {service: networks(stack.containers(service)[0], stack) for service in SERVICES}
    assert where == {
        "entrance": {"public", "internal"},
        "nginx": {"internal"},
        "backend": {"internal"},
        "worker": {"internal", "mail"},
        "postgres": {"internal"},
        "backup": {"internal"},
    }
    inside = run(
        "docker", "network", "inspect", "-f", "{{.Internal}}", f"{stack.name}_internal"
    ).stdout
    assert inside.strip() == "true"


def test_only_the_worker_gets_out(stack: Stack) -> None:
    port = int(stack.setting("MAIL_PORT"))
    address = stack.execute("worker", "getent", "hosts", "mail").stdout.split()[0]
    assert connects(stack, "worker", address, port)
    for service in ("backend", "backup", "postgres"):
        assert not connects(stack, service, address, port)
        # The same program does connect where it may: it is the network that refuses.
        assert connects(stack, service, "postgres", 5432)


def test_nobody_outside_reaches_the_database_or_gunicorn(stack: Stack) -> None:
    inside = f"{stack.name}_internal"
    for service, port in (("postgres", 5432), ("backend", 8000)):
        address = stack.containers(service)[0]["NetworkSettings"]["Networks"][inside]["IPAddress"]
        program = f"import socket; socket.create_connection(({address!r}, {port}), 3)"
        image = stack.containers("backend")[0]["Config"]["Image"]
        stranger = run(
            *("docker", "run", "--rm", "--network", f"{stack.name}_public"),
            *(image, "python", "-c", program),
            check=False,
        )
        assert stranger.returncode != 0
        neighbour = run(
            *("docker", "run", "--rm", "--network", inside, image, "python", "-c", program)
        )
        assert neighbour.returncode == 0


@pytest.mark.parametrize("service", SERVICES)
def test_no_container_can_do_more_than_it_must(stack: Stack, service: str) -> None:
    for container in stack.containers(service):
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"] > 0
        assert host["PidsLimit"] > 0
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert host["LogConfig"]["Config"] == {"max-file": "5", "max-size": "10m"}
        assert container["State"]["Health"]["Status"] == "healthy"
    status = stack.execute(service, "cat", "/proc/1/status").stdout
    facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    assert "0" not in facts["Uid"].split()
    assert set(facts["CapBnd"].strip()) == {"0"}
    assert set(facts["CapEff"].strip()) == {"0"}


@pytest.mark.parametrize("service", SERVICES)
def test_the_root_file_system_is_read_only(stack: Stack, service: str) -> None:
    refused = stack.execute(service, "sh", "-c", "echo x > /usr/local/bin/x", check=False)
    assert refused.returncode != 0
    assert "Read-only file system" in refused.stderr


def test_no_secret_shows(stack: Stack) -> None:
    secrets = [p.read_text() for p in sorted((stack.folder / "secrets").iterdir())]
    secrets = [secret for secret in secrets if secret]
    assert len(secrets) >= 4
    logs = stack.compose("logs", "--no-color").stdout
    seen = {"logs": logs, "configuration": stack.compose("config").stdout}
    for service in SERVICES:
        for container in stack.containers(service):
            seen[service] = str(container["Config"]) + str(container["Args"])
            seen[f"{service}'s history"] = run(
                "docker", "history", "--no-trunc", container["Config"]["Image"]
            ).stdout
        seen[f"{service}'s processes"] = stack.compose("top", service).stdout
    found = [place for place, text in seen.items() for secret in secrets if secret in text]
    assert found == []
    assert "nginx" in logs


@pytest.mark.parametrize("service", OURS)
def test_images_are_named_after_version_and_commit(stack: Stack, service: str) -> None:
    tag = stack.setting("AZIONELAB_TAG")
    (container, *_) = stack.containers(service)
    assert container["Config"]["Image"] == f"azionelab-{service}:{tag}".replace(
        "azionelab-worker", "azionelab-backend"
    )
    assert container["Config"]["Labels"]["org.opencontainers.image.version"] == tag


@pytest.mark.parametrize("service", OURS)
def test_no_image_has_a_compiler(stack: Stack, service: str) -> None:
    found = stack.execute(service, "sh", "-c", "command -v cc gcc c++ make node; true").stdout
    assert found == ""


def test_the_application_is_no_superuser(stack: Stack) -> None:
    roles = "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = '{}'"
    assert stack.sql(roles.format("azionelab")) == "f"
    assert stack.sql(roles.format("postgres")) == "t"


def test_secret_files_are_closed_to_other_users(stack: Stack) -> None:
    folder: Path = stack.folder / "secrets"
    assert folder.stat().st_mode & 0o077 == 0
