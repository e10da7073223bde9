"""Kill, cut off, switch over and replace the nodes of a database cluster while people book; with --write put the table
into docs/high-availability.md.

Three nodes with etcd, Patroni and PostgreSQL, each in its own namespaces of this machine; needs root, and the programs
that the page names.
"""

import argparse
import datetime
import os
import platform
import shutil
import subprocess
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from bench.figures import write
from ha import namespaces
from ha.cluster import Cluster
from ha.faults import make_faults
from ha.programs import Programs, find_programs
from ha.proxy import proxy
from ha.table import Row, Unfinished, write_table
from ha.writers import Writers
from tests.faults.harness.site import Site
from tests.faults.harness.storm import Fault, try_fault
from tests.support.processes import ROOT

COMMAND = "make ha-test"
PAGE = ROOT / "docs" / "high-availability.md"
_WAYS = ("hosts", "haproxy")
_BY_PROXY = (
    "kill-node",
    "cut-off",
)  # the way matters to these; the rest is the cluster's own affair
_FOLDER = "HA_FOLDER"  # the variable that names the run's folder inside


def main() -> None:
    """Try every fault, or those that are named, by both ways to the primary, or by one."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="FAULT", help="some of the faults, by name")
    parser.add_argument("--way", choices=_WAYS, help="to the primary, by default both in turn")
    parser.add_argument("--times", type=int, help="that each is done, by default as the table says")
    parser.add_argument("--deeds", type=int, default=10, help="of each kind between two blows (10)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/")
    options = parser.parse_args()
    if not namespaces.is_inside():
        with _folder() as folder:
            os.environ[_FOLDER] = str(folder)
            status = namespaces.run_inside("ha")
            if status:
                raise SystemExit(status)
        return
    namespaces.make_networks()
    began, load = time.monotonic(), os.getloadavg()[0]
    folder, rows = Path(os.environ[_FOLDER]), list[Row | Unfinished]()
    programs = find_programs(folder)
    with Cluster(folder, programs).running() as cluster:
        for way in [options.way] if options.way else _WAYS:
            rows += _try_all(cluster, programs, folder / way, options)
    minutes = (time.monotonic() - began) / 60
    table = f"{_where(options.deeds, minutes, load)}\n\n{write_table(rows)}"
    print(table)
    if options.write:
        write(PAGE, table, COMMAND)
    raise SystemExit(not all(row.is_clean for row in rows))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that every account may enter. When something fails the logs in it stay."""
    folder = Path(tempfile.mkdtemp(prefix="azionelab-ha-"))
    folder.chmod(0o755)
    try:
        yield folder
    except BaseException:
        print(f"The logs are in {folder}.", flush=True)
        for each in folder.iterdir():
            if each.name not in ("logs", *_WAYS):
                shutil.rmtree(each, ignore_errors=True)
        raise
    shutil.rmtree(folder)


def _try_all(
    cluster: Cluster, programs: Programs, folder: Path, options: argparse.Namespace
) -> Iterator[Row | Unfinished]:
    folder.mkdir()
    known = {fault.name: fault for fault in make_faults(cluster)}
    usual = known if folder.name == "hosts" else _BY_PROXY
    chosen = [known[name] for name in options.only or usual]
    with _site(cluster, programs, folder) as site:
        for known_fault in chosen:
            fault = replace(known_fault, times=options.times or known_fault.times)
            print(f"{folder.name}, {fault.name}: {fault.what}", flush=True)
            try:
                row = _try(cluster, site, fault, options.deeds)
            except (AssertionError, RuntimeError, subprocess.CalledProcessError, psycopg.Error):
                traceback.print_exc()
                yield Unfinished(fault, folder.name)
                return
            found = [str(row.tried.findings), *row.writing.rivals]
            print(f"  {_in_short(row)}", *filter(None, found), sep="\n  ", flush=True)
            yield row


@contextmanager
def _site(cluster: Cluster, programs: Programs, folder: Path) -> Iterator[Site]:
    """The site, which finds the primary by itself (`hosts`), or through HAProxy."""
    site = Site(folder)
    if folder.name == "hosts":
        with site.serving(cluster.application_url(), cluster.url()):
            yield site
    else:
        with (
            proxy(cluster, programs.templates, folder / "haproxy.log") as address,
            site.serving(cluster.application_url(address), cluster.url(address)),
        ):
            yield site


def _try(cluster: Cluster, site: Site, fault: Fault, deeds: int) -> Row:
    writers = Writers(cluster)
    with writers.writing():
        # Mails are the harness' own subject: their pauses are cut short here.
        tried = try_fault(site, fault, deeds=deeds, hurry=True)
    return Row(tried, site.folder.name, writers.judge())


def _in_short(row: Row) -> str:
    seconds = ", ".join(f"{each:.1f}" for each in row.tried.silence)
    return f"{row.tried.findings.acknowledged.total()} acknowledged, silent for {seconds} s"


def _where(deeds: int, minutes: float, load: float) -> str:
    today = datetime.datetime.now(datetime.UTC)
    return (
        f"{today:%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL 18, three nodes and the"
        f" site on one machine, in {minutes:.0f} minutes; load before: {load:.1f}. At least {deeds} bookings,"
        " confirmations, cancellations and admissions each before the first blow, between blows, and after the last."
    )


if __name__ == "__main__":
    main()
