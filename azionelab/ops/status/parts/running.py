"""Lines about what runs: database, schema, worker, jobs, keys, release."""

from flask import current_app
from flask_babel import gettext, ngettext

from azionelab import __version__
from azionelab.ops.checks.schema import SchemaState
from azionelab.ops.checks.secret_keys import KeyState
from azionelab.ops.status.facts import Facts
from azionelab.ops.status.lines import About, Line, State, not_read
from azionelab.web.dates import format_duration


def database(facts: Facts) -> Line:
    """Whether it answers, and can write to its disk."""
    name = gettext("Database")
    if facts.schema is None:
        return Line(
            About.DATABASE,
            State.WRONG,
            name,
            gettext("It does not answer, or takes too long."),
            gettext("Visitors can book nothing. Look at the logs of postgres, and at its disk."),
            "Full disk",
        )
    if facts.disk_problem is None:
        return Line(
            About.DATABASE,
            State.UNKNOWN,
            name,
            gettext("It answers, but not everything that it was asked in time."),
            gettext("Look again in a minute. If it stays, look at the load of the server."),
        )
    if facts.disk_problem:
        return Line(
            About.DATABASE,
            State.WRONG,
            name,
            gettext("Its disk is full: it can write nothing."),
            gettext("Nobody can book; the programme and tickets are shown. Make room on the disk."),
            "Full disk",
        )
    return Line(About.DATABASE, State.WELL, name, gettext("It answers, and can write to its disk."))


def schema(facts: Facts) -> Line:
    """Whether the database has this release's migrations."""
    name = gettext("Tables of the database")
    match facts.schema:
        case None:
            return not_read(About.SCHEMA, name)
        case SchemaState.PENDING:
            return Line(
                About.SCHEMA,
                State.WRONG,
                name,
                gettext("They are older than this release."),
                gettext("Run the command: %(command)s", command="flask db upgrade"),
                "Upgrade",
            )
        case SchemaState.NEWER:
            return Line(
                About.SCHEMA,
                State.WELL,
                name,
                gettext("They are newer than this release, as after a rollback: that works."),
            )
    return Line(About.SCHEMA, State.WELL, name, gettext("They are those of this release."))


def worker(facts: Facts) -> Line:
    """When a worker was last seen."""
    name = gettext("Worker")
    service = facts.service
    if service is None:
        return not_read(About.WORKER, name)
    seen = service.worker_seen_at
    if seen is None:
        text = gettext("None was ever seen.")
    else:
        text = gettext("It was last seen %(time)s ago.", time=format_duration(service.at - seen))
    if not service.worker_is_silent:
        return Line(About.WORKER, State.WELL, name, text)
    return Line(
        About.WORKER,
        State.WRONG,
        name,
        text,
        gettext(
            "Mails do not leave, so no booking can be confirmed. Start the worker again, and look at its logs."
        ),
        "Silent worker",
    )


def jobs(facts: Facts) -> Line:
    """Jobs that failed, with no good run of the same task after."""
    name = gettext("Jobs")
    if facts.failed_jobs is None:
        return not_read(About.JOBS, name)
    number = sum(row.number for row in facts.failed_jobs)
    if not number:
        return Line(About.JOBS, State.WELL, name, gettext("None has failed."))
    tasks = ", ".join(f"{row.task} ({row.number})" for row in facts.failed_jobs)
    return Line(
        About.JOBS,
        State.WRONG,
        name,
        ngettext(
            "%(num)s job failed: %(tasks)s.", "%(num)s jobs failed: %(tasks)s.", number, tasks=tasks
        ),
        gettext("The worker's logs say why. Tell whoever runs the server."),
        items=frozenset(row.task for row in facts.failed_jobs),
    )


def key(facts: Facts) -> Line:
    """Whether SECRET_KEY opens the links and tickets that were sent."""
    name = gettext("Key of links and tickets")
    if facts.key is None:
        return not_read(About.KEY, name)
    if facts.key is KeyState.LOST:
        return Line(
            About.KEY,
            State.WRONG,
            name,
            gettext("SECRET_KEY is not the one that signed them: those sent before do not open."),
            gettext("Put the earlier key back."),
            "Lost key",
        )
    text = (
        gettext("SECRET_KEY was changed; those signed with the earlier one still open.")
        if facts.key is KeyState.ROTATED
        else gettext("Links and tickets that were sent open.")
    )
    return Line(About.KEY, State.WELL, name, text)


def release(_facts: Facts) -> Line:
    """Which release runs."""
    commit = current_app.config["AZIONELAB"].git_commit
    text = f"AzioneLab {__version__}" + (f", commit {commit[:12]}" if commit else "")
    return Line(About.RELEASE, State.INFO, gettext("Version"), text)
