"""docker/upgrade's own rules, with a `docker` that only notes what it is asked; tests/containers has the real one."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import ROOT, clean_environment

# No container runs, and each that is made is healthy. `missing` says that there are no images, `broken` what fails.
DOCKER = """\
#!/bin/sh
cd "$(dirname "$0")"
printf '%s\\n' "$*" >> asked
[ ! -e broken ] || case $* in *"$(cat broken)"*) exit 1 ;; esac
case $* in
    *"config --hash"*) printf '%s x\\n' backend nginx worker backup entrance $(cat others 2> /dev/null) ;;
    *config) printf 'name: theatre\\n' ;;
    "image inspect"*) [ ! -e missing ] ;;
    "load "*) rm -f missing ;;
    "ps "*config_files*) cat overlays 2> /dev/null ;;
    inspect*) echo running 0 healthy ;;
    *"flask smoke"*) echo all of it removed ;;
esac
"""


class Checkout:
    """A checkout with two releases, v1 checked out."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "site"
        self.fake = folder / "bin"
        self.fake.mkdir()
        (self.fake / "docker").write_text(DOCKER)
        (self.fake / "docker").chmod(0o755)
        (self.root / "docker").mkdir(parents=True)
        for name in ("upgrade", "steps.sh", "tag"):
            shutil.copy(ROOT / "docker" / name, self.root / "docker")
        (self.root / "docker" / "new-secrets").write_text("#!/bin/sh\n")
        (self.root / "docker" / "new-secrets").chmod(0o755)
        (self.root / ".gitignore").write_text(".env\n")
        self.env_file = self.root / ".env"
        self.env_file.write_text("AZIONELAB_TAG=\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        for number in (1, 2):
            (self.root / "pyproject.toml").write_text(f'version = "{number}"\n')
            self.git("add", ".")
            self.git(
                *("-c", "user.name=Anna", "-c", "user.email=anna@azionelab.org"),
                *("commit", "--quiet", "--message", f"Release {number}"),
            )
            self.git("tag", f"v{number}")
        self.git("checkout", "--quiet", "-b", "ours", "v1")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", self.root, *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def upgrade(self, *options: str | Path) -> subprocess.CompletedProcess[str]:
        path = f"{self.fake}:{os.environ['PATH']}"
        return subprocess.run(
            [self.root / "docker" / "upgrade", *options],
            env=clean_environment({}) | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    def say(self, name: str, text: str = "") -> None:
        """Tell the docker of this test how it is."""
        (self.fake / name).write_text(text)

    @property
    def asked(self) -> list[str]:
        """What docker was asked."""
        file = self.fake / "asked"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_two_at_once_are_refused(checkout: Checkout) -> None:
    folder = os.open(checkout.root / "docker", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        refused = checkout.upgrade()
    finally:
        os.close(folder)
    assert refused.returncode == 1
    assert "docker/install or docker/upgrade is at work in this folder already" in refused.stderr
    assert checkout.asked == []
    assert checkout.upgrade().returncode == 0


def test_an_overlay_in_use_that_is_gone_is_named(checkout: Checkout) -> None:
    checkout.say("overlays", "/srv/site/docker/compose.yml,/srv/own/compose.lights.yml\n")
    ended = checkout.upgrade()
    assert ended.returncode == 1
    assert "the overlay /srv/own/compose.lights.yml is not there; name those" in ended.stdout
    assert not [line for line in checkout.asked if " up " in line]
    # Those that are named are taken instead.
    own = checkout.root / "docker" / "compose.sound.yml"
    own.touch()
    assert checkout.upgrade("-f", own).returncode == 0
    assert any(f"-f {own}" in line for line in checkout.asked)


@pytest.mark.parametrize("name", [lambda _: "v2", lambda commit: f"2-{commit}"])
def test_a_version_is_checked_out(checkout: Checkout, name: Callable[[str], str]) -> None:
    commit = checkout.git("rev-parse", "--short=12", "v2")
    ended = checkout.upgrade("--to", name(commit))
    assert ended.returncode == 0, ended.stdout
    assert checkout.git("rev-parse", "HEAD") == checkout.git("rev-parse", "v2")
    assert checkout.env_file.read_text() == f"AZIONELAB_TAG=2-{commit}\n"


def test_a_version_that_fails_is_not_left_checked_out(checkout: Checkout) -> None:
    checkout.say("broken", "flask db upgrade")
    ended = checkout.upgrade("--to", "v2")
    assert ended.returncode == 1
    assert "FAIL" in ended.stdout
    assert checkout.git("symbolic-ref", "--short", "HEAD") == "ours"
    assert checkout.upgrade("--to", "v3").returncode == 1
    assert checkout.git("symbolic-ref", "--short", "HEAD") == "ours"


def test_changed_files_are_not_checked_out_over(checkout: Checkout) -> None:
    (checkout.root / "pyproject.toml").write_text('version = "1"\n# mine\n')
    ended = checkout.upgrade("--to", "v2")
    assert ended.returncode == 1
    assert "files of the checkout are changed" in ended.stdout
    assert "# mine" in (checkout.root / "pyproject.toml").read_text()


def test_images_from_a_file_are_not_built(checkout: Checkout, tmp_path: Path) -> None:
    checkout.say("missing")
    file = tmp_path / "images of 2.tar"
    assert checkout.upgrade("--load", file).returncode == 0
    assert f"load --input {file}" in checkout.asked
    assert not [line for line in checkout.asked if " build " in line]
    # Without the file they are built.
    checkout.say("missing")
    assert checkout.upgrade().returncode == 0
    assert [line.split()[-4:] for line in checkout.asked if " build " in line] == [
        ["entrance", "backend", "nginx", "backup"]
    ]


def test_a_file_that_cannot_be_loaded_ends_it(checkout: Checkout) -> None:
    checkout.say("missing")
    checkout.say("broken", "load --input")
    ended = checkout.upgrade("--load", "no.tar")
    assert ended.returncode == 1
    assert "FAIL" in ended.stdout
    assert not [line for line in checkout.asked if " build " in line or " up " in line]


def test_the_databases_nodes_are_left_alone(checkout: Checkout) -> None:
    checkout.say("others", "postgres node1 etcd2 prometheus")
    ended = checkout.upgrade()
    assert ended.returncode == 0, ended.stdout
    for service in ("postgres", "node1", "etcd2"):
        assert f"{service} has other settings now and was left alone" in ended.stdout
        assert f"up -d --no-deps --wait {service}\n" in ended.stdout
    started = [line for line in checkout.asked if " up --detach --no-deps " in line]
    assert [line.split()[-1] for line in started if "--scale" not in line] == ["prometheus"]
