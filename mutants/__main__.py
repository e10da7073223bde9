"""`make mutants`: mutation tests of the rules.

Cosmic Ray's operators change each module of `mutants.toml` in a copy of this folder, one operator or number at a
time, and the module's tests run against each mutant. A mutant that no test notices survives. The run fails for
each survivor that the table does not explain, and for each explanation that is no longer needed.
`make mutants ARGS=doctor` tests only the modules with that name.
"""

import signal
import sys
import time
import tomllib

from mutants.mutations import Mutant, mutants_of
from mutants.pool import ROOT, a_server, survivors

_TABLE = ROOT / "mutants" / "mutants.toml"


def main(wanted: list[str]) -> int:
    """Test the modules whose names contain one of `wanted`; returns the exit status."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    chosen = {
        module: tests
        for module, tests in table["modules"].items()
        if not wanted or any(word in module for word in wanted)
    }
    left_out = [one["operators"] for one in table["left-out"]]
    with a_server() as server:
        survived = [
            mutant
            for module, tests in chosen.items()
            for mutant in _try(module, tests, left_out, server)
        ]
    explained = {(known["module"], known["change"]) for known in table["explained"]}
    met = {(mutant.module, mutant.change) for mutant in survived}
    unexplained = [mutant for mutant in survived if (mutant.module, mutant.change) not in explained]
    for mutant in unexplained:
        print(f"not explained: {mutant}")
    unneeded = sorted(known for known in explained - met if known[0] in chosen)
    for module, change in unneeded:
        print(f"explained, and noticed all the same: {module}: {change}")
    print(f"{len(survived)} survived, {len(unexplained)} of them unexplained")
    return 1 if unexplained or unneeded else 0


def _try(module: str, tests: list[str], left_out: list[str], server: str) -> list[Mutant]:
    started = time.monotonic()
    mutants = mutants_of(module, (ROOT / module).read_text(encoding="utf-8"), left_out)
    survived = survivors(mutants, tests, server)
    minutes = (time.monotonic() - started) / 60
    print(
        f"{module}: {len(mutants)} mutants, {len(survived)} survived, {minutes:.1f} minutes",
        flush=True,
    )
    return survived


if __name__ == "__main__":
    # An exception, so that the server and the workers are stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    sys.exit(main(sys.argv[1:]))
