"""Operators' mistakes end in a one-line message and damage nothing."""

import pytest

from tests.containers.conftest import Stack, run
from tests.support.processes import eventually


def version_of(stack: Stack) -> str:
    """The version in the tag that docker/tag wrote."""
    return stack.setting("AZIONELAB_TAG").partition("-")[0]


def test_a_missing_secret_file_stops_the_start(own_stack: Stack) -> None:
    stack = own_stack
    (stack.folder / "secrets" / "secret_key").unlink()
    refused = stack.compose("up", "--detach", "--no-build", check=False)
    assert refused.returncode != 0
    assert "secrets/secret_key" in refused.stderr


def test_an_empty_secret_is_named(own_stack: Stack) -> None:
    stack = own_stack
    key = stack.folder / "secrets" / "secret_key"
    key.chmod(0o644)
    key.write_text("")
    refused = stack.compose("run", "--rm", "--no-TTY", "--no-deps", "backend", check=False)
    assert refused.returncode != 0
    assert "SECRET_KEY: is missing" in refused.stderr


@pytest.mark.parametrize(
    ("setting", "value", "output"),
    [
        ("FLASK_DEBUG", "true", "FLASK_DEBUG"),
        ("SITE_BASE_URL", "http://tickets.azionelab.theatre", "SITE_BASE_URL"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS"),
        ("MAIL_SERVER", "", "MAIL_SERVER"),
        ("HOLD_MINUTES", "soon", "HOLD_MINUTES"),
    ],
)
def test_the_backend_does_not_serve_with_an_unsafe_setting(
    own_stack: Stack, setting: str, value: str, output: str
) -> None:
    stack = own_stack
    stack.set(**{setting: value})
    refused = stack.compose("run", "--rm", "--no-TTY", "--no-deps", "backend", check=False)
    assert refused.returncode != 0
    assert output in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_unmigrated_database_is_reported(own_stack: Stack) -> None:
    stack = own_stack
    done = stack.flask("load-season", "seasons/example.toml", check=False)
    assert done.returncode != 0
    assert "run `flask db upgrade`" in done.stderr


def test_a_missing_certificate_is_named_and_may_be_added(own_stack: Stack) -> None:
    stack = own_stack
    key = stack.folder / "certificates" / "privkey.pem"
    key.chmod(0o600)
    aside = key.rename(stack.folder / "aside.pem")
    refused = stack.compose(
        *("up", "--detach", "--no-build", "--no-deps", "--wait", "entrance", "nginx"), check=False
    )
    assert "nginx-1 is unhealthy" in refused.stderr

    def said(problem: str) -> bool:
        return f"privkey.pem {problem}" in stack.compose("logs", "--no-color", "nginx").stdout

    eventually(lambda: said("does not exist"), "nginx to miss its key")
    aside.rename(key)
    eventually(lambda: said("cannot be read by user 101"), "nginx to be refused its key")
    # Several more starts, after which Docker would pause for long.
    eventually(
        lambda: stack.containers("nginx")[0]["RestartCount"] >= 2, "nginx to be started again"
    )
    key.chmod(0o644)
    stack.up("--no-deps", "entrance", "nginx")


def test_the_stack_needs_a_tag(own_stack: Stack) -> None:
    stack = own_stack
    stack.set(AZIONELAB_TAG="")
    refused = stack.compose("config", "--quiet", check=False)
    assert refused.returncode != 0
    assert "run docker/tag" in refused.stderr


@pytest.mark.parametrize("service", ["backend", "nginx", "backup"])
@pytest.mark.parametrize("tag", ["latest", "0.0.1-3f7302fab1c2"])
def test_no_image_is_named_after_another_release(own_stack: Stack, service: str, tag: str) -> None:
    stack = own_stack
    version = version_of(stack)
    stack.set(AZIONELAB_TAG=tag)
    command = ("run", "--rm", "--no-TTY", "--no-deps", "--entrypoint", "true", service)
    refused = stack.compose(*command, check=False)
    assert refused.returncode != 0
    output = refused.stdout + refused.stderr
    assert f"AZIONELAB_TAG={tag}: names no images of {version}" in output
    assert not run("docker", "image", "ls", "--quiet", f"azionelab-{service}:{tag}").stdout


@pytest.mark.parametrize("service", ["backend", "nginx", "backup"])
def test_a_missing_image_is_not_pulled(own_stack: Stack, service: str) -> None:
    stack = own_stack
    missing = f"{version_of(stack)}-missing"
    stack.set(AZIONELAB_TAG=missing)
    refused = stack.compose("up", "--no-build", "--no-deps", service, check=False)
    assert refused.returncode != 0
    assert f"No such image: azionelab-{service}:{missing}" in refused.stderr
    assert "Pulling" not in refused.stderr
