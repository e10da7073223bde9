"""The command: `azionelab-backup now`, `list`, `verify`, `restore` and others."""

import argparse
import os
import signal
import sys
import threading

from azionelab_backup.offsite import OffsiteRepository
from azionelab_backup.release import is_known_schema
from azionelab_backup.settings import read_settings
from azionelab_backup.tasks import FAILURES, BackupManager, describe, describe_error


def main(arguments: list[str]) -> int:
    """Run a command and return the exit status; errors are printed in one line."""
    options = _parser().parse_args(arguments)
    try:
        _do(options)
    except FAILURES as error:
        print(f"azionelab-backup: {describe_error(error)}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="azionelab-backup", description="AzioneLab's backups. NAME is one that `list` shows."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("schedule", help="take a backup each day, until stopped")
    commands.add_parser("now", help="take a backup")
    commands.add_parser("list", help="show the backups that are here")
    verify = commands.add_parser("verify", help="restore a backup into a scratch server and look")
    verify.add_argument("name", nargs="?", metavar="NAME", help="the newest when left out")
    restore = commands.add_parser("restore", help="put a backup into an empty database")
    restore.add_argument("name", nargs="?", metavar="NAME", help="the newest when left out")
    restore.add_argument(
        "--replace", action="store_true", help="give up what is in the database and the media"
    )
    fetch = commands.add_parser("fetch", help="bring a backup back from elsewhere")
    fetch.add_argument("name", nargs="?", metavar="NAME", help="the newest when left out")
    fetch.add_argument("--list", action="store_true", help="show those that are there instead")
    commands.add_parser("rotate", help="remove the backups that have served their time")
    commands.add_parser("healthy", help="fail when a backup is overdue")
    return parser


def _do(options: argparse.Namespace) -> None:
    settings = read_settings(os.environ)
    manager = BackupManager(settings)
    match options.command:
        case "schedule":
            stop = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
            manager.run_schedule(stop)
        case "now":
            manager.take()
        case "list":
            for backup in manager.store.backups():
                print(describe(backup))
        case "verify":
            manager.verify(options.name)
        case "restore":
            backup = manager.restore(options.name, replace=options.replace)
            # Not on a newer schema, as after a rollback.
            upgrade = "`flask db upgrade` and " if is_known_schema(backup.manifest().schema) else ""
            print(f"now run {upgrade}`flask doctor`, then start the site")
        case "fetch" if options.list:
            print(*OffsiteRepository(settings).names(), sep="\n")
        case "fetch":
            backup = OffsiteRepository(settings).fetch(options.name, manager.store)
            print(f"{backup.name} is here; `azionelab-backup restore {backup.name}` restores it")
        case "rotate":
            manager.rotate()
        case "healthy":
            manager.check_health()


sys.exit(main(sys.argv[1:]))
