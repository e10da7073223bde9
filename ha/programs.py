"""The programs of a node and of HAProxy, where this machine has them, and the files that set them up."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bare_machine.postgres_programs import is_allowed, reachable_programs
from tests.support.processes import ROOT

_DEBIAN = {"etcd": "etcd-server", "etcdctl": "etcd-client", "haproxy": "haproxy"}
_OTHERS = ("ip", "nsenter", "setpriv", "unshare")
_PACKAGES = ROOT / ".venv" / "patroni"  # where make installs requirements-ha.txt


@dataclass(frozen=True)
class Programs:
    """What nodes run, all of it readable for `owner`, the account of PostgreSQL."""

    owner: str
    templates: Path  # docker/ha
    patroni: tuple[str, ...]
    patronictl: tuple[str, ...]
    patroni_settings: dict[str, str]
    etcd_settings: dict[str, str]


def find_programs(folder: Path) -> Programs:
    """Copy to `folder` what the account may not reach where it is. Raises SystemExit when a program is missing."""
    missing = [name for name in (*_DEBIAN, *_OTHERS) if not shutil.which(name)]
    if missing:
        debian = " ".join(_DEBIAN.get(name, f"(the package of {name})") for name in missing)
        raise SystemExit(f"{', '.join(missing)}: not found (Debian: apt-get install {debian})")
    if not _PACKAGES.exists():
        raise SystemExit(f"{_PACKAGES} is missing: run `make ha-test`")
    binaries, owner = reachable_programs()
    assert owner, "namespaces are made by root, PostgreSQL is not run by root"
    templates = Path(shutil.copytree(ROOT / "docker" / "ha", folder / "templates"))
    packages = Path(shutil.copytree(_PACKAGES, folder / "packages"))
    python = _find_python(owner)
    settings = {
        "PYTHONPATH": str(packages),
        "PATRONI_POSTGRESQL_BIN_DIR": str(binaries),
        "LC_ALL": "C.UTF-8",
    }
    return Programs(
        owner,
        templates,
        (python, "-m", "patroni"),
        (python, str(packages / "bin" / "patronictl")),
        settings,
        _read_settings(templates / "etcd.env"),
    )


def _find_python(owner: str) -> str:
    """A Python of this one's version that the account may run: one under /root may not."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [
        Path(sys.executable).resolve(),
        Path("/usr/local/bin", version),
        Path("/usr/bin", version),
    ]
    for candidate in candidates:
        if is_allowed(owner, "-x", candidate.resolve()):
            return str(candidate)
    raise SystemExit(
        f"{version}: none that the account {owner} may run (Debian: apt-get install {version})"
    )


def _read_settings(file: Path) -> dict[str, str]:
    lines = [
        line for line in file.read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")
    ]
    return dict(line.split("=", 1) for line in lines)
