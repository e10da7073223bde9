"""docker/new-secrets creates the secrets that Compose mounts, readable by the containers.

Compose takes passwords from nothing else.
"""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.processes import ROOT
from tests.test_env_example import COMPOSE, COMPOSE_FILES

SCRIPT = (ROOT / "docker" / "new-secrets").read_text(encoding="utf-8")
MOUNTED = {
    name
    for file in (ROOT / "docker").glob("compose*.yml")
    for name in re.findall(r"SECRETS_DIR:-\./secrets\}/(\w+)", file.read_text(encoding="utf-8"))
}
FILLED_IN = {
    *("mail_password", "secret_key_fallbacks", "offsite_key"),
    *("apple_pass", "google_wallet_key"),
}


class ComposeLoader(yaml.SafeLoader):
    """Reads what an overlay puts in place of a value (`!override`) as that value."""


ComposeLoader.add_constructor(
    "!override",
    lambda loader, node: (
        loader.construct_mapping(node)
        if isinstance(node, yaml.MappingNode)
        else loader.construct_sequence(node)
    ),
)

Shell = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that an ordinary user owns and can come to."""
    made = Path(tempfile.mkdtemp(prefix="azionelab-secrets-"))
    if os.geteuid() == 0:
        os.chown(made, 65534, 65534)
    yield made / "secrets"
    shutil.rmtree(made)


@pytest.fixture
def sh(folder: Path) -> Shell:
    """A shell of that user, who is not root: root may write everything."""
    user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}

    def run(commands: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-s", str(folder)],
            input=commands,
            cwd=folder.parent,
            capture_output=True,
            text=True,
            check=False,
            **user,
        )

    return run


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()}


def test_it_creates_the_secrets_that_compose_mounts(folder: Path, sh: Shell) -> None:
    done = sh(SCRIPT)
    assert done.returncode == 0, done.stderr
    made = contents(folder)
    assert made.keys() == MOUNTED
    assert {name for name, content in made.items() if not content} == FILLED_IN
    assert len({made[name] for name in MOUNTED - FILLED_IN}) == len(MOUNTED - FILLED_IN)
    # The containers' users are others on this machine, who cannot come to the files but by a mount.
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir() if not path.stat().st_mode & 0o004] == []
    assert [path.name for path in folder.iterdir() if path.stat().st_mode & 0o022] == []


def test_existing_secrets_are_kept_and_writable(folder: Path, sh: Shell) -> None:
    sh(SCRIPT)
    before = contents(folder)
    # As earlier releases left them.
    sh("chmod 444 secrets/*")
    assert sh(SCRIPT).returncode == 0
    for name in MOUNTED:
        written = sh(f"echo mine > {shlex.quote(f'secrets/{name}')}")
        assert (written.returncode == 0) is (name in FILLED_IN), (name, written.stderr)
    filled_in = before | dict.fromkeys(FILLED_IN, "mine\n")
    assert contents(folder) == filled_in
    assert sh(SCRIPT).returncode == 0
    assert contents(folder) == filled_in


def test_no_password_is_a_variable() -> None:
    assert not [name for name in COMPOSE if "PASSWORD" in name]
    for file in COMPOSE_FILES:
        read_in = yaml.load(file.read_text(encoding="utf-8"), ComposeLoader)  # noqa: S506 (a safe one)
        for service in read_in["services"].values():
            environment = service.get("environment", {})
            read = {
                str(value).removeprefix("/run/secrets/")
                for name, value in environment.items()
                # An authority's certificate and a list of domains are for everybody to see.
                if name.endswith("_FILE")
                and name not in ("SSL_CERT_FILE", "DISPOSABLE_DOMAINS_FILE")
            }
            assert read <= set(service.get("secrets", []))
            assert not [name for name in environment if name.endswith("PASSWORD")]
