"""Texts of the pages of a performance's day: conflicts between doors, and how long ago something was."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext

from azionelab.admin.scans import describe_excess, verdict_label
from azionelab.checkin.devices.offline_list import Conflict
from azionelab.checkin.verdicts import REVOKED, VerdictKind, Way
from azionelab.web.dates import format_date, format_time, is_same_day


@dataclass(frozen=True)
class ConflictText:
    """The texts of a conflict. `party` is a name, or "Walk-ins" or "Unknown ticket"."""

    id: str
    what: str
    party: str
    reference: str
    too_many: str


def describe_conflict(conflict: Conflict) -> ConflictText:
    """Describe who came in twice or against the rules, where and when."""
    nameless = conflict.reference is None
    here = _place(conflict.at, conflict.door, conflict.by)
    if conflict.verdict == REVOKED:
        own = _place(conflict.attempt.at, conflict.attempt.door, conflict.attempt.by)
        what = gettext("Admitted by a revoked device: %(place)s.", place=own)
    elif conflict.first is not None:
        first = _place(conflict.first.at, conflict.first.door, conflict.first.by)
        what = gettext("Admitted twice: %(first)s, %(second)s.", first=first, second=here)
        if conflict.way == Way.AGAIN:
            what = gettext(
                "Re-entry recorded twice: %(first)s, %(second)s.", first=first, second=here
            )
    elif (
        conflict.walk_in
        and conflict.way != Way.AGAIN
        and conflict.verdict != VerdictKind.PERFORMANCE_CANCELLED
    ):
        what = gettext("More people than free seats: %(place)s.", place=here)
    elif conflict.verdict == VerdictKind.ADMITTED:
        what = gettext("More people than the party has seats: %(place)s.", place=here)
    else:
        word = verdict_label(conflict.verdict)
        what = gettext("Admitted offline: %(place)s (%(why)s).", place=here, why=word)
    if conflict.walk_in:
        party = gettext("Walk-ins")
    else:
        party = gettext("Unknown ticket") if nameless else conflict.name
    return ConflictText(
        id=str(conflict.scan_id),
        what=what,
        party=party,
        reference="" if conflict.walk_in else conflict.reference or "",
        too_many=describe_excess(conflict.beyond),
    )


def describe_age(moment: datetime | None, at: datetime) -> str:
    """How long ago `moment` was; from an hour on, its time."""
    if moment is None:
        return gettext("not yet")
    past = at - moment
    if past < timedelta(minutes=1):
        return gettext("%(num)s s ago", num=max(0, int(past.total_seconds())))
    if past < timedelta(hours=1):
        return gettext("%(num)s min ago", num=past // timedelta(minutes=1))
    if is_same_day(moment, at):
        return format_time(moment)
    return f"{format_date(moment, 'd MMM')}, {format_time(moment)}"


def _place(at: datetime, door: str, by: str) -> str:
    return f"{format_time(at)} {door or by}".strip()
