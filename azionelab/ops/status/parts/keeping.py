"""Lines about what keeps the data: backups and disks."""

from dataclasses import replace

from flask_babel import gettext

from azionelab.ops.monitoring.backups import Task
from azionelab.ops.status.facts import DiskSpace, Facts
from azionelab.ops.status.limits import DISK_LOW_PERCENT, DISK_REPORTED_WITHIN
from azionelab.ops.status.lines import About, Line, State, not_read
from azionelab.ops.status.reports import Part
from azionelab.web.dates import format_duration


def backup(facts: Facts) -> Line:
    """The last good backup."""
    name = gettext("Backup")
    line = _task(facts, Task.BACKUP, About.BACKUP, name)
    if line is None:
        text = gettext("None was ever reported. Backups made by other means are not seen here.")
        return Line(About.BACKUP, State.UNKNOWN, name, text)
    command = "azionelab-backup now"
    advice = gettext("Look at the logs of backup, and make one: %(command)s", command=command)
    return _advise(line, advice, "Lost disk")


def verified(facts: Facts) -> Line:
    """Whether the newest backup could be restored, for a try."""
    name = gettext("Backup restored for a try")
    line = _task(facts, Task.VERIFY, About.VERIFY, name)
    if line is None:
        late = facts.service is not None and facts.service.is_overdue(Task.VERIFY)
        state = State.WRONG if late else State.UNKNOWN
        line = Line(About.VERIFY, state, name, gettext("None was tried yet."))
    command = "azionelab-backup verify"
    return _advise(line, gettext("Try it: %(command)s", command=command), "Restore")


def shipped(facts: Facts) -> Line:
    """Whether backups are carried elsewhere."""
    name = gettext("Backup elsewhere")
    line = _task(facts, Task.SHIP, About.SHIP, name)
    if line is None:
        text = gettext("None is carried to another place, as far as is known here.")
        return Line(About.SHIP, State.UNKNOWN, name, text)
    advice = gettext("Look at the logs of backup: is the other place reached?")
    return _advise(line, advice, "Lost disk")


def _task(facts: Facts, task: Task, about: About, name: str) -> Line | None:
    """A task's line without advice; None when it was never reported."""
    if facts.service is None:
        return not_read(about, name)
    found = facts.service.backups.get(task)
    if found is None:
        return None
    if found.succeeded_at is None:
        text = gettext("It has never succeeded.")
    else:
        ago = format_duration(facts.service.at - found.succeeded_at)
        text = gettext("It last succeeded %(time)s ago.", time=ago)
    if not found.last_was_well:
        text += " " + gettext("The last run failed.")
    is_well = found.last_was_well and not facts.service.is_overdue(task)
    return Line(about, State.WELL if is_well else State.WRONG, name, text)


def _advise(line: Line, advice: str, runbook: str) -> Line:
    if line.state is not State.WRONG:
        return line
    return replace(line, advice=advice, runbook=runbook)


def media_disk(facts: Facts) -> Line:
    """The disk of the pictures."""
    name = gettext("Disk of the pictures")
    advice = gettext("Make room before it is full: then no picture can be added.")
    return _disk(About.MEDIA_DISK, name, facts.media, advice)


def database_disk(facts: Facts) -> Line:
    """The disk of the database, as the backup container sees it."""
    name = gettext("Disk of the database")
    advice = gettext("Make room before it is full: then nobody can book.")
    return _disk(About.DATABASE_DISK, name, _reported(facts, Part.DATABASE_DISK), advice)


def backups_disk(facts: Facts) -> Line:
    """The disk of the backups."""
    name = gettext("Disk of the backups")
    advice = gettext("Make room before it is full: then no backup can be made.")
    return _disk(About.BACKUPS_DISK, name, _reported(facts, Part.BACKUPS_DISK), advice)


def _reported(facts: Facts, part: Part) -> DiskSpace | None:
    report = facts.report(part, DISK_REPORTED_WITHIN)
    if report is None:
        return None
    return DiskSpace(int(report.facts["free"]), int(report.facts["total"]))


def _disk(about: About, name: str, space: DiskSpace | None, advice: str) -> Line:
    if space is None:
        return Line(
            about, State.UNKNOWN, name, gettext("Not known: nobody reports how much room it has.")
        )
    text = gettext(
        "%(percent)s %% free: %(free)s of %(total)s GB.",
        percent=int(space.free_percent),
        free=round(space.free / 1e9, 1),
        total=round(space.total / 1e9, 1),
    )
    if space.free_percent >= DISK_LOW_PERCENT:
        return Line(about, State.WELL, name, text)
    return Line(
        about,
        State.WRONG,
        name,
        text,
        advice,
        "Full disk",
    )
