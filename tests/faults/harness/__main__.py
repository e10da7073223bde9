"""Break one part of the real site after the other while people book; with --write put the table into docs/reliability.md."""

import argparse
import datetime
import os
import platform
import tempfile
import time
from pathlib import Path

from bench.figures import write
from tests.faults.harness import disks, mails, postgres, processes, surroundings, waits
from tests.faults.harness.stack import Stack
from tests.faults.harness.storm import Fault, Tried, try_fault
from tests.faults.harness.table import write_table
from tests.support.processes import ROOT

COMMAND = "make faults"
PAGE = ROOT / "docs" / "reliability.md"
# Tried on a usual site, and on one with a small disk and a clock that can be turned.
_USUAL = (
    *processes.FAULTS, *postgres.FAULTS, *waits.FAULTS, *mails.FAULTS, surroundings.NGINX,
    *(disks.FAULTS if disks.CAN_MOUNT else ()),
)  # fmt: skip
_SPECIAL = (
    *((disks.DATABASE,) if disks.CAN_MOUNT else ()),
    *(surroundings.CLOCKS if surroundings.CAN_TURN_CLOCKS else ()),
)
FAULTS = (*_USUAL, *_SPECIAL)


def main() -> None:
    """Try every fault, or those that are named."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=[fault.name for fault in FAULTS], metavar="FAULT"
    )
    parser.add_argument("--deeds", type=int, default=15, help="of each kind between two blows (15)")
    parser.add_argument("--pooler", action="store_true", help="put PgBouncer before PostgreSQL")
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if not options.only or fault.name in options.only]
    began, load = time.monotonic(), os.getloadavg()[0]
    tried = _try_all(chosen, options.deeds, pooled=options.pooler)
    minutes = (time.monotonic() - began) / 60
    table = "\n".join([_where(options.deeds, minutes, load), "", write_table(tried)])
    print(table)
    for each in tried:
        if not each.findings.is_clean:
            print(f"\n{each.fault.name}\n{each.findings}")
    if options.write:
        write(PAGE, table, COMMAND)
    if not all(each.findings.is_clean for each in tried):
        raise SystemExit(1)


def _try_all(chosen: list[Fault], deeds: int, *, pooled: bool) -> list[Tried]:
    tried = []
    sites = (
        (_USUAL, lambda folder: Stack(folder, pooled=pooled).running()),
        (_SPECIAL, lambda folder: surroundings.special_stack(folder, pooled=pooled)),
    )
    for faults, start in sites:
        wanted = [fault for fault in faults if fault in chosen]
        if wanted:
            with (
                tempfile.TemporaryDirectory(prefix="azionelab-faults-") as folder,
                start(Path(folder)) as stack,
            ):
                for fault in wanted:
                    print(f"{fault.name}: {fault.what}", flush=True)
                    tried.append(try_fault(stack, fault, deeds=deeds))
                    print(_in_short(tried[-1]), flush=True)
    return tried


def _in_short(tried: Tried) -> str:
    return f"  {tried.findings.acknowledged.total()} acknowledged, {str(tried.findings) or 'nothing lost'}"


def _where(deeds: int, minutes: float, load: float) -> str:
    today = datetime.datetime.now(datetime.UTC)
    return (
        f"{today:%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL 18 with durability"
        f" on, all on one machine, in {minutes:.0f} minutes; load before: {load:.1f}. At least {deeds} bookings,"
        " confirmations, cancellations and admissions each before the first blow, between blows, and after the last."
    )


if __name__ == "__main__":
    main()
