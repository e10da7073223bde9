"""Entries of the log as a page shows them: found by filters and by a search, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app, url_for
from flask_babel import gettext
from flask_login import current_user
from sqlalchemy import ColumnElement, select

from azionelab.admin.log.labels import NEEDED, type_label
from azionelab.admin.log.names import Names, mails_parties, read_accounts, read_names
from azionelab.admin.log.search import is_about
from azionelab.admin.log.sentences import describe_entry
from azionelab.admin.mails.views import KINDS
from azionelab.database import db
from azionelab.database.audit import ActorKind, AuditEntry
from azionelab.staff.rights import Right, has_right

PER_PAGE = 50
ACCOUNT = "account-"


@dataclass(frozen=True)
class Filters:
    """Which entries are wanted; empty values for all. `until` is the last day."""

    object_type: str = ""
    object_id: str = ""
    actor: str = ""  # an ActorKind, or ACCOUNT and an id
    since: date | None = None
    until: date | None = None
    performance_id: int | None = None
    text: str = ""
    before: int | None = None  # the id of an entry: only older ones


@dataclass(frozen=True)
class Line:
    """An entry as it is shown: the object's type, its name and its page's address, "" without one."""

    entry: AuditEntry
    sentences: list[str]
    kind: str
    title: str
    url: str


@dataclass(frozen=True)
class Found:
    """A page of the log; `older` is what `Filters.before` has to be for the next page, None at the end."""

    lines: list[Line]
    accounts: dict[str, str]
    older: int | None


def find_entries(filters: Filters) -> Found:
    """A page of entries that the person of this request may read."""
    accounts = read_accounts()
    entries = db.session.scalars(
        select(AuditEntry)
        .where(*_conditions(filters))
        .order_by(AuditEntry.id.desc())
        .limit(PER_PAGE + 1)
    ).all()
    shown = entries[:PER_PAGE]
    older = shown[-1].id if len(entries) > PER_PAGE else None
    return Found(lines_of(shown, accounts), accounts, older)


def lines_of(entries: Sequence[AuditEntry], accounts: dict[str, str] | None = None) -> list[Line]:
    """Entries with their sentences, and the names and pages of their objects."""
    names, mails = read_names(entries, accounts), mails_parties(entries)
    return [
        Line(
            entry,
            describe_entry(entry, names),
            type_label(entry.object_type),
            _title(entry, names, mails),
            _url(entry, names, mails),
        )
        for entry in entries
    ]


def entries_of(object_type: str, object_id: str, limit: int) -> Sequence[AuditEntry]:
    """The newest entries about one object."""
    return db.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.object_type == object_type, AuditEntry.object_id == object_id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    ).all()


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [
        AuditEntry.object_type != hidden
        for hidden, right in NEEDED.items()
        if not has_right(current_user, right)
    ]
    if filters.object_type:
        wanted.append(AuditEntry.object_type == filters.object_type)
    if filters.object_id:
        wanted.append(AuditEntry.object_id == filters.object_id)
    if filters.performance_id is not None:
        wanted.append(AuditEntry.performance_id == filters.performance_id)
    if filters.actor.startswith(ACCOUNT):
        wanted.append(AuditEntry.account_id == int(filters.actor.removeprefix(ACCOUNT)))
    elif filters.actor in tuple(ActorKind):
        wanted.append(AuditEntry.actor == filters.actor)
    if filters.since:
        wanted.append(AuditEntry.at >= _midnight(filters.since))
    if filters.until:
        wanted.append(AuditEntry.at < _midnight(filters.until + timedelta(days=1)))
    if filters.before is not None:
        wanted.append(AuditEntry.id < filters.before)
    if filters.text:
        wanted.append(is_about(filters.text))
    return wanted


def _title(entry: AuditEntry, names: Names, mails: dict[str, tuple[str, str]]) -> str:
    if entry.object_type == "mail" and entry.object_id in mails:
        kind, reference = mails[entry.object_id]
        return f"{KINDS.get(kind, kind)}, {reference}"
    known = names.get(entry.object_type, entry.object_id) or entry.label
    if entry.object_type == "queue_line":
        return known or gettext("the whole site")
    return known or gettext("deleted")


def _url(entry: AuditEntry, names: Names, mails: dict[str, tuple[str, str]]) -> str:
    """The page of the object, if it is still there and the person may open it."""
    is_there = names.get(entry.object_type, entry.object_id) or entry.object_id in mails
    page = _PAGES.get(entry.object_type)
    if not is_there or page is None:
        return ""
    endpoint, right = page
    return url_for(endpoint, id=entry.object_id) if has_right(current_user, right) else ""


_PAGES: dict[str, tuple[str, Right]] = {
    "reservation": ("admin_reservations.details_view", Right.VIEW),
    "performance": ("admin_performances.edit_view", Right.MANAGE_SEASON),
    "show": ("admin_shows.edit_view", Right.MANAGE_SEASON),
    "venue": ("admin_venues.edit_view", Right.MANAGE_SEASON),
    "holiday": ("admin_holidays.edit_view", Right.MANAGE_SEASON),
    "webhook": ("admin_webhooks.index", Right.MANAGE_ACCOUNTS),
    "mail": ("admin_mails.details_view", Right.VIEW),
    "mail_template": ("admin_mail_texts.index", Right.MANAGE_MAILS),
    "queue_line": ("admin_queue.index", Right.MANAGE_SEASON),
    "theme": ("admin_theme.index", Right.MANAGE_SEASON),
    "audience_message": ("admin_messages.details", Right.MANAGE_MAILS),
    "user_account": ("admin_accounts.edit_view", Right.MANAGE_ACCOUNTS),
    "api_token": ("admin_tokens.details_view", Right.MANAGE_ACCOUNTS),
    "program_token": ("admin_programs.details_view", Right.MANAGE_ACCOUNTS),
}


def _midnight(day: date) -> datetime:
    zone: ZoneInfo = current_app.config["AZIONELAB"].time_zone
    return datetime.combine(day, time(), zone)
