"""What needs a person: failed and late mails, conflicts at the door, evenings without a door, old backups.

And a certificate near its end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app, url_for
from flask_babel import gettext, ngettext
from flask_login import current_user
from sqlalchemy import func, select

from azionelab.bookings.mails.resending import mails_in_trouble
from azionelab.bookings.mails.templates.stored import find_broken
from azionelab.checkin.house.counts import HouseCounts
from azionelab.checkin.models import Scan
from azionelab.database import db
from azionelab.ops.monitoring.backups import last_backup
from azionelab.ops.status.limits import BACKUP_OLD_AFTER, MAIL_LATE_AFTER
from azionelab.settings.wallet import RENEW_WITHIN, apple_ends_at
from azionelab.shows.models import Performance
from azionelab.staff.models import ApiToken
from azionelab.staff.rights import Right, has_right
from azionelab.web.dates import format_date, format_datetime, format_time

_CONFLICTS_OF = timedelta(days=7)
_DOOR_WITHIN = timedelta(hours=16)  # in the morning, of the same evening
_PUBLISHED_WITHIN = timedelta(days=14)


@dataclass(frozen=True)
class Task:
    """Something for a person: what it is, addresses with what can be done there, whether it cannot wait."""

    text: str
    links: tuple[tuple[str, str], ...] = ()
    urgent: bool = False


def find_tasks(
    performances: Sequence[Performance], counts: Mapping[int, HouseCounts], at: datetime
) -> list[Task]:
    """What needs a person now, the urgent first. `performances` are those around this evening."""
    coming = [each for each in performances if each.starts_at > at and not each.cancelled_at]
    tasks = [
        *_mails(at),
        *_mail_texts(),
        *_conflicts(at),
        *_without_door([each for each in coming if counts[each.id].expected], at),
        *_unpublished(coming, at),
        *_backup(at),
        *_wallet(at),
    ]
    return sorted(tasks, key=lambda task: not task.urgent)


def _mails(at: datetime) -> list[Task]:
    failed, since, late = mails_in_trouble(at - MAIL_LATE_AFTER)
    tasks = []
    if failed and since:
        text = ngettext(
            "%(num)s mail could not be delivered.", "%(num)s mails could not be delivered.", failed
        )
        links = [(url_for("admin_mails.index_view", flt0_0="failed"), gettext("View them"))]
        if has_right(current_user, Right.MANAGE_MAILS):
            resend = url_for("admin_failed_mails.index", begin=since.isoformat())
            links.append((resend, gettext("Send them again")))
        tasks.append(Task(text, tuple(links), urgent=True))
    if late:
        text = ngettext(
            "%(num)s mail has been waiting for more than ten minutes: is the worker running?",
            "%(num)s mails have been waiting for more than ten minutes: is the worker running?",
            late,
        )
        shown = url_for("admin_mails.index_view", flt0_0="queued")
        tasks.append(Task(text, ((shown, gettext("View them")),), urgent=True))
    return tasks


def _mail_texts() -> list[Task]:
    """Texts of the theatre that cannot be used."""
    broken = find_broken(db.session())
    if not broken:
        return []
    text = ngettext(
        "%(num)s mail text has an error: visitors get the shipped text.",
        "%(num)s mail texts have errors: visitors get the shipped texts.",
        len(broken),
    )
    if not has_right(current_user, Right.MANAGE_MAILS):
        return [Task(text)]
    first = broken[0]
    page = url_for("admin_mail_texts.edit", name=first.name, language=first.language)
    return [Task(text, ((page, gettext("Correct it")),), urgent=True)]


def _conflicts(at: datetime) -> list[Task]:
    """Evenings of the last days at which more people were let in than could be counted."""
    found = db.session.execute(
        select(Performance, func.count())
        .join(Scan, Scan.performance_id == Performance.id)
        .where(Scan.claimed > Scan.people, Performance.starts_at > at - _CONFLICTS_OF)
        .group_by(Performance.id)
        .order_by(Performance.starts_at)
    )
    return [
        Task(
            ngettext(
                "%(num)s conflict at the door on %(day)s: people were let in who could not be counted.",
                "%(num)s conflicts at the door on %(day)s: people were let in who could not be counted.",
                number,
                day=format_date(performance.starts_at, "EEE d MMM"),
            ),
            ((_evening(performance), gettext("Look at it")),),
        )
        for performance, number in found
    ]


def _without_door(expected: Sequence[Performance], at: datetime) -> list[Task]:
    soon = [each for each in expected if each.starts_at - at < _DOOR_WITHIN]
    if not soon:
        return []
    with_phone = set(
        db.session.scalars(
            select(ApiToken.performance_id).where(
                ApiToken.performance_id.in_([each.id for each in soon]),
                ApiToken.revoked_at.is_(None),
            )
        )
    )
    return [
        Task(
            gettext(
                "No phone is set up at the door of %(show)s, %(time)s.",
                show=each.show.title,
                time=format_time(each.starts_at),
            ),
            ((_evening(each), gettext("Open the door")),),
        )
        for each in soon
        if each.id not in with_phone
    ]


def _evening(performance: Performance) -> str:
    return url_for("admin_evening.show", performance_id=performance.id)


def _unpublished(coming: Sequence[Performance], at: datetime) -> list[Task]:
    hidden = {
        each.show.id: each
        for each in reversed(coming)
        if not each.show.published and each.starts_at - at < _PUBLISHED_WITHIN
    }
    return [
        Task(
            gettext(
                "%(show)s is not published, and plays on %(day)s.",
                show=first.show.title,
                day=format_date(first.starts_at, "EEE d MMM"),
            ),
            ((url_for("admin_shows.edit_view", id=show_id), gettext("Publish it")),)
            if has_right(current_user, Right.MANAGE_SEASON)
            else (),
        )
        for show_id, first in hidden.items()
    ]


def _backup(at: datetime) -> list[Task]:
    is_reported, succeeded_at = last_backup()
    if not is_reported or (succeeded_at is not None and at - succeeded_at <= BACKUP_OLD_AFTER):
        return []
    text = (
        gettext("The last backup is of %(moment)s.", moment=format_datetime(succeeded_at))
        if succeeded_at
        else gettext("No backup has succeeded yet.")
    )
    return [Task(text + " " + gettext("Tell whoever runs the server."), urgent=True)]


def _wallet(at: datetime) -> list[Task]:
    """Apple's pass certificate, which is renewed by hand once a year."""
    ends_at = apple_ends_at(current_app.config["AZIONELAB"])
    if ends_at is None or ends_at - at > RENEW_WITHIN:
        return []
    text = (
        gettext(
            "The certificate for Apple Wallet ends on %(day)s.", day=format_date(ends_at, "medium")
        )
        if ends_at > at
        else gettext("The certificate for Apple Wallet has ended: visitors are not offered it.")
    )
    return [Task(text + " " + gettext("Tell whoever runs the server."), urgent=ends_at <= at)]
