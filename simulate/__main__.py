"""Simulate seasons through the real rules on a real database; with --write put tables and plot into docs/full-house.md.

The same seed gives the same people.
"""

import argparse
import time
from pathlib import Path

from bench.figures import write
from simulate.habits import Theatre
from simulate.plot import draw
from simulate.processes import simulate
from simulate.tables import RATES, by_loop, make_plan, write_tables

ROOT = Path(__file__).resolve().parent.parent
PAGE, PLOT = ROOT / "docs" / "full-house.md", ROOT / "docs" / "full-house.svg"
_AIM = 95  # percent of the seats


def main() -> None:
    """Simulate everything."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--evenings", type=int, default=6, help="of each season (6)")
    parser.add_argument("--seats", type=int, default=40, help="of the house (40)")
    parser.add_argument("--seed", type=int, default=1, help="of the people (1)")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/")
    options = parser.parse_args()
    plan = make_plan(Theatre(options.seats, options.evenings), options.seed)
    begun = time.monotonic()
    found = simulate(plan.all)
    minutes = (time.monotonic() - begun) / 60
    tables = write_tables(plan, found)
    print(tables, f"\n\n{len(found)} seasons in {minutes:.0f} minutes.")
    if options.write:
        write(PAGE, tables, "make simulate")
        lines = {
            name: [100 * found[each].filled / found[each].seats for each in seasons]
            for name, seasons in by_loop(plan).items()
        }
        PLOT.write_text(draw(lines, RATES, _AIM), encoding="utf-8")


if __name__ == "__main__":
    main()
