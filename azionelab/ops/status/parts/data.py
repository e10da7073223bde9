"""Whether the data is consistent, as `flask doctor` finds it; noted by the worker, since it reads whole tables."""

from flask_babel import gettext, ngettext
from sqlalchemy.exc import SQLAlchemyError

from azionelab.database.errors import describe_cause
from azionelab.ops.checks.doctor import run_checks
from azionelab.ops.status.facts import Facts
from azionelab.ops.status.limits import DOCTOR_SEEN_WITHIN
from azionelab.ops.status.lines import About, Line, State, not_read
from azionelab.ops.status.reports import Part, report
from azionelab.web.dates import format_duration


def note_doctor() -> None:
    """Run the doctor's checks and report those that fail, or why they could not be run."""
    try:
        failed = [result.claim for result in run_checks() if result.failed]
    except SQLAlchemyError as error:
        report(Part.DOCTOR, {"problem": describe_cause(error)})
    else:
        report(Part.DOCTOR, {"failed": failed})


def data(facts: Facts) -> Line:
    """What the doctor last found."""
    name = gettext("Data")
    if facts.reports is None:
        return not_read(About.DATA, name)
    found = facts.report(Part.DOCTOR, DOCTOR_SEEN_WITHIN)
    command = "flask doctor"
    if found is None or "failed" not in found.facts:
        text = gettext(
            "Not known: the worker looks every six hours. Look now: %(command)s", command=command
        )
        return Line(About.DATA, State.UNKNOWN, name, text)
    age = format_duration(facts.at - found.reported_at)
    failed = found.facts["failed"]
    if not failed:
        text = gettext("Consistent, %(time)s ago.", time=age)
        return Line(About.DATA, State.WELL, name, text)
    return Line(
        About.DATA,
        State.WRONG,
        name,
        ngettext(
            "%(num)s check failed %(time)s ago: %(claims)s.",
            "%(num)s checks failed %(time)s ago: %(claims)s.",
            len(failed),
            time=age,
            claims="; ".join(failed),
        ),
        gettext("See what is wrong: %(command)s", command=command),
    )
