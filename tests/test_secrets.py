"""docker/new-secrets makes every file that Compose mounts, and Compose takes passwords from nothing else."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.support.processes import ROOT
from tests.test_env_example import COMPOSE, COMPOSE_FILES

FILES: list[dict[str, Any]] = [
    yaml.safe_load(file.read_text(encoding="utf-8")) for file in COMPOSE_FILES
]


def test_every_file_that_is_mounted_is_made_and_kept(tmp_path: Path) -> None:
    mounted = {name for file in FILES for name in file.get("secrets", {})}
    for _ in range(2):
        done = subprocess.run(
            [ROOT / "docker" / "new-secrets", tmp_path], capture_output=True, text=True, check=True
        )
    assert {path.name for path in tmp_path.iterdir()} == mounted
    kept = re.findall(r"^kept .*/(\w+)$", done.stdout, re.M)
    made = [(tmp_path / name).read_text() for name in kept]
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in made)
    assert len(set(made)) == len(kept) >= 5


def test_no_password_is_a_variable() -> None:
    assert not [name for name in COMPOSE if "PASSWORD" in name]
    for file in FILES:
        for service in file["services"].values():
            environment = service.get("environment", {})
            read = {
                str(value).removeprefix("/run/secrets/")
                for name, value in environment.items()
                if name.endswith("_FILE")
            }
            assert read <= set(service.get("secrets", []))
            assert not [name for name in environment if name.endswith("PASSWORD")]
