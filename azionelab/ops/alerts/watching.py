"""Looks at the site's status and tells of changes. Any number of processes may do it at once: each change is told once.

The worker does it each minute, and `flask watch` beside it (docs/monitoring.md).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from flask import current_app
from flask_babel import force_locale, gettext
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from azionelab.database import now, transaction
from azionelab.integrations.webhooks.endpoints import Event, has_listener, queue_event
from azionelab.ops.alerts.decisions import Episode, News, decide
from azionelab.ops.alerts.models import Alert, AlertMail
from azionelab.ops.alerts.texts import Told, write_body, write_payload, write_subject
from azionelab.ops.status.facts import read_facts
from azionelab.ops.status.lines import About, Line
from azionelab.ops.status.report import judge
from azionelab.web.dates import format_datetime

# Given up mails are everyday work, which the back office's first page shows.
_NOT_ALERTED = {About.FAILED_MAILS, About.RELEASE}
_KEPT = timedelta(days=30)


def watch() -> Told:
    """Look at everything; what was told now. Does nothing where nobody listens.

    Raises SQLAlchemyError when the database does not answer.
    """
    if not _is_anybody_told():
        return {}
    with force_locale(current_app.config["AZIONELAB"].default_locale):
        lines = [line for line in judge(read_facts()) if line.about not in _NOT_ALERTED]
        return _tell_changes(lines, now())


def send_test_alert() -> None:
    """Tell of an invented part, to try the way. Raises NobodyListens."""
    if not _is_anybody_told():
        raise NobodyListens
    with (
        force_locale(current_app.config["AZIONELAB"].default_locale),
        transaction() as session,
    ):
        text = gettext("This is a test: nothing is wrong.")
        subject = gettext(
            "A test alert of %(site)s", site=current_app.config["AZIONELAB"].site_name
        )
        _queue(session, subject, f"{text}\n", {"test": True, "text": text}, now())


class NobodyListens(Exception):
    """There is neither ALERT_EMAIL nor a webhook for alerts."""


def _is_anybody_told() -> bool:
    return bool(current_app.config["AZIONELAB"].alert_email) or has_listener(Event.ALERT)


def _tell_changes(lines: Sequence[Line], at: datetime) -> Told:
    told: dict[News, list[Line]] = defaultdict(list)
    with transaction() as session:
        alerts = _lock(session, [line.about for line in lines])
        for line in lines:
            alert = alerts[line.about]
            before = Episode(alert.began_at, alert.told_at, frozenset(alert.items))
            episode, news = decide(before, line.state, at, line.items)
            if episode != before:
                alert.began_at, alert.told_at = episode.began_at, episode.told_at
                alert.items = sorted(episode.items)
            if news is News.STILL and episode.began_at:
                since = gettext("Since %(moment)s.", moment=format_datetime(episode.began_at))
                told[news].append(replace(line, text=f"{line.text} {since}"))
            elif news:
                told[news].append(line)
        if told:
            _queue(session, write_subject(told), write_body(told), write_payload(told), at)
            session.execute(
                delete(AlertMail).where(
                    AlertMail.created_at < at - _KEPT, AlertMail.next_try_at.is_(None)
                )
            )
    return told


def _lock(session: Session, about: Sequence[About]) -> Mapping[str, Alert]:
    """The alerts' rows, locked in the order of their names: two processes that look at once take turns.

    A missing row is inserted first: its key makes the second process wait as well.
    """
    names = sorted(about)
    rows = [{"about": name} for name in names]
    session.execute(upsert(Alert).values(rows).on_conflict_do_nothing())
    found = session.scalars(
        select(Alert)
        .where(Alert.about.in_(names))
        .order_by(Alert.about)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {alert.about: alert for alert in found}


def _queue(
    session: Session, subject: str, body: str, payload: Mapping[str, object], at: datetime
) -> None:
    """Queue a mail, if somebody gets it, and the webhooks' messages; committed with what is told."""
    if current_app.config["AZIONELAB"].alert_email:
        session.add(AlertMail(subject=subject, body=body, created_at=at, next_try_at=at))
    queue_event(session, Event.ALERT, payload)
