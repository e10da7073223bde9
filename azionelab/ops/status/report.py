"""The whole status: every line, and the sentence above them."""

from collections.abc import Callable, Sequence

from flask_babel import gettext, ngettext

from azionelab.ops.status.facts import Facts
from azionelab.ops.status.lines import Line, State
from azionelab.ops.status.parts import data, keeping, mails, outside, running, sales

_LINES: tuple[Callable[[Facts], Line], ...] = (
    running.database,
    running.schema,
    running.worker,
    outside.watch,
    mails.waiting,
    mails.provider,
    mails.given_up,
    running.jobs,
    keeping.backup,
    keeping.verified,
    keeping.shipped,
    outside.certificate,
    keeping.database_disk,
    keeping.backups_disk,
    keeping.media_disk,
    data.data,
    running.key,
    sales.sales,
    running.release,
)


def judge(facts: Facts) -> list[Line]:
    """All lines in the current language, what needs a person first, then what is not known."""
    order = (State.WRONG, State.UNKNOWN, State.WELL, State.INFO)
    return sorted((line(facts) for line in _LINES), key=lambda line: order.index(line.state))


def summarize(lines: Sequence[Line]) -> str:
    """One sentence: whether all is well, as far as is known."""
    wrong = sum(line.state is State.WRONG for line in lines)
    unknown = sum(line.state is State.UNKNOWN for line in lines)
    if wrong:
        return ngettext("%(num)s thing needs you.", "%(num)s things need you.", wrong)
    if unknown:
        return ngettext(
            "All is well, as far as is known: %(num)s thing is not.",
            "All is well, as far as is known: %(num)s things are not.",
            unknown,
        )
    return gettext("All is well.")
