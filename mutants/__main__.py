"""`make mutants`: change the rules one operator or number at a time, and see their tests fail.

Each module of `mutants.toml` is changed by Cosmic Ray's operators in a copy of this folder, and the tests
that the table names for it run against each mutant. A mutant that no test notices survives; the run ends
with an error for each survivor that the table does not explain, and for each explanation that nothing
needs any more. `make mutants ARGS=doctor` tries the modules of that name only.
"""

import signal
import sys
import time
import tomllib

from mutants.crew import ROOT, a_server, survivors
from mutants.mutations import Mutant, mutants_of

_TABLE = ROOT / "mutants" / "mutants.toml"


def main(wanted: list[str]) -> int:
    """Try the mutants of the modules whose names hold one of `wanted`; the exit status."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    chosen = {
        module: tests
        for module, tests in table["modules"].items()
        if not wanted or any(word in module for word in wanted)
    }
    left_out = [one["operators"] for one in table["left-out"]]
    with a_server() as server:
        found = [
            mutant
            for module, tests in chosen.items()
            for mutant in _try(module, tests, left_out, server)
        ]
    explained = {(known["module"], known["change"]) for known in table["explained"]}
    met = {(mutant.module, mutant.change) for mutant in found}
    unexplained = [mutant for mutant in found if (mutant.module, mutant.change) not in explained]
    for mutant in unexplained:
        print(f"not explained: {mutant}")
    over = sorted(known for known in explained - met if known[0] in chosen)
    for module, change in over:
        print(f"explained, and noticed all the same: {module}: {change}")
    print(f"{len(found)} survived, {len(unexplained)} of them unexplained")
    return 1 if unexplained or over else 0


def _try(module: str, tests: list[str], left_out: list[str], server: str) -> list[Mutant]:
    began = time.monotonic()
    mutants = mutants_of(module, (ROOT / module).read_text(encoding="utf-8"), left_out)
    found = survivors(mutants, tests, server)
    minutes = (time.monotonic() - began) / 60
    print(
        f"{module}: {len(mutants)} mutants, {len(found)} survived, {minutes:.1f} minutes",
        flush=True,
    )
    return found


if __name__ == "__main__":
    # By an exception, so that its server and workers end as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    sys.exit(main(sys.argv[1:]))
