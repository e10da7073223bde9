"""Fuzz everything that reads bytes of others, each part for some seconds, in a process of its own.

    make fuzz [ARGS="--seconds 600 --only csv"]

What reached new code is kept in .venv/fuzz, where the next run begins. An input that failed is printed and kept as well;
with `--input FILE` a target reads it alone. Put what was found into tests/test_fuzz.py.
"""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import psycopg

from bench.data import make_devices, make_performance
from bench.servers import ROOT, flask, postgres, site_settings
from fuzz.targets import DEVICE, TARGETS

_FOLDER = ROOT / ".venv" / "fuzz"
_NO_MAIL = 25  # a port that nobody listens on
_SHOWN = 200  # bytes of an input that failed


def main() -> None:
    """Fuzz, print what was found, and end with status 1 when an input failed."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--only", choices=TARGETS, help="one target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at once")
    parser.add_argument("--input", type=Path, help="read this file alone (with --only)")
    options = parser.parse_args()
    if find_spec("atheris") is None:
        raise SystemExit(
            "atheris, which fuzzes, is made for Linux on x86-64 with Python 3.11 to 3.13 only."
        )
    with postgres() as (url, _folder):
        settings = site_settings(url, _NO_MAIL)
        flask(settings, "db", "upgrade")
        with psycopg.connect(url, autocommit=True) as database:
            evening = make_performance(database)
            (token,) = make_devices(database, evening)
        settings |= {DEVICE: f"{evening} {token}"}

        def fuzz(name: str) -> bool:
            return _fuzz(name, settings, options.input or options.seconds)

        with ThreadPoolExecutor(options.jobs) as pool:
            went_well = list(pool.map(fuzz, [options.only] if options.only else TARGETS))
    raise SystemExit(not all(went_well))


def _fuzz(name: str, settings: dict[str, str], how: int | Path) -> bool:
    """Fuzz a target, or let it read one file; whether nothing failed."""
    folder = _FOLDER / name
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.one", name, folder, str(how)],
        check=False, capture_output=True, text=True, errors="replace", cwd=ROOT, env={**os.environ, **settings},
    )  # fmt: skip
    executed = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    if done.returncode == 0 and executed:
        print(f"{name}: {int(executed[1]):,} inputs, nothing failed", flush=True)
        return True
    told = re.sub(r"^(INFO|WARNING|stat::).*\n", "", done.stdout + done.stderr, flags=re.MULTILINE)
    print(f"{name}: FAILED\n{told[-6000:]}", flush=True)
    for path in re.findall(r"Test unit written to (\S+)", done.stderr):
        print(f"{path}: {Path(path).read_bytes()[:_SHOWN]!r}", flush=True)
    return False


if __name__ == "__main__":
    main()
